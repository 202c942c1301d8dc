#include "relay/shell/front.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/monitor.h"
#include "common/io/zap.h"
#include "relay/shell/conns.h"
#include "relay/shell/listener.h"

enum {
    /* Packets for each turn of the loop, so that timers are not late. */
    PACKETS_A_TURN = 512,
    /* Before a closed connection is given up, what it sent is read: so much. */
    PACKETS_AT_CLOSE = 8192,
    /* Blocked connections are tried so often, so many each time. */
    RETRY_US = 1000,
    RETRIES = 256,
};

struct front {
    struct front_owner owner;
    struct zsocket *router;
    struct zap *zap;
    struct monitor *monitor;
    struct unread unread;
    size_t memory_held; /* by libzmq, of what is written; about */
    struct gate *gate;
    struct conns conns;
    struct instant retry_at; /* of those blocked */
    size_t failures; /* handshakes that failed and did not disconnect yet */
    const char *failure;
};

/* ---- Who is connected ------------------------------------------------- */

/* Tells the owner of those whose connection closed. What they had sent before
 * is read first: a goodbye is not a loss. */
static bool read_packets(struct front *f, int count);

static void end_closing(struct front *f)
{
    struct conn *closing = conns_take_closing(&f->conns);
    if (!closing)
        return;
    read_packets(f, PACKETS_AT_CLOSE);
    for (struct conn *c; (c = closing);) {
        closing = c->next_closing;
        uint64_t id = c->id;
        bool dropped = c->dropped;
        conns_remove(&f->conns, c);
        if (!dropped)
            f->owner.closed(f->owner.context, id);
    }
}

static void on_disconnected(struct front *f, int fd)
{
    struct address address;
    uint64_t id = gate_closed(f->gate, fd, &address);
    if (id != 0) {
        struct conn *c = conns_by_id(&f->conns, id);
        if (c)
            conns_set_closing(&f->conns, c);
    } else if (f->failures > 0) {
        f->failures--;
        f->owner.turned_away(f->owner.context, "handshake_failed", &address,
                             f->failure);
    }
}

static const char *error_word(int error)
{
    const char *word = strerrorname_np(error);
    return word ? word : "unknown";
}

static void on_monitor(void *context, const struct monitor_event *event)
{
    struct front *f = context;
    switch (event->kind) {
    case MONITOR_LISTENING:
        gate_listening(f->gate, event->fd);
        return;
    case MONITOR_ACCEPTED:
        gate_accepted(f->gate, event->fd, clock_now());
        return;
    case MONITOR_DISCONNECTED:
        on_disconnected(f, event->fd);
        return;
    case MONITOR_HANDSHAKE_FAILED:
        /* It names no connection; the next to end unproved is meant. */
        f->failures++;
        f->failure = event->reason;
        return;
    case MONITOR_ACCEPT_FAILED:
        f->owner.turned_away(f->owner.context, "accept_failed",
                             &(struct address){0}, error_word(event->error));
        gate_accept_failed(f->gate, event->error, clock_now());
        return;
    case MONITOR_CONNECTED:
    case MONITOR_CONNECT_FAILED:
    case MONITOR_HANDSHAKE_DONE:
        return;
    }
}

static struct conn *conn_new(struct front *f, const uint8_t *route,
                             zmq_msg_t *packet)
{
    const char *user = zmq_msg_gets(packet, "User-Id");
    struct conn c = {.fd = zmq_msg_get(packet, ZMQ_SRCFD)};
    uint64_t before = 0;
    if (!zap_key(packet, &c.key) || strlen(user) != USER_SIZE)
        return NULL;
    memcpy(c.route, route, ROUTE_SIZE);
    memcpy(c.user, user, USER_SIZE);
    /* The descriptor may have been another's a moment ago. */
    monitor_drain(f->monitor);
    if (!gate_hold(f->gate, c.fd, conns_next_id(&f->conns), clock_now(),
                   &c.address, &before))
        return NULL;
    struct conn *old = conns_by_id(&f->conns, before);
    if (old)
        conns_set_closing(&f->conns, old);
    return conns_add(&f->conns, &c);
}

static bool is_from(const struct conn *c, zmq_msg_t *packet)
{
    const char *user = zmq_msg_gets(packet, "User-Id");
    return user && strncmp(user, c->user, USER_SIZE) == 0;
}

static struct conn *conn_of(struct front *f, zmq_msg_t *route,
                            zmq_msg_t *packet)
{
    const uint8_t *bytes = zmq_msg_data(route);
    /* A client may choose its routing id: nobody honest does. */
    if (zmq_msg_size(route) != ROUTE_SIZE || bytes[0] != 0)
        return NULL;
    struct conn *c = conns_by_route(&f->conns, bytes);
    return c && is_from(c, packet) ? c : conn_new(f, bytes, packet);
}

/* ---- Reading ---------------------------------------------------------- */

/* A message of one frame; all the others are passed over. False when nothing
 * waits; *good tells if there is a packet. */
static bool receive(struct front *f, zmq_msg_t *route, zmq_msg_t *packet,
                    bool *good)
{
    *good = false;
    if (zsocket_recv(f->router, route) < 0)
        return false;
    if (!zmq_msg_more(route) || zsocket_recv(f->router, packet) < 0)
        return true;
    *good = !zmq_msg_more(packet);
    while (zmq_msg_more(packet)) {
        if (zsocket_recv(f->router, packet) < 0)
            return true;
    }
    return true;
}

static bool read_packets(struct front *f, int count)
{
    zmq_msg_t route;
    zmq_msg_t packet;
    bool more = true;
    zmq_msg_init(&route);
    zmq_msg_init(&packet);
    while (more && count-- > 0) {
        bool good;
        more = receive(f, &route, &packet, &good);
        struct conn *c = good ? conn_of(f, &route, &packet) : NULL;
        if (c)
            gate_read(f->gate, c->fd, zmq_msg_size(&packet));
        if (c && !c->dropped)
            f->owner.packet(f->owner.context, c->id, &c->key, &c->address,
                            &packet);
    }
    zmq_msg_close(&route);
    zmq_msg_close(&packet);
    return more;
}

/* ---- Writing ---------------------------------------------------------- */

static bool has_room(const struct front *f, const struct conn *c)
{
    return send_credit_has_room(c->held) &&
           send_credit_bytes(c->held) <
               conns_held_limit(&f->conns, f->memory_held);
}

/* True if libzmq took it, or if nobody ever will; `packet` is empty then. */
static bool give(struct front *f, const struct conn *c, zmq_msg_t *packet)
{
    zmq_msg_t route;
    if (!has_room(f, c))
        return false;
    zmq_msg_init_size(&route, ROUTE_SIZE);
    memcpy(zmq_msg_data(&route), c->route, ROUTE_SIZE);
    if (zsocket_send(f->router, &route, ZMQ_SNDMORE) < 0) {
        int error = errno;
        zmq_msg_close(&route);
        if (error == EAGAIN)
            return false;
    } else if (send_credit_send(c->held, f->router, packet) >= 0) {
        return true;
    }
    /* Its connection is gone: the monitor will say so. */
    zmq_msg_close(packet);
    zmq_msg_init(packet);
    return true;
}

/* Moves the packet away. */
static bool send_or_keep(struct front *f, struct conn *c, zmq_msg_t *packet)
{
    if (!c->blocked && give(f, c, packet))
        return true;
    if (!f->conns.first_blocked)
        f->retry_at = instant_after(clock_now(), span_us(RETRY_US));
    conns_keep(&f->conns, c, packet);
    return false;
}

static struct conn *writable_conn(const struct front *f, uint64_t conn)
{
    struct conn *c = conns_by_id(&f->conns, conn);
    return c && !c->dropped ? c : NULL;
}

bool front_forward(struct front *f, uint64_t conn, zmq_msg_t *packet)
{
    struct conn *c = writable_conn(f, conn);
    if (!c)
        return true;
    zmq_msg_t shared;
    zmq_msg_init(&shared);
    zmq_msg_copy(&shared, packet);
    bool taken = send_or_keep(f, c, &shared);
    zmq_msg_close(&shared);
    return taken;
}

bool front_write(struct front *f, uint64_t conn, struct bytes packet)
{
    struct conn *c = writable_conn(f, conn);
    zmq_msg_t message;
    if (!c || zmq_msg_init_size(&message, packet.size) != 0)
        return true;
    memcpy(zmq_msg_data(&message), packet.data, packet.size);
    bool taken = send_or_keep(f, c, &message);
    zmq_msg_close(&message);
    return taken;
}

void front_prove(struct front *f, uint64_t conn)
{
    const struct conn *c = conns_by_id(&f->conns, conn);
    if (c)
        gate_prove(f->gate, c->fd, conn);
}

void front_drop(struct front *f, uint64_t conn)
{
    struct conn *c = conns_by_id(&f->conns, conn);
    if (!c)
        return;
    c->dropped = true;
    gate_drop(f->gate, c->fd, conn, clock_now());
}

/* True once all that was kept is out. */
static bool retry(struct front *f, struct conn *c)
{
    while (c->first) {
        if (!give(f, c, &c->first->packet))
            return false;
        conn_drop_kept(c);
    }
    return true;
}

/* Takes the first of the blocked, puts it last if it still is. */
static void retry_first(struct front *f)
{
    struct conn *c = f->conns.first_blocked;
    conns_unblock(&f->conns, c);
    if (!retry(f, c))
        conns_set_blocked(&f->conns, c);
    else if (!c->dropped)
        f->owner.writable(f->owner.context, c->id);
}

static void retry_blocked(struct front *f, struct instant now)
{
    const struct conns *t = &f->conns;
    if (!t->first_blocked || !instant_reached(f->retry_at, now))
        return;
    const struct conn *last = t->last_blocked;
    for (int i = 0; i < RETRIES && t->first_blocked; i++) {
        bool was_last = t->first_blocked == last;
        retry_first(f);
        if (was_last)
            break;
    }
    f->retry_at = instant_after(now, span_us(RETRY_US));
}

/* ---- The socket ------------------------------------------------------- */

static void on_ready(void *context, int events)
{
    struct front *f = context;
    if (events & ZMQ_POLLIN)
        read_packets(f, PACKETS_A_TURN);
}

void front_freed(struct front *f, struct instant now)
{
    unread_freed(&f->unread, now);
}

void front_turn(struct front *f, struct instant now)
{
    end_closing(f);
    retry_blocked(f, now);
    gate_due(f->gate, now);
    unread_due(&f->unread, now);
}

struct instant front_deadline(const struct front *f)
{
    struct instant retry_at =
        f->conns.first_blocked ? f->retry_at : INSTANT_NEVER;
    return instant_min(retry_at, instant_min(gate_deadline(f->gate),
                                             unread_deadline(&f->unread)));
}

static void on_cut(void *context, const struct address *address,
                   const char *reason)
{
    struct front *f = context;
    f->owner.turned_away(f->owner.context, "connection_cut", address, reason);
}

struct front *front_open(struct zloop *z, void *zmq_context,
                         const struct curve_pair *keys,
                         const struct front_conf *conf,
                         const struct front_owner *owner)
{
    struct front *f = memory_new(sizeof *f);
    f->owner = *owner;
    struct unread_world world = unread_world_open();
    unread_init(&f->unread, &world, conf->memory_unread);
    f->memory_held = conf->memory_held;
    f->gate = gate_new(&conf->gate, &f->unread, on_cut, f);
    conns_init(&f->conns);
    /* Whoever they are: membership is proved by HELLO, and who does not prove
     * it in time is cut. */
    f->zap = zap_open(z, zmq_context, NULL, NULL);
    f->router = listener_open(z, zmq_context, keys, on_ready, f);
    if (!f->zap || !f->router)
        goto fail;
    f->monitor = monitor_open(z, zmq_context, f->router, on_monitor, f);
    if (!f->monitor)
        goto fail;
    return f;

fail:
    front_close(&f);
    return NULL;
}

bool front_listen(struct front *f, const char *endpoint,
                  char bound[static LISTENER_TEXT_SIZE])
{
    return listener_bind(f->router, endpoint, bound);
}

void front_reconfigure(struct front *f, const struct front_conf *conf)
{
    gate_reconfigure(f->gate, &conf->gate);
    unread_set_memory(&f->unread, conf->memory_unread);
    f->memory_held = conf->memory_held;
}

void front_close(struct front **self)
{
    struct front *f = *self;
    if (!f)
        return;
    *self = NULL;
    conns_close(&f->conns);
    monitor_close(&f->monitor);
    zsocket_close(&f->router);
    zap_close(&f->zap);
    gate_free(f->gate);
    unread_world_close(&f->unread.world);
    free(f);
}
