#include "edge/shell/outgoing.h"

#include "common/base/map.h"
#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/send_credit.h"
#include "common/io/log.h"
#include "common/io/monitor.h"
#include "edge/shell/send_queue.h"
#include "edge/shell/link_socket.h"
#include "edge/shell/lookup.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 2000,
    /* libzmq shall never connect again by itself; with -1 it throws away what
     * was received but not read when the connection ends. */
    RECONNECT_MS = 24 * 60 * 60 * 1000,
    SWEEP_MS = 1000,
    /* An attempt of which libzmq tells nothing at all. */
    ATTEMPT_SWEEPS = 6,
    /* A name that is not resolved meanwhile, or a handshake that is not done:
     * before the node gives the link up, as it cannot tell these apart. */
    STALLED_SWEEPS = 4,
    /* Nodes are dialled so many at a time; one that does not even take the
     * connection holds its place for so long. When fifty nodes meet fifty,
     * handshakes all at once starve each other and the beacons until they time
     * out. */
    OPENING_LIMIT = 2,
    OPENING_MS = 200,
};

struct link {
    struct outgoing *out;
    uint32_t id;
    struct curve_pair keys;
    struct curve_key server;
    struct lookup *lookup;
    struct address addresses[LOOKUP_ADDRESSES]; /* to try in turn */
    size_t count;
    size_t next;
    struct zsocket *socket;
    struct monitor *monitor;
    bool connected; /* by TCP */
    bool counted;   /* in the outgoing's `opening` */
    uint64_t since;
    bool open; /* told so */
    int sweeps;
    int age;      /* in sweeps */
    bool waiting; /* in the list of those */
    struct link *previous;
    struct link *following;
    struct send_credit *held;
    struct send_queue backlog;
    struct unread_conn unread;
};

struct outgoing {
    struct turn *turn;
    void *zmq_context;
    struct map links; /* by id; struct link, the owner */
    struct bell *bell;
    struct intake *intake;
    size_t blocked; /* links with a backlog */
    uv_timer_t sweep;
    uv_timer_t pace; /* runs while links wait */
    int open_timers;
    size_t opening;
    struct link *first; /* waiting, in order */
    struct link *last;
};

static void try_next(struct link *l);
static void on_pace(uv_timer_t *timer);

static void close_socket(struct link *l)
{
    unread_remove(&l->out->intake->unread, &l->unread);
    monitor_close(&l->monitor);
    zsocket_close(&l->socket);
}

/* ---- Who waits for others to open first */

static void wait_begin(struct link *l)
{
    struct outgoing *out = l->out;

    l->waiting = true;
    l->previous = out->last;
    if (out->last != NULL)
        out->last->following = l;
    else
        out->first = l;
    out->last = l;
}

static void wait_end(struct link *l)
{
    if (!l->waiting)
        return;
    l->waiting = false;
    if (l->previous != NULL)
        l->previous->following = l->following;
    else
        l->out->first = l->following;
    if (l->following != NULL)
        l->following->previous = l->previous;
    else
        l->out->last = l->previous;
}

static void opening_begin(struct link *l)
{
    l->counted = true;
    l->since = uv_now(l->out->pace.loop);
    l->out->opening++;
}

static void opening_end(struct link *l)
{
    if (l->counted)
        l->out->opening--;
    l->counted = false;
}

static void open_waiting(struct outgoing *out)
{
    while (out->opening < OPENING_LIMIT && out->first != NULL) {
        struct link *l = out->first;
        wait_end(l); /* leaves the list: NOLINT(clang-analyzer-unix.Malloc) */
        opening_begin(l);
        try_next(l);
    }
    if (out->first == NULL)
        uv_timer_stop(&out->pace);
    else if (!uv_is_active((uv_handle_t *)&out->pace))
        uv_timer_start(&out->pace, on_pace, OPENING_MS, OPENING_MS / 4);
}

static void on_pace(uv_timer_t *timer)
{
    struct outgoing *out = timer->data;
    uint64_t now = uv_now(timer->loop);
    size_t cursor = 0;
    struct link *l;

    while ((l = map_next(&out->links, &cursor)) != NULL)
        if (l->counted && !l->connected && now - l->since >= OPENING_MS)
            opening_end(l);
    open_waiting(out);
}

static void link_free(struct link *l)
{
    wait_end(l);
    opening_end(l);
    map_remove(&l->out->links, &l->id);
    lookup_cancel(&l->lookup);
    close_socket(l);
    if (!send_queue_is_empty(&l->backlog))
        l->out->blocked--;
    send_queue_close(&l->backlog);
    send_credit_release(&l->held);
    sodium_memzero(&l->keys, sizeof l->keys);
    free(l);
}

static void link_failed(struct link *l, enum link_failure failure)
{
    log_debug("link_closed", "link=%u open=%d failure=%d", l->id, l->open,
              (int)failure);
    turn_closed(l->out->turn, l->id, failure);
    link_free(l);
}

/* ---- Reading and writing */

static bool receive(struct link *l, zmq_msg_t *m)
{
    if (zsocket_recv(l->socket, m) < 0)
        return false;
    if (zmq_msg_more(m)) {
        link_skip(l->socket, m); /* No packet has two frames. */
    } else if (l->open) {
        unread_took(&l->unread, zmq_msg_size(m));
        turn_packet(l->out->turn, l->id, m);
    }
    return true;
}

static void receive_some(struct link *l)
{
    zmq_msg_t m;

    zmq_msg_init(&m);
    while (!turn_full(l->out->turn) && receive(l, &m) &&
           !zsocket_seems_dry(l->socket))
        ;
    zmq_msg_close(&m);
}

/* Nobody asks again, so the turn may be overfilled. */
static void receive_last(struct link *l)
{
    zmq_msg_t m;

    zmq_msg_init(&m);
    while (!turn_overfull(l->out->turn) && receive(l, &m))
        ;
    zmq_msg_close(&m);
}

/* False: it is full. Who waits for libzmq's packets is told by its socket, who
 * waits for the bytes by the bell. */
static bool try_send(struct link *l, zmq_msg_t *m)
{
    bool room = send_credit_has_room(l->held);
    bool sent = room && send_credit_send(l->held, l->socket, m) >= 0;

    zsocket_want_write(l->socket, room && !sent);
    return sent;
}

static void write_backlog(struct link *l)
{
    while (!send_queue_is_empty(&l->backlog)) {
        if (!try_send(l, send_queue_first(&l->backlog)))
            return;
        send_queue_drop(&l->backlog);
    }
    l->out->blocked--;
    turn_link(l->out->turn, NODE_LINK_WRITABLE, l->id);
}

void outgoing_write_on(struct outgoing *out)
{
    size_t cursor = 0;
    struct link *l;

    while (out->blocked > 0 && (l = map_next(&out->links, &cursor)) != NULL)
        if (!send_queue_is_empty(&l->backlog))
            write_backlog(l);
}

static void on_ready(void *context, int events)
{
    struct link *l = context;

    if ((events & ZMQ_POLLOUT) && !send_queue_is_empty(&l->backlog))
        write_backlog(l);
    if (events & ZMQ_POLLIN)
        receive_some(l);
}

static void queue(struct link *l, zmq_msg_t *m)
{
    bool first = send_queue_is_empty(&l->backlog);

    if (!send_queue_add(&l->backlog, m)) {
        if (turn_may_log(l->out->turn, LOG_BY_MEMBERS, "link_overfull", NULL))
            log_warn("link_overfull", "link=%u", l->id);
        link_failed(l, LINK_BROKEN);
        return;
    }
    if (first) {
        l->out->blocked++;
        turn_link(l->out->turn, NODE_LINK_BLOCKED, l->id);
    }
}

void outgoing_write(struct outgoing *out, uint32_t id, struct bytes bytes,
                    struct block *block)
{
    struct link *l = map_get(&out->links, &id);
    zmq_msg_t m;

    if (l == NULL || !l->open)
        return;
    link_message(&m, bytes, block);
    if (!send_queue_is_empty(&l->backlog) || !try_send(l, &m))
        queue(l, &m);
    zmq_msg_close(&m);
}

/* ---- Opening */

static void on_handshake_done(struct link *l)
{
    log_debug("link_opened", "link=%u", l->id);
    l->open = true;
    l->unread.limit = LINK_UNREAD;
    opening_end(l);
    turn_add(l->out->turn, &(struct node_event){
                               .kind = NODE_LINK_OPENED,
                               .link = {.id = l->id,
                                        .key = l->server,
                                        .address = l->addresses[l->next - 1]}});
}

static void on_disconnected(struct link *l)
{
    if (!l->open) {
        link_failed(l, LINK_HANDSHAKE);
        return;
    }
    receive_last(l);
    link_failed(l, LINK_BROKEN);
}

static void on_cut(void *owner, const char *reason)
{
    struct link *l = owner;
    const struct address *to = &l->addresses[l->next - 1];
    char text[ADDRESS_TEXT_SIZE];

    if (log_limit_passes(&l->out->turn->log, clock_now(), LOG_BY_MEMBERS,
                         "connection_cut", reason,
                         bytes_of(to->ip, sizeof to->ip)))
        log_warn("connection_cut", "reason=%s address=%s", reason,
                 address_format(to, text));
    link_failed(l, l->open ? LINK_BROKEN : LINK_HANDSHAKE);
}

static void on_connected(struct link *l, int fd)
{
    l->connected = true;
    link_limit_unsent(fd);
    l->unread = (struct unread_conn){.cut = on_cut, .owner = l};
    unread_add(&l->out->intake->unread, &l->unread, fd, LINK_UNREAD_STRANGER,
               clock_now());
    intake_arm(l->out->intake);
}

static void on_monitor(void *context, const struct monitor_event *event)
{
    struct link *l = context;
    struct outgoing *out = l->out; /* The link may be gone below. */

    switch (event->kind) {
    case MONITOR_HANDSHAKE_DONE:
        on_handshake_done(l);
        break;
    case MONITOR_CONNECT_FAILED:
        close_socket(l);
        try_next(l);
        break;
    case MONITOR_HANDSHAKE_FAILED:
        log_debug("handshake_failed", "link=%u reason=%s error=%d", l->id,
                  event->reason, event->error);
        link_failed(l, LINK_HANDSHAKE);
        break;
    case MONITOR_DISCONNECTED:
        on_disconnected(l);
        break;
    case MONITOR_CONNECTED:
        on_connected(l, event->fd);
        break;
    case MONITOR_LISTENING:
    case MONITOR_ACCEPTED:
    case MONITOR_ACCEPT_FAILED:
        break;
    }
    open_waiting(out);
}

static bool open_socket(struct link *l, const struct address *to)
{
    struct outgoing *out = l->out;
    char endpoint[ADDRESS_TEXT_SIZE + 16];
    char text[ADDRESS_TEXT_SIZE];

    snprintf(endpoint, sizeof endpoint, "tcp://%s", address_format(to, text));
    log_debug("link_opening", "link=%u to=%s", l->id, text);
    l->socket = zsocket_open(out->turn->zloop, out->zmq_context, ZMQ_DEALER,
                             on_ready, l);
    if (l->socket == NULL || !link_socket_setup(l->socket) ||
        !link_socket_join(l->socket, &l->keys, &l->server) ||
        !zsocket_set(l->socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) ||
        !zsocket_set(l->socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS))
        return false;
    l->monitor = monitor_open(out->turn->zloop, out->zmq_context, l->socket,
                              on_monitor, l);
    return l->monitor != NULL &&
           zmq_connect(zsocket_raw(l->socket), endpoint) == 0;
}

/* The next address, or the end of the attempt. */
static void try_next(struct link *l)
{
    while (l->next < l->count) {
        l->sweeps = 0;
        if (open_socket(l, &l->addresses[l->next++]))
            return;
        const char *error = zmq_strerror(errno);
        if (turn_may_log(l->out->turn, LOG_BY_MEMBERS, "link_not_opened",
                         error))
            log_warn("link_not_opened", "link=%u error=\"%s\"", l->id, error);
        close_socket(l);
    }
    link_failed(l, LINK_UNREACHABLE);
}

static void on_found(void *context, const struct address *list, size_t count,
                     const char *error)
{
    struct link *l = context;

    if (count == 0) {
        log_debug("host_unknown", "link=%u error=\"%s\"", l->id, error);
        link_failed(l, LINK_NAMELESS);
        return;
    }
    for (; l->count < count; l->count++)
        l->addresses[l->count] = list[l->count];
    try_next(l);
}

static struct link *link_new(struct outgoing *out, uint32_t id,
                             const struct curve_pair *keys,
                             const struct curve_key *server)
{
    struct link *l = memory_new(sizeof *l);

    l->out = out;
    l->id = id;
    l->keys = *keys;
    l->server = *server;
    l->held = send_credit_new(LINK_HELD_BYTES, out->bell);
    map_put(&out->links, &l->id, l);
    return l;
}

void outgoing_connect(struct outgoing *out, uint32_t id,
                      const struct curve_pair *keys,
                      const struct curve_key *server,
                      const struct address *address)
{
    struct link *l = link_new(out, id, keys, server);

    l->addresses[l->count++] = *address;
    wait_begin(l);
    open_waiting(out);
}

void outgoing_connect_host(struct outgoing *out, uint32_t id,
                           const struct curve_pair *keys,
                           const struct curve_key *server, const char *host,
                           uint16_t port)
{
    struct link *l = link_new(out, id, keys, server);

    lookup_start(&l->lookup, out->turn->zloop->loop, host, port, on_found, l);
}

void outgoing_disconnect(struct outgoing *out, uint32_t id)
{
    struct link *l = map_get(&out->links, &id);

    if (l == NULL)
        return;
    log_debug("link_dropped", "link=%u open=%d", l->id, l->open);
    link_free(l);
    open_waiting(out);
}

/* ---- All of them */

static void sweep(struct link *l)
{
    bool stalled = ++l->age >= STALLED_SWEEPS;

    l->sweeps++;
    if (stalled && l->lookup != NULL)
        link_failed(l, LINK_NAMELESS);
    else if (stalled && l->connected)
        link_failed(l, LINK_HANDSHAKE);
    else if (l->sweeps >= ATTEMPT_SWEEPS)
        link_failed(l, LINK_UNREACHABLE);
}

static void on_sweep(uv_timer_t *timer)
{
    struct outgoing *out = timer->data;
    size_t cursor = 0;
    struct link *l;

    while ((l = map_next(&out->links, &cursor)) != NULL)
        if (!l->open && !l->waiting)
            sweep(l);
    open_waiting(out);
}

struct outgoing *outgoing_open(struct turn *turn, void *zmq_context,
                               struct bell *bell, struct intake *intake)
{
    struct outgoing *out = memory_new(sizeof *out);
    uint8_t hash_key[16];

    out->turn = turn;
    out->zmq_context = zmq_context;
    out->bell = bell;
    out->intake = intake;
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&out->links, sizeof(uint32_t), hash_key);
    uv_timer_init(turn->zloop->loop, &out->sweep);
    uv_timer_init(turn->zloop->loop, &out->pace);
    out->open_timers = 2;
    out->sweep.data = out;
    out->pace.data = out;
    uv_timer_start(&out->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return out;
}

static void on_closed(uv_handle_t *timer)
{
    struct outgoing *out = timer->data;

    if (--out->open_timers == 0)
        free(out);
}

void outgoing_close(struct outgoing **self)
{
    struct outgoing *out = *self;
    size_t cursor = 0;
    struct link *l;

    if (out == NULL)
        return;
    *self = NULL;
    while ((l = map_next(&out->links, &cursor)) != NULL)
        link_free(l);
    map_close(&out->links);
    uv_close((uv_handle_t *)&out->sweep, on_closed);
    uv_close((uv_handle_t *)&out->pace, on_closed);
}
