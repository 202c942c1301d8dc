#include "relay/shell/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/daemon.h"
#include "common/io/log.h"
#include "common/io/zsocket.h"
#include "relay/shell/entrance.h"
#include "relay/shell/revocation_files.h"
#include "relay/shell/settings.h"
#include "relay/shell/stun_server.h"
#include "relay/shell/relay_log.h"
#include "relay/shell/tls_files.h"

enum {
    CLOCK_MS = 30 * 1000,
    /* The time between SHUTDOWN and the end of the connections. */
    GOODBYE_MS = 200,
    IO_THREADS_MAX = 8,
    ZMQ_SOCKETS = 64,
    /* File descriptors that libzmq opens at its start, and for each of its I/O
     * threads. */
    FILES_OF_LIBZMQ = 10,
    FILES_OF_THREAD = 2,
    /* File descriptors for edges without which the relay does not start. */
    FILES_FIRST = 16,
    /* Of addresses; an endpoint for UDP has a socket of each. */
    FAMILIES = 2,
    /* After the hub freed this many bytes, memory goes back to the system. */
    FREED_MANY = 2 * 1024 * 1024,
};

struct relay_server {
    struct relay_conf conf;    /* as it was last read */
    struct relay_conf started; /* as it was at the start, once reloaded */
    bool reloaded;
    uv_loop_t *loop;
    struct zloop zloop;
    void *zmq;
    struct entrance *entrance;
    struct tls_files *tls; /* NULL: there is no door */
    struct stun_server *stun;
    struct hub *hub;
    struct hub_todos todos;
    uint64_t *blocked; /* connections to report to the hub as HUB_BLOCKED */
    size_t blocked_count;
    size_t blocked_room;
    uv_timer_t wake;        /* the earliest deadline of hub and entrance */
    struct instant wake_at; /* when `wake` fires */
    uv_timer_t clock;
    uv_timer_t goodbye;
    bool stopping;
    bool closed;
    bool reading_lists; /* true: HUB_KEEP's list is on the disk already */
    struct settings_files files;
    size_t kept_most; /* hub_memory's maximum since the last give_back */
    struct file_writer *revocation_writer;
    struct log_limit log;
};

/* ---- From the hub: its todos ------------------------------------------ */

/* The packet that the hub hears of, and where it came from. */
struct received {
    uint64_t from;
    struct packet_ref *packet;
};

static void do_todo(struct relay_server *r, const struct hub_todo *todo,
                    const struct received *received)
{
    switch (todo->kind) {
    case HUB_WRITE:
        entrance_write(r->entrance, todo->conn, todo->bytes);
        return;
    case HUB_FORWARD:
        ASSERT(received != NULL); /* Only a packet's own event causes it. */
        entrance_forward(r->entrance, todo->conn, received->from,
                         received->packet);
        return;
    case HUB_DROP:
        entrance_drop(r->entrance, todo->conn);
        return;
    case HUB_LOG:
        if (todo->log.what == HUB_EDGE_UP)
            entrance_prove(r->entrance, todo->conn);
        relay_log_edge(&r->log, clock_now(), todo);
        return;
    case HUB_KEEP:
        if (!r->reading_lists)
            revocation_files_keep(r->revocation_writer, &r->conf,
                                  &todo->log.mesh, todo->bytes);
        return;
    }
}

static void do_todos(struct relay_server *r, const struct received *received)
{
    for (size_t i = 0; i < r->todos.count; i++)
        do_todo(r, &r->todos.items[i], received);
    hub_todos_clear(&r->todos);
}

/* Gives the hub one event, does its todos, and reports the connections that
 * took no writes. */
static void tell_hub(struct relay_server *r, const struct hub_event *event,
                     const struct received *received)
{
    hub_step(r->hub, clock_now(), event, &r->todos);
    do_todos(r, received);
    while (r->blocked_count > 0) {
        uint64_t conn = r->blocked[--r->blocked_count];
        hub_step(r->hub, clock_now(),
                 &(struct hub_event){.kind = HUB_BLOCKED, .conn = conn},
                 &r->todos);
        do_todos(r, NULL);
    }
}

/* ---- From the entrance: events for the hub ------------------------------- */

static void on_packet(void *context, struct carrier *c,
                      struct packet_ref *packet)
{
    tell_hub(context,
             &(struct hub_event){.kind = HUB_PACKET,
                                 .conn = c->id,
                                 .key = c->key,
                                 .address = c->address,
                                 .tls = c->tls,
                                 .data = packet_ref_data(packet),
                                 .size = packet_ref_size(packet)},
             &(struct received){c->id, packet});
}

/* The hub hears it after the event that caused the write. */
static void on_blocked(void *context, struct carrier *c)
{
    struct relay_server *r = context;
    if (r->blocked_count == r->blocked_room) {
        r->blocked_room = r->blocked_room ? 2 * r->blocked_room : 16;
        r->blocked =
            memory_resize(r->blocked, r->blocked_room, sizeof *r->blocked);
    }
    r->blocked[r->blocked_count++] = c->id;
}

static void on_writable(void *context, struct carrier *c)
{
    tell_hub(context, &(struct hub_event){.kind = HUB_WRITABLE, .conn = c->id},
             NULL);
}

static void on_closed(void *context, struct carrier *c, enum carrier_end why)
{
    (void)why;
    tell_hub(context, &(struct hub_event){.kind = HUB_CLOSED, .conn = c->id},
             NULL);
}

static void on_turned_away(void *context, const char *what,
                           const struct address *address, const char *reason)
{
    struct relay_server *r = context;
    relay_log_stranger(&r->log, clock_now(), what, address, reason);
}

/* ---- Time -------------------------------------------------------------- */

static void on_wake(uv_timer_t *timer)
{
    struct relay_server *r = timer->data;
    r->wake_at = INSTANT_NEVER;
    zloop_kick(&r->zloop);
}

/* Sets the wake timer; most turns of the loop leave it as it is. */
static void set_wake(struct relay_server *r, struct instant now)
{
    struct instant at =
        instant_min(hub_deadline(r->hub), entrance_deadline(r->entrance));
    if (instant_reached(at, now))
        zloop_kick(&r->zloop);
    if (at.us == r->wake_at.us)
        return;
    r->wake_at = at;
    if (instant_is_never(at)) {
        uv_timer_stop(&r->wake);
        return;
    }
    int64_t us = instant_between(now, at).us;
    uv_update_time(r->loop);
    uv_timer_start(&r->wake, on_wake, us <= 0 ? 0 : (uint64_t)us / 1000 + 1, 0);
}

/* Has the memory of a large queue given back to the system after the hub freed
 * it. */
static void give_back(struct relay_server *r, struct instant now)
{
    size_t kept = hub_memory(r->hub);
    if (kept > r->kept_most)
        r->kept_most = kept;
    if (r->kept_most - kept < FREED_MANY)
        return;
    r->kept_most = kept;
    entrance_freed(r->entrance, now);
}

static void end_of_turn(void *context)
{
    struct relay_server *r = context;
    if (r->closed)
        return;
    struct instant now = clock_now();
    entrance_turn(r->entrance, now);
    if (instant_reached(hub_deadline(r->hub), now))
        tell_hub(r, &(struct hub_event){.kind = HUB_TICK}, NULL);
    give_back(r, now);
    set_wake(r, now);
}

static void on_clock(uv_timer_t *timer)
{
    struct relay_server *r = timer->data;
    log_limit_tell(&r->log, clock_now());
    tell_hub(r,
             &(struct hub_event){.kind = HUB_CLOCK,
                                 .unix_seconds = clock_unix_seconds()},
             NULL);
    zloop_kick(&r->zloop);
}

/* ---- Settings ---------------------------------------------------------- */

static void on_list(void *context, struct bytes list)
{
    struct relay_server *r = context;
    /* A copy only because `data` is not const: the hub changes no list. */
    uint8_t *data = memory_copy(list.data, list.size);
    tell_hub(r,
             &(struct hub_event){
                 .kind = HUB_REVOKE, .data = data, .size = list.size},
             NULL);
    free(data);
}

static void read_lists(struct relay_server *r)
{
    r->reading_lists = true;
    revocation_files_read(&r->conf, on_list, r);
    r->reading_lists = false;
}

static void apply(struct relay_server *r)
{
    struct hub_conf h = settings_hub(&r->conf, &r->files);
    hub_reconfigure(r->hub, &h, clock_now(), &r->todos);
    settings_hub_free(&h);
    do_todos(r, NULL);
    struct entrance_conf e = settings_entrance(&r->conf, &r->files);
    entrance_reconfigure(r->entrance, &e);
}

static void tell_files(const struct relay_server *r)
{
    size_t edges = settings_edges(&r->files);
    /* Up to a tenth less than the limit is not worth a warning. */
    if (edges < r->conf.limits.edges - r->conf.limits.edges / 10)
        log_warn("few_open_files", "files=%lu edges=%zu limits.edges=%zu",
                 r->files.limit, edges, r->conf.limits.edges);
}

void relay_reload(struct relay_server *r, struct relay_conf *conf)
{
    if (r->stopping) {
        relay_conf_free(conf);
        return;
    }
    settings_tell_changes(r->reloaded ? &r->started : &r->conf, &r->conf, conf);
    if (r->reloaded)
        relay_conf_free(&r->conf);
    else
        r->started = r->conf;
    r->reloaded = true;
    r->conf = *conf;
    settings_log(&r->conf);

    apply(r);
    tell_files(r);
    read_lists(r);
    if (r->tls != NULL)
        tls_files_reload(r->tls);
    zloop_kick(&r->zloop);
    log_info("reloaded", "meshes=%zu", r->conf.meshes.count);
}

/* ---- Start and end ----------------------------------------------------- */

static int io_threads(void)
{
    /* libzmq's I/O threads do the CURVE cryptography, which is most of the
     * work: one thread for every two cores. Two cores get two threads too, so
     * that the two ends of one busy pair do not share a thread. */
    unsigned int cores = uv_available_parallelism();
    unsigned int threads = cores < 2 ? 1 : cores < 4 ? 2 : cores / 2;
    return threads > IO_THREADS_MAX ? IO_THREADS_MAX : (int)threads;
}

static void init_timer(struct relay_server *r, uv_timer_t *timer)
{
    uv_timer_init(r->loop, timer);
    timer->data = r;
}

static struct hub *make_hub(const struct relay_server *r)
{
    struct hub_conf h = settings_hub(&r->conf, &r->files);
    randombytes_buf(&h.boot, sizeof h.boot);
    randombytes_buf(h.hash_key, sizeof h.hash_key);
    struct hub *hub = hub_new(&h, clock_now());
    settings_hub_free(&h);
    return hub;
}

typedef bool listen_fn(struct entrance *e, const char *endpoint,
                       char bound[static LISTENER_TEXT_SIZE]);

static bool listen_each(struct relay_server *r, const struct curve_pair *keys,
                        const struct conf_list *endpoints, listen_fn *listen)
{
    char key[2 * KEY_SIZE + 1];
    hex_encode(bytes_of(keys->public_key, KEY_SIZE), key);
    for (size_t i = 0; i < endpoints->count; i++) {
        char bound[LISTENER_TEXT_SIZE];
        if (!listen(r->entrance, endpoints->items[i], bound)) {
            log_error("listen_failed", "endpoint=%s error=\"%s\"",
                      endpoints->items[i], zmq_strerror(errno));
            return false;
        }
        log_info("relay_listening", "endpoint=%s name=%s key=%s", bound,
                 r->conf.relay.name, key);
    }
    return true;
}

static bool listen_all(struct relay_server *r, const struct curve_pair *keys)
{
    return listen_each(r, keys, &r->conf.listen.tcp, entrance_listen_tcp) &&
           listen_each(r, keys, &r->conf.listen.curve, entrance_listen_curve);
}

static bool open_entrance(struct relay_server *r, const struct curve_pair *keys)
{
    struct entrance_conf conf = settings_entrance(&r->conf, &r->files);
    struct entrance_user user = {.owner = {.context = r,
                                           .packet = on_packet,
                                           .blocked = on_blocked,
                                           .writable = on_writable,
                                           .closed = on_closed},
                                 .turned_away = on_turned_away};
    r->entrance = entrance_open(&r->zloop, r->zmq, keys, &conf, &user);
    if (!r->entrance)
        log_error("start_failed", "error=\"%s\"", zmq_strerror(errno));
    return r->entrance != NULL;
}

static void on_certificate(void *context)
{
    struct relay_server *r = context;
    entrance_serve_tls(r->entrance, tls_files_pair(r->tls));
}

static bool open_tls(struct relay_server *r)
{
    const struct tls_files_user user = {.context = r,
                                        .changed = on_certificate};
    if (r->conf.listen.tcp.count == 0)
        return true;
    r->tls = tls_files_open(r->loop, &r->conf, &user);
    if (r->tls == NULL)
        return false;
    on_certificate(r);
    return true;
}

static void close_all(struct relay_server *r)
{
    if (r->closed)
        return;
    r->closed = true;
    entrance_close(&r->entrance);
    tls_files_close(&r->tls);
    stun_server_close(&r->stun);
    file_writer_close(&r->revocation_writer);
    uv_close((uv_handle_t *)&r->wake, NULL);
    uv_close((uv_handle_t *)&r->clock, NULL);
    uv_close((uv_handle_t *)&r->goodbye, NULL);
    zloop_close(&r->zloop);
}

static void begin(struct relay_server *r)
{
    uv_timer_start(&r->clock, on_clock, CLOCK_MS, CLOCK_MS);
    on_clock(&r->clock);
    read_lists(r);
    settings_tell_unserved(&r->conf);
}

static unsigned long files_of_libzmq(const struct relay_server *r)
{
    return r->conf.listen.curve.count == 0
               ? 0
               : FILES_OF_LIBZMQ +
                     FILES_OF_THREAD * (unsigned long)io_threads();
}

static bool allows_an_edge(const struct settings_files *files)
{
    if (settings_edges(files) > 0)
        return true;
    log_error("start_failed",
              "error=\"too few open files are allowed\" files=%lu wanted=%lu",
              files->limit, files->own + FILES_FIRST);
    return false;
}

/* Checks, before anything is open, that the process may open enough file
 * descriptors: libzmq aborts the process if it gets none. */
static bool has_files(struct relay_server *r)
{
    r->files.limit = daemon_raise_files();
    r->files.own = daemon_count_files() + files_of_libzmq(r) +
                   r->conf.listen.tcp.count + r->conf.listen.curve.count +
                   FAMILIES * r->conf.listen.udp.count;
    return allows_an_edge(&r->files);
}

/* Counts the descriptors that the relay itself uses, once all are open. */
static bool count_files(struct relay_server *r)
{
    unsigned long own = daemon_count_files();
    r->files.own = own > 0 ? own : r->files.own;
    if (!allows_an_edge(&r->files))
        return false;
    apply(r);
    tell_files(r);
    return true;
}

struct relay_server *relay_open(uv_loop_t *loop, struct relay_conf *conf,
                                const struct curve_pair *keys)
{
    struct relay_server *r = memory_new(sizeof *r);
    r->conf = *conf;
    r->loop = loop;
    settings_log(&r->conf);
    if (!has_files(r)) {
        relay_conf_free(&r->conf);
        free(r);
        return NULL;
    }
    r->zmq = zcontext_open(ZMQ_SOCKETS);
    ASSERT(r->zmq != NULL);
    zmq_ctx_set(r->zmq, ZMQ_IO_THREADS, io_threads());
    zloop_open(&r->zloop, loop, end_of_turn, r);
    init_timer(r, &r->wake);
    r->wake_at = INSTANT_NEVER;
    init_timer(r, &r->clock);
    init_timer(r, &r->goodbye);
    hub_todos_init(&r->todos);
    r->revocation_writer = revocation_files_writer(loop);
    r->hub = make_hub(r);
    if (open_entrance(r, keys) && open_tls(r)) {
        begin(r);
        if (listen_all(r, keys)) {
            r->stun = stun_server_open(loop, &r->conf.listen.udp);
            if (count_files(r))
                return r;
        }
    }
    close_all(r);
    uv_run(loop, UV_RUN_DEFAULT);
    relay_free(&r);
    return NULL;
}

static void on_goodbye(uv_timer_t *timer)
{
    close_all(timer->data);
}

void relay_stop(struct relay_server *r)
{
    if (r->stopping) {
        close_all(r);
        return;
    }
    r->stopping = true;
    entrance_stopping(r->entrance);
    tell_hub(r, &(struct hub_event){.kind = HUB_STOP}, NULL);
    uv_timer_start(&r->goodbye, on_goodbye, GOODBYE_MS, 0);
    zloop_kick(&r->zloop);
}

void relay_free(struct relay_server **self)
{
    struct relay_server *r = *self;
    if (!r)
        return;
    *self = NULL;
    zcontext_close(&r->zmq);
    hub_free(r->hub);
    hub_todos_close(&r->todos);
    if (r->reloaded)
        relay_conf_free(&r->started);
    relay_conf_free(&r->conf);
    free(r->blocked);
    free(r);
}
