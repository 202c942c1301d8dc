#include "common/io/router.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/zap.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUTE_SIZE = 5, /* libzmq's own routing ids: a zero and a counter */
    USER_SIZE = 64, /* a key in hexadecimal, see zap.h */
};

struct router_conn {
    struct carrier carrier;
    struct router *router;
    uint8_t route[ROUTE_SIZE];
    char user[USER_SIZE];
    int fd; /* libzmq's; -1 once the connection ended */
    bool ended;
    int readings; /* since it ended */
    struct router_conn *next_ended;
};

struct router {
    struct router_conf conf;
    struct router_user user;
    struct monitor *monitor;
    struct gate *gate;
    struct map
        by_route; /* struct router_conn, which the carriers' table owns */
    uint64_t last_id;
    bool full; /* libzmq has refused a packet since router_retry */
    struct router_conn *ended;
    size_t failures; /* handshakes that failed and did not disconnect yet */
    const char *failure;
};

static void rearm(const struct router *r)
{
    if (r->user.rearm != NULL)
        r->user.rearm(r->user.context);
}

static void turn_away(const struct router *r, const char *what,
                      const struct address *address, const char *reason)
{
    if (r->user.turned_away != NULL)
        r->user.turned_away(r->user.context, what, address, reason);
}

/* ---- Connections */

static struct router_conn *conn_by_id(const struct router *r, uint64_t id)
{
    const struct carrier *c = carriers_find(r->conf.carriers, id);

    return c != NULL ? c->connection : NULL;
}

/* Packets of this connection may still be in the socket. */
static void conn_ended(struct router *r, struct router_conn *conn)
{
    if (conn == NULL || conn->ended)
        return;
    conn->ended = true;
    conn->fd = -1;
    conn->next_ended = r->ended;
    r->ended = conn;
    zsocket_touch(r->conf.socket);
}

static void conn_free(struct router *r, struct router_conn *conn)
{
    if (map_get(&r->by_route, conn->route) == conn)
        map_remove(&r->by_route, conn->route);
    carrier_fini(&conn->carrier);
    free(conn);
}

bool router_is_ending(const struct router *r)
{
    return r->ended != NULL;
}

void router_tell_ends(struct router *r, bool dry)
{
    struct router_conn **at = &r->ended;

    while (*at != NULL) {
        struct router_conn *conn = *at;
        if (!dry && ++conn->readings < r->conf.readings) {
            at = &conn->next_ended;
            continue;
        }
        *at = conn->next_ended;
        carrier_ended(&conn->carrier, CARRIER_BROKEN);
        conn_free(r, conn);
    }
}

static enum carrier_sent conn_send(struct carrier *c, struct packet_ref *packet)
{
    const struct router_conn *conn = c->connection;
    struct router *r = conn->router;
    struct zsocket *socket = r->conf.socket;
    zmq_msg_t route;

    zmq_msg_init_size(&route, ROUTE_SIZE); /* Few bytes: allocates nothing. */
    memcpy(zmq_msg_data(&route), conn->route, ROUTE_SIZE);
    if (zsocket_send(socket, &route, ZMQ_SNDMORE) < 0) {
        bool full = errno == EAGAIN;
        zmq_msg_close(&route);
        r->full |= full;
        return full ? CARRIER_FULL : CARRIER_GONE;
    }
    return zsocket_send(socket, &packet->message, 0) >= 0 ? CARRIER_SENT
                                                          : CARRIER_GONE;
}

void router_retry(struct router *r)
{
    if (!r->full)
        return;
    r->full = false;
    carriers_retry(r->conf.carriers, SIZE_MAX);
}

static void conn_close(struct carrier *c)
{
    const struct router_conn *conn = c->connection;

    gate_drop(conn->router->gate, conn->fd, c->id, clock_now());
    rearm(conn->router);
}

static const struct carrier_transport transport = {
    .incoming = true, .send = conn_send, .close = conn_close};

/* Makes the carrier of a connection that sent its first packet. NULL: the
 * connection is refused, or gone. */
static struct router_conn *conn_open(struct router *r, const uint8_t *route,
                                     zmq_msg_t *packet)
{
    int fd = zmq_msg_get(packet, ZMQ_SRCFD);
    const char *user = zmq_msg_gets(packet, "User-Id");
    uint64_t id = r->last_id + r->conf.id_step;
    struct curve_key key;
    struct address address;
    uint64_t former = 0;

    /* The descriptor may have been another connection's just before. */
    monitor_drain(r->monitor);
    if (!zap_key(packet, &key) || strlen(user) != USER_SIZE)
        return NULL;
    if (r->conf.limit > 0 && r->by_route.count >= r->conf.limit) {
        turn_away(r, "links_full", &(struct address){0}, "");
        return NULL;
    }
    if (!gate_hold(r->gate, fd, id, clock_now(), &address, &former))
        return NULL; /* It is gone already. */
    conn_ended(r, conn_by_id(r, former));
    if (!r->conf.strangers)
        gate_prove(r->gate, fd, id);
    struct router_conn *conn = memory_new(sizeof *conn);
    r->last_id = id;
    conn->router = r;
    conn->fd = fd;
    memcpy(conn->route, route, ROUTE_SIZE);
    memcpy(conn->user, user, USER_SIZE);
    carrier_init(&conn->carrier, r->conf.carriers, id, &transport, conn);
    conn_ended(r, map_put(&r->by_route, conn->route, conn));
    rearm(r);
    carrier_opened(&conn->carrier, &key, &address);
    return conn;
}

/* ---- Reading */

static bool is_from(const struct router_conn *conn, zmq_msg_t *packet)
{
    const char *user = zmq_msg_gets(packet, "User-Id");

    return user != NULL && strncmp(user, conn->user, USER_SIZE) == 0;
}

static void on_packet(struct router *r, const uint8_t *route,
                      struct packet_ref *packet)
{
    struct router_conn *conn = map_get(&r->by_route, route);

    if (conn == NULL || (r->conf.strangers && !is_from(conn, &packet->message)))
        conn = conn_open(r, route, &packet->message);
    if (conn == NULL)
        return;
    gate_read(r->gate, conn->fd, packet_ref_size(packet));
    carrier_packet(&conn->carrier, packet);
}

/* Receives one message; false if the socket has none. Drops messages of several
 * frames, and those of a client that chose its own routing id. */
static bool receive(struct router *r, struct packet_ref *packet)
{
    struct zsocket *socket = r->conf.socket;
    zmq_msg_t *m = &packet->message;
    uint8_t route[ROUTE_SIZE] = {1};

    if (zsocket_recv(socket, m) < 0)
        return false;
    if (zmq_msg_size(m) == ROUTE_SIZE)
        memcpy(route, zmq_msg_data(m), ROUTE_SIZE);
    if (!zmq_msg_more(m) || zsocket_recv(socket, m) < 0)
        return true;
    if (zmq_msg_more(m))
        zsocket_skip(socket, m);
    else if (route[0] == 0)
        on_packet(r, route, packet);
    return true;
}

bool router_read(struct router *r, size_t most)
{
    struct packet_ref packet;
    bool dry = false;

    packet_ref_init(&packet);
    while (!dry && most-- > 0 &&
           (r->user.enough == NULL || !r->user.enough(r->user.context)))
        dry = !receive(r, &packet);
    packet_ref_release(&packet);
    return dry;
}

/* ---- The monitor's events */

static void on_disconnected(struct router *r, int fd)
{
    struct address address;
    uint64_t id = gate_closed(r->gate, fd, &address);

    if (id != 0) {
        conn_ended(r, conn_by_id(r, id));
    } else if (r->failures > 0) {
        r->failures--;
        turn_away(r, "handshake_failed", &address, r->failure);
    }
}

static void on_monitor(void *context, const struct monitor_event *event)
{
    struct router *r = context;

    switch (event->kind) {
    case MONITOR_LISTENING:
        gate_listening(r->gate, event->fd);
        break;
    case MONITOR_ACCEPTED:
        gate_accepted(r->gate, event->fd, clock_now());
        rearm(r);
        break;
    case MONITOR_ACCEPT_FAILED:
        gate_accept_failed(r->gate, event->error, clock_now());
        rearm(r);
        break;
    case MONITOR_HANDSHAKE_FAILED:
        /* The event names no connection. Assume the next connection that ends
         * without a carrier. */
        r->failures++;
        r->failure = event->reason;
        break;
    case MONITOR_DISCONNECTED:
        on_disconnected(r, event->fd);
        break;
    case MONITOR_CONNECTED:
    case MONITOR_CONNECT_FAILED:
    case MONITOR_HANDSHAKE_DONE:
        return;
    }
    if (r->user.heard != NULL)
        r->user.heard(r->user.context, event);
}

static void on_cut(void *context, const struct address *address,
                   const char *reason)
{
    turn_away(context, "connection_cut", address, reason);
}

struct instant router_deadline(const struct router *r)
{
    return gate_deadline(r->gate);
}

void router_due(struct router *r, struct instant now)
{
    gate_due(r->gate, now);
}

void router_prove(struct router *r, uint64_t id)
{
    const struct router_conn *conn = conn_by_id(r, id);

    if (conn != NULL)
        gate_prove(r->gate, conn->fd, id);
}

void router_reconfigure(struct router *r, const struct gate_conf *conf)
{
    gate_reconfigure(r->gate, conf);
}

struct router *router_open(const struct router_conf *conf,
                           const struct router_user *user)
{
    struct router *r = memory_new(sizeof *r);
    uint8_t hash_key[16];

    r->conf = *conf;
    r->user = *user;
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&r->by_route, ROUTE_SIZE, hash_key);
    r->gate = gate_new(&conf->gate, conf->unread, on_cut, r);
    r->monitor = monitor_open(conf->zloop, conf->zmq_context, conf->socket,
                              on_monitor, r);
    if (r->monitor == NULL) {
        int error = errno;
        router_close(&r);
        errno = error;
    }
    return r;
}

void router_close(struct router **self)
{
    struct router *r = *self;
    size_t cursor = 0;
    struct router_conn *conn;

    if (r == NULL)
        return;
    *self = NULL;
    while ((conn = map_next(&r->by_route, &cursor)) != NULL)
        conn_ended(r, conn);
    while ((conn = r->ended) != NULL) {
        r->ended = conn->next_ended;
        conn_free(r, conn);
    }
    map_close(&r->by_route);
    monitor_close(&r->monitor);
    gate_free(r->gate);
    free(r);
}
