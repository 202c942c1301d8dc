#include "edge/shell/incoming.h"

#include "common/base/map.h"
#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/gate.h"
#include "common/io/send_credit.h"
#include "common/io/log.h"
#include "common/io/monitor.h"
#include "common/io/sockaddr.h"
#include "common/io/zap.h"
#include "edge/shell/send_queue.h"
#include "edge/shell/link_socket.h"
#include "edge/shell/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROUTING_ID_SIZE = 5, /* the automatic ones: 0 and a number of 4 bytes */
    /* Turns in which an ended link's last packets are awaited while others
     * keep the socket from ever being dry. */
    ENDING_TURNS = 16,
    /* From its being forgotten to its end: what it was told gets out. */
    FORGOTTEN_MS = 1000,
    /* A second: one costs 0.4 ms when it is only begun, and four times that to
     * its end. */
    HANDSHAKES = 256,
    BACKLOG = 128,
    /* What passes most tunnels, and what passes all. */
    SEGMENT_SMALL = 1200,
    SEGMENT_SMALLEST = 536,
};

struct link {
    uint32_t id;
    uint8_t routing_id[ROUTING_ID_SIZE];
    int fd; /* libzmq's; -1 once it ended */
    bool forgotten;
    bool ended; /* to be told when the socket is dry, or */
    int turns;  /* this often was not */
    struct send_credit *held;
    struct send_queue backlog;
};

struct incoming {
    struct turn *turn;
    struct zsocket *socket;
    struct monitor *monitor;
    struct bell *bell;
    struct intake *intake;
    struct gate *gate;
    int spare; /* a descriptor, given away so that the next can be cut; or -1 */
    uv_timer_t due; /* the gate's deadline, */
    struct instant due_at;
    struct listener listener;
    int *listening; /* libzmq's descriptors; may be closed meanwhile */
    size_t listening_count;
    int segment; /* bytes; 0: as the system does it */
    size_t limit;
    uint32_t last_id;
    struct map by_routing_id; /* struct link, the owner */
    struct map by_id;
    size_t ending;  /* links that ended and are to be told */
    size_t blocked; /* links with a backlog */
};

static void on_due(uv_timer_t *timer);

/* To be called when the gate's deadline may have come nearer. */
static void arm(struct incoming *in)
{
    struct instant at = gate_deadline(in->gate);

    intake_arm(in->intake);
    if (at.us == in->due_at.us)
        return;
    in->due_at = at;
    int64_t us = instant_between(clock_now(), at).us;
    uv_update_time(in->due.loop);
    uv_timer_start(&in->due, on_due, us > 0 ? (uint64_t)us / 1000 + 1 : 0, 0);
}

static void on_due(uv_timer_t *timer)
{
    struct incoming *in = timer->data;

    in->due_at = INSTANT_NEVER;
    gate_due(in->gate, clock_now());
    arm(in);
}

/* ---- The table of links */

static struct link *link_new(struct incoming *in, const uint8_t *routing_id,
                             int fd)
{
    struct link *l = memory_new(sizeof *l);

    in->last_id += 2;
    l->id = in->last_id;
    memcpy(l->routing_id, routing_id, ROUTING_ID_SIZE);
    l->fd = fd;
    l->held = send_credit_new(LINK_HELD_BYTES, in->bell);
    map_put(&in->by_routing_id, l->routing_id, l);
    map_put(&in->by_id, &l->id, l);
    return l;
}

static void link_free(struct incoming *in, struct link *l)
{
    map_remove(&in->by_routing_id, l->routing_id);
    map_remove(&in->by_id, &l->id);
    if (l->ended)
        in->ending--;
    if (!send_queue_is_empty(&l->backlog))
        in->blocked--;
    send_queue_close(&l->backlog);
    send_credit_release(&l->held);
    free(l);
}

/* Its connection is gone; what it had sent may still be in the socket. */
static void link_ended(struct incoming *in, uint64_t conn)
{
    uint32_t id = (uint32_t)conn;
    struct link *l = map_get(&in->by_id, &id);

    if (l == NULL || l->ended)
        return;
    l->fd = -1;
    l->ended = true;
    in->ending++;
    zsocket_touch(in->socket);
}

/* Tells the ends of links whose packets were all handed on. */
static void tell_ended(struct incoming *in, bool dry)
{
    size_t cursor = 0;
    struct link *l;

    while (in->ending > 0 &&
           (l = map_next(&in->by_routing_id, &cursor)) != NULL) {
        if (!l->ended || (!dry && ++l->turns < ENDING_TURNS))
            continue;
        if (!l->forgotten)
            turn_closed(in->turn, l->id, LINK_BROKEN);
        link_free(in, l);
    }
}

static void on_cut(void *context, const struct address *address,
                   const char *reason)
{
    struct incoming *in = context;
    char text[ADDRESS_TEXT_SIZE];

    if (log_limit_passes(&in->turn->log, clock_now(), LOG_BY_STRANGERS,
                         "connection_cut", reason,
                         bytes_of(address->ip, sizeof address->ip)))
        log_warn("connection_cut", "reason=%s address=%s", reason,
                 address_format(address, text));
}

/* A connection that is accepted takes it over, and tells it the other end. */
static void limit_segments(const struct incoming *in, int fd)
{
    int listens = 0;
    socklen_t size = sizeof listens;

    if (in->segment > 0 &&
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
        listens)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &in->segment,
                         sizeof in->segment);
}

static void note_listening(struct incoming *in, int fd)
{
    limit_segments(in, fd);
    for (size_t i = 0; i < in->listening_count; i++)
        if (in->listening[i] == fd)
            return; /* Another one had its number. */
    in->listening = memory_resize(in->listening, in->listening_count + 1,
                                  sizeof *in->listening);
    in->listening[in->listening_count++] = fd;
}

int incoming_smaller_segments(struct incoming *in)
{
    in->segment = in->segment == 0 ? SEGMENT_SMALL : SEGMENT_SMALLEST;
    for (size_t i = 0; i < in->listening_count; i++)
        limit_segments(in, in->listening[i]);
    return in->segment;
}

static void keep_spare(struct incoming *in)
{
    if (in->spare < 0)
        in->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* libzmq's thread tries to accept until it can. With one descriptor more it
 * does, and the gate sees who came. */
static void give_spare(struct incoming *in)
{
    if (in->spare >= 0)
        close(in->spare);
    in->spare = -1;
}

static void on_monitor(void *context, const struct monitor_event *event)
{
    struct incoming *in = context;
    struct address address;

    switch (event->kind) {
    case MONITOR_LISTENING:
        gate_listening(in->gate, event->fd);
        note_listening(in, event->fd);
        return;
    case MONITOR_ACCEPTED:
        gate_accepted(in->gate, event->fd, clock_now());
        keep_spare(in);
        arm(in);
        return;
    case MONITOR_ACCEPT_FAILED:
        if (turn_may_log(in->turn, LOG_BY_STRANGERS, "accept_failed",
                         strerror(event->error)))
            log_error("accept_failed", "error=\"%s\"", strerror(event->error));
        gate_accept_failed(in->gate, event->error, clock_now());
        give_spare(in);
        arm(in);
        return;
    case MONITOR_HANDSHAKE_FAILED:
        log_debug("handshake_failed", "reason=%s", event->reason);
        return;
    case MONITOR_DISCONNECTED:
        link_ended(in, gate_closed(in->gate, event->fd, &address));
        keep_spare(in);
        return;
    case MONITOR_CONNECTED:
    case MONITOR_CONNECT_FAILED:
    case MONITOR_HANDSHAKE_DONE:
        return;
    }
}

/* ---- Reading */

/* The link that this first packet opens; NULL if it may not. */
static struct link *open_link(struct incoming *in, const uint8_t *routing_id,
                              zmq_msg_t *m)
{
    int fd = zmq_msg_get(m, ZMQ_SRCFD);
    struct curve_key key;
    struct address address;
    uint64_t former;

    /* The descriptor may have been another connection's just before. */
    monitor_drain(in->monitor);
    if (!zap_key(m, &key))
        return NULL;
    if (in->by_id.count >= in->limit) {
        if (turn_may_log(in->turn, LOG_BY_MEMBERS, "links_full", ""))
            log_warn("links_full", "limit=%zu", in->limit);
        return NULL;
    }
    if (!gate_hold(in->gate, fd, in->last_id + 2, clock_now(), &address,
                   &former))
        return NULL; /* It is gone already. */
    link_ended(in, former);
    /* Who knows the link key was told it as a member. */
    gate_prove(in->gate, fd, in->last_id + 2);
    struct link *l = link_new(in, routing_id, fd);
    arm(in);
    turn_add(in->turn, &(struct node_event){.kind = NODE_LINK_OPENED,
                                            .link = {.id = l->id,
                                                     .incoming = true,
                                                     .key = key,
                                                     .address = address}});
    return l;
}

static void on_packet(struct incoming *in, const uint8_t *routing_id,
                      zmq_msg_t *m)
{
    struct link *l = map_get(&in->by_routing_id, routing_id);

    if (l == NULL)
        l = open_link(in, routing_id, m);
    if (l == NULL)
        return;
    gate_read(in->gate, l->fd, zmq_msg_size(m));
    if (!l->forgotten)
        turn_packet(in->turn, l->id, m);
}

/* False when nothing waits. What is not one frame, or comes under a routing id
 * that its sender chose, is no packet of ours. */
static bool receive(struct incoming *in, zmq_msg_t *m)
{
    uint8_t routing_id[ROUTING_ID_SIZE];

    if (zsocket_recv(in->socket, m) < 0)
        return false;
    bool good = zmq_msg_size(m) == ROUTING_ID_SIZE;
    if (good)
        memcpy(routing_id, zmq_msg_data(m), ROUTING_ID_SIZE);
    if (!zmq_msg_more(m) || zsocket_recv(in->socket, m) < 0)
        return true;
    if (zmq_msg_more(m))
        link_skip(in->socket, m);
    else if (good)
        on_packet(in, routing_id, m);
    return true;
}

/* True if it is dry. While links end that is asked for, not guessed. */
static bool receive_all(struct incoming *in)
{
    zmq_msg_t m;
    bool dry = false, enough = false;

    zmq_msg_init(&m);
    while (!dry && !enough && !turn_full(in->turn)) {
        dry = !receive(in, &m);
        enough = in->ending == 0 && zsocket_seems_dry(in->socket);
    }
    zmq_msg_close(&m);
    return dry;
}

/* ---- Writing */

enum sending { SENT, SENDING_FULL, SENDING_NOWHERE };

static enum sending try_send(struct incoming *in, struct link *l, zmq_msg_t *m)
{
    zmq_msg_t to;

    if (!send_credit_has_room(l->held))
        return SENDING_FULL;
    link_message(&to, bytes_of(l->routing_id, ROUTING_ID_SIZE), NULL);
    if (zsocket_send(in->socket, &to, ZMQ_SNDMORE) < 0) {
        int error = errno;
        zmq_msg_close(&to);
        return error == EAGAIN ? SENDING_FULL : SENDING_NOWHERE;
    }
    return send_credit_send(l->held, in->socket, m) >= 0 ? SENT
                                                         : SENDING_NOWHERE;
}

static void write_backlog(struct incoming *in, struct link *l)
{
    while (!send_queue_is_empty(&l->backlog)) {
        if (try_send(in, l, send_queue_first(&l->backlog)) == SENDING_FULL)
            return;
        send_queue_drop(&l->backlog);
    }
    in->blocked--;
    turn_link(in->turn, NODE_LINK_WRITABLE, l->id);
}

void incoming_write_on(struct incoming *in)
{
    size_t cursor = 0;
    struct link *l;

    while (in->blocked > 0 &&
           (l = map_next(&in->by_routing_id, &cursor)) != NULL)
        if (!send_queue_is_empty(&l->backlog))
            write_backlog(in, l);
}

static void queue(struct incoming *in, struct link *l, zmq_msg_t *m)
{
    bool first = send_queue_is_empty(&l->backlog);

    if (!send_queue_add(&l->backlog, m)) {
        if (turn_may_log(in->turn, LOG_BY_MEMBERS, "link_overfull", NULL))
            log_warn("link_overfull", "link=%u", l->id);
        turn_closed(in->turn, l->id, LINK_BROKEN);
        incoming_forget(in, l->id);
        return;
    }
    if (first) {
        in->blocked++;
        turn_link(in->turn, NODE_LINK_BLOCKED, l->id);
    }
}

void incoming_write(struct incoming *in, uint32_t id, struct bytes bytes,
                    struct block *block)
{
    struct link *l = map_get(&in->by_id, &id);
    zmq_msg_t m;

    if (l == NULL || l->forgotten)
        return;
    link_message(&m, bytes, block);
    if (!send_queue_is_empty(&l->backlog) ||
        try_send(in, l, &m) == SENDING_FULL)
        queue(in, l, &m);
    zmq_msg_close(&m);
}

/* ---- Forgetting */

void incoming_forget(struct incoming *in, uint32_t id)
{
    struct link *l = map_get(&in->by_id, &id);

    if (l == NULL || l->forgotten)
        return;
    l->forgotten = true;
    gate_drop(in->gate, l->fd, id, clock_now());
    arm(in);
}

/* ---- The socket */

static void on_ready(void *context, int events)
{
    struct incoming *in = context;

    (void)events; /* That a client can be written again is no event. */
    incoming_write_on(in);
    if (turn_full(in->turn))
        return;
    bool dry = receive_all(in);
    if (in->ending > 0) {
        tell_ended(in, dry);
        zsocket_touch(in->socket);
    }
}

/* As many are accepted at once, before the gate can cut one. */
static int backlog(const struct incoming_conf *conf)
{
    return conf->sockets < BACKLOG ? (int)conf->sockets : BACKLOG;
}

static bool open_socket(struct incoming *in, const struct incoming_conf *conf)
{
    in->socket = zsocket_open(in->turn->zloop, conf->zmq_context, ZMQ_ROUTER,
                              on_ready, in);
    if (in->socket == NULL || !link_socket_setup(in->socket) ||
        !link_socket_serve(in->socket, conf->keys) ||
        !zsocket_set(in->socket, ZMQ_BACKLOG, backlog(conf)) ||
        !zsocket_set(in->socket, ZMQ_ROUTER_MANDATORY, 1))
        return false;
    in->monitor = monitor_open(in->turn->zloop, conf->zmq_context, in->socket,
                               on_monitor, in);
    return in->monitor != NULL;
}

struct incoming *incoming_open(struct turn *turn,
                               const struct incoming_conf *conf)
{
    struct incoming *in = memory_new(sizeof *in);
    uint8_t hash_key[16];
    struct gate_conf gate = {.sockets = conf->sockets,
                             .strangers = conf->strangers,
                             .per_address = (conf->sockets + 1) / 2,
                             .handshakes = HANDSHAKES,
                             .hello = conf->hello,
                             .drop = span_ms(FORGOTTEN_MS),
                             .unsent = LINK_UNSENT,
                             .unread_stranger = LINK_UNREAD_STRANGER,
                             .unread = LINK_UNREAD};

    in->spare = -1;
    keep_spare(in);
    in->turn = turn;
    in->limit = conf->limit;
    in->bell = conf->bell;
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&in->by_routing_id, ROUTING_ID_SIZE, hash_key);
    map_init(&in->by_id, sizeof(uint32_t), hash_key);
    uv_timer_init(turn->zloop->loop, &in->due);
    in->due.data = in;
    in->due_at = INSTANT_NEVER;
    in->intake = conf->intake;
    in->gate = gate_new(&gate, &conf->intake->unread, on_cut, in);
    if (!open_socket(in, conf)) {
        int error = errno;
        incoming_close(&in);
        errno = error;
    }
    return in;
}

static void on_closed(uv_handle_t *due)
{
    struct incoming *in = due->data;

    free(in);
}

void incoming_close(struct incoming **self)
{
    struct incoming *in = *self;
    size_t cursor = 0;
    struct link *l;

    if (in == NULL)
        return;
    *self = NULL;
    while ((l = map_next(&in->by_routing_id, &cursor)) != NULL)
        link_free(in, l);
    monitor_close(&in->monitor);
    zsocket_close(&in->socket);
    map_close(&in->by_routing_id);
    map_close(&in->by_id);
    gate_free(in->gate);
    give_spare(in);
    listener_close(&in->listener);
    free(in->listening);
    uv_close((uv_handle_t *)&in->due, on_closed);
}

bool incoming_listen(struct incoming *in, uint16_t port,
                     const struct interfaces *where)
{
    bool good =
        listener_listen(&in->listener, zsocket_raw(in->socket), port, where);

    zsocket_touch(in->socket);
    return good;
}

uint16_t incoming_port(const struct incoming *in)
{
    return in->listener.port;
}
