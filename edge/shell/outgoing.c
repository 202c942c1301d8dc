#include "edge/shell/outgoing.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/monitor.h"
#include "edge/shell/link_socket.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECT_MS = 2000,
    /* libzmq must not reconnect by itself. With -1 it would drop packets that
     * it received and that were not read when the connection ended. */
    RECONNECT_MS = 24 * 60 * 60 * 1000,
    SWEEP_MS = 1000,
    /* An attempt of which the monitor reports nothing. */
    ATTEMPT_SWEEPS = 6,
    /* A handshake that is not done by then. The node gives the link up a little
     * later and could not tell why. */
    STALLED_SWEEPS = 4,
    /* How many nodes are dialled at a time. A node that does not even accept
     * the connection counts for OPENING_MS. If fifty nodes dialled fifty at
     * once, the handshakes would starve each other and the beacons until they
     * time out. */
    OPENING_LIMIT = 2,
    OPENING_MS = 200,
};

/* A link that this node opened, or tries to. */
struct dialled {
    struct carrier carrier;
    struct outgoing *out;
    struct curve_pair keys;
    struct curve_key server;
    struct address address;
    struct zsocket *socket;
    struct monitor *monitor;
    struct unread_conn unread;
    bool connected; /* by TCP */
    bool counted;   /* in `opening` of the outgoing, */
    uint64_t since; /* from then on */
    int sweeps;
    bool waiting; /* for others to open first */
};

struct outgoing {
    struct link_table *links;
    struct event_queue *events;
    void *zmq_context;
    struct receive_limits *limits;
    uv_timer_t sweep;
    uv_timer_t pace; /* runs while links wait */
    int open_timers;
    size_t opening;
    size_t waiting;
};

static const struct carrier_transport transport;

static void open_link(struct dialled *d);
static void on_pace(uv_timer_t *timer);

static uint32_t id_of(const struct dialled *d)
{
    return (uint32_t)d->carrier.id;
}

static void close_socket(struct dialled *d)
{
    unread_remove(&d->out->limits->unread, &d->unread);
    monitor_close(&d->monitor);
    zsocket_close(&d->socket);
}

/* The next of all; the one returned last may be freed meanwhile. */
static struct dialled *dialled_next(const struct outgoing *out, size_t *cursor)
{
    const struct carrier *c;

    while ((c = map_next(&out->links->carriers.by_id, cursor)) != NULL)
        if (c->transport == &transport)
            return c->connection;
    return NULL;
}

/* ---- Waiting for others to open first */

static void wait_end(struct dialled *d)
{
    if (d->waiting)
        d->out->waiting--;
    d->waiting = false;
}

/* The one that waits for the longest: the node's ids ascend. */
static struct dialled *first_waiting(const struct outgoing *out)
{
    size_t cursor = 0;
    struct dialled *first = NULL, *d;

    while ((d = dialled_next(out, &cursor)) != NULL)
        if (d->waiting && (first == NULL || id_of(d) < id_of(first)))
            first = d;
    return first;
}

static void opening_begin(struct dialled *d)
{
    d->counted = true;
    d->since = uv_now(d->out->pace.loop);
    d->out->opening++;
}

static void opening_end(struct dialled *d)
{
    if (d->counted)
        d->out->opening--;
    d->counted = false;
}

static void open_waiting(struct outgoing *out)
{
    while (out->opening < OPENING_LIMIT && out->waiting > 0) {
        struct dialled *d = first_waiting(out);
        ASSERT(d != NULL); /* As `waiting` counts them. */
        wait_end(d);
        opening_begin(d);
        open_link(d);
    }
    if (out->waiting == 0)
        uv_timer_stop(&out->pace);
    else if (!uv_is_active((uv_handle_t *)&out->pace))
        uv_timer_start(&out->pace, on_pace, OPENING_MS, OPENING_MS / 4);
}

/* ---- The carrier's transport */

static enum carrier_sent dialled_send(struct carrier *c,
                                      struct packet_ref *packet)
{
    const struct dialled *d = c->connection;

    if (zsocket_send(d->socket, &packet->message, 0) >= 0)
        return CARRIER_SENT;
    if (errno != EAGAIN)
        return CARRIER_GONE;
    zsocket_want_write(d->socket, true);
    return CARRIER_FULL;
}

static void dialled_free(struct dialled *d)
{
    wait_end(d);
    opening_end(d);
    close_socket(d);
    carrier_fini(&d->carrier);
    sodium_memzero(&d->keys, sizeof d->keys);
    free(d);
}

static void dialled_close(struct carrier *c)
{
    struct dialled *d = c->connection;
    struct outgoing *out = d->out;

    log_debug("link_dropped", "link=%u open=%d", id_of(d), c->open);
    dialled_free(d);
    open_waiting(out);
}

static const struct carrier_transport transport = {.send = dialled_send,
                                                   .close = dialled_close};

static void dialled_ended(struct dialled *d, enum carrier_end why)
{
    carrier_ended(&d->carrier, why);
    dialled_free(d);
}

/* ---- Reading */

static bool receive(struct dialled *d, struct packet_ref *packet)
{
    if (zsocket_recv(d->socket, &packet->message) < 0)
        return false;
    if (zmq_msg_more(&packet->message)) {
        zsocket_skip(d->socket, &packet->message); /* A packet is one frame. */
    } else if (d->carrier.open) {
        unread_took(&d->unread, packet_ref_size(packet));
        carrier_packet(&d->carrier, packet);
    }
    return true;
}

static void receive_some(struct dialled *d)
{
    struct packet_ref packet;

    packet_ref_init(&packet);
    while (!event_queue_full(d->out->events) && receive(d, &packet) &&
           !zsocket_seems_dry(d->socket))
        ;
    packet_ref_release(&packet);
}

/* The socket is not read again, so this may overfill the turn. */
static void receive_last(struct dialled *d)
{
    struct packet_ref packet;

    packet_ref_init(&packet);
    while (!event_queue_overfull(d->out->events) && receive(d, &packet))
        ;
    packet_ref_release(&packet);
}

static void on_ready(void *context, int events)
{
    struct dialled *d = context;

    if (events & ZMQ_POLLOUT) {
        zsocket_want_write(d->socket, false);
        carrier_retry(&d->carrier);
    }
    if (events & ZMQ_POLLIN)
        receive_some(d);
}

/* ---- The monitor's events */

static void on_handshake_done(struct dialled *d)
{
    log_debug("link_opened", "link=%u", id_of(d));
    d->unread.limit = LINK_UNREAD;
    opening_end(d);
    carrier_opened(&d->carrier, &d->server, &d->address);
}

static void on_disconnected(struct dialled *d)
{
    if (d->carrier.open)
        receive_last(d);
    dialled_ended(d, d->carrier.open ? CARRIER_BROKEN : CARRIER_HANDSHAKE);
}

static void on_cut(void *owner, const char *reason)
{
    struct dialled *d = owner;
    const struct address *to = &d->address;
    char text[ADDRESS_TEXT_SIZE];

    if (log_limit_passes(&d->out->events->log, clock_now(), LOG_BY_MEMBERS,
                         "connection_cut", reason,
                         bytes_of(to->ip, sizeof to->ip)))
        log_warn("connection_cut", "reason=%s address=%s", reason,
                 address_format(to, text));
    dialled_ended(d, d->carrier.open ? CARRIER_BROKEN : CARRIER_HANDSHAKE);
}

static void on_connected(struct dialled *d, int fd)
{
    d->connected = true;
    link_limit_unsent(fd);
    d->unread = (struct unread_conn){.cut = on_cut, .owner = d};
    unread_add(&d->out->limits->unread, &d->unread, fd, LINK_UNREAD_STRANGER,
               clock_now());
    receive_limits_arm(d->out->limits);
}

static void on_monitor(void *context, const struct monitor_event *event)
{
    struct dialled *d = context;
    struct outgoing *out = d->out; /* The link may be gone below. */

    switch (event->kind) {
    case MONITOR_HANDSHAKE_DONE:
        on_handshake_done(d);
        break;
    case MONITOR_CONNECT_FAILED:
        dialled_ended(d, CARRIER_UNREACHABLE);
        break;
    case MONITOR_HANDSHAKE_FAILED:
        log_debug("handshake_failed", "link=%u reason=%s error=%d", id_of(d),
                  event->reason, event->error);
        dialled_ended(d, CARRIER_HANDSHAKE);
        break;
    case MONITOR_DISCONNECTED:
        on_disconnected(d);
        break;
    case MONITOR_CONNECTED:
        on_connected(d, event->fd);
        break;
    case MONITOR_LISTENING:
    case MONITOR_ACCEPTED:
    case MONITOR_ACCEPT_FAILED:
        break;
    }
    open_waiting(out);
}

/* ---- Opening */

static bool open_socket(struct dialled *d)
{
    struct outgoing *out = d->out;
    char endpoint[ADDRESS_TEXT_SIZE + 16];
    char text[ADDRESS_TEXT_SIZE];

    snprintf(endpoint, sizeof endpoint, "tcp://%s",
             address_format(&d->address, text));
    log_debug("link_opening", "link=%u to=%s", id_of(d), text);
    d->socket = zsocket_open(out->events->zloop, out->zmq_context, ZMQ_DEALER,
                             on_ready, d);
    if (d->socket == NULL || !link_socket_setup(d->socket) ||
        !link_socket_join(d->socket, &d->keys, &d->server) ||
        !zsocket_set(d->socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) ||
        !zsocket_set(d->socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS))
        return false;
    d->monitor = monitor_open(out->events->zloop, out->zmq_context, d->socket,
                              on_monitor, d);
    return d->monitor != NULL &&
           zmq_connect(zsocket_raw(d->socket), endpoint) == 0;
}

static void open_link(struct dialled *d)
{
    if (open_socket(d))
        return;
    const char *error = zmq_strerror(errno);
    if (event_queue_may_log(d->out->events, LOG_BY_MEMBERS, "link_not_opened",
                            error))
        log_warn("link_not_opened", "link=%u error=\"%s\"", id_of(d), error);
    dialled_ended(d, CARRIER_UNREACHABLE);
}

static struct dialled *dialled_new(struct outgoing *out, uint32_t id,
                                   const struct curve_pair *keys,
                                   const struct curve_key *server)
{
    struct dialled *d = memory_new(sizeof *d);

    d->out = out;
    d->keys = *keys;
    d->server = *server;
    carrier_init(&d->carrier, &out->links->carriers, id, &transport, d);
    return d;
}

void outgoing_connect(struct outgoing *out, uint32_t id,
                      const struct curve_pair *keys,
                      const struct curve_key *server,
                      const struct address *address)
{
    struct dialled *d = dialled_new(out, id, keys, server);

    d->address = *address;
    d->waiting = true;
    out->waiting++;
    open_waiting(out);
}

/* ---- Time */

static void on_pace(uv_timer_t *timer)
{
    struct outgoing *out = timer->data;
    uint64_t now = uv_now(timer->loop);
    size_t cursor = 0;
    struct dialled *d;

    while ((d = dialled_next(out, &cursor)) != NULL)
        if (d->counted && !d->connected && now - d->since >= OPENING_MS)
            opening_end(d);
    open_waiting(out);
}

static void sweep(struct dialled *d)
{
    d->sweeps++;
    if (d->sweeps >= STALLED_SWEEPS && d->connected)
        dialled_ended(d, CARRIER_HANDSHAKE);
    else if (d->sweeps >= ATTEMPT_SWEEPS)
        dialled_ended(d, CARRIER_UNREACHABLE);
}

static void on_sweep(uv_timer_t *timer)
{
    struct outgoing *out = timer->data;
    size_t cursor = 0;
    struct dialled *d;

    while ((d = dialled_next(out, &cursor)) != NULL)
        if (!d->carrier.open && !d->waiting)
            sweep(d);
    open_waiting(out);
}

/* ---- All of them */

struct outgoing *outgoing_open(struct link_table *links, void *zmq_context,
                               struct receive_limits *limits)
{
    struct outgoing *out = memory_new(sizeof *out);
    uv_loop_t *loop = links->events->zloop->loop;

    out->links = links;
    out->events = links->events;
    out->zmq_context = zmq_context;
    out->limits = limits;
    uv_timer_init(loop, &out->sweep);
    uv_timer_init(loop, &out->pace);
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
    struct dialled *d;

    if (out == NULL)
        return;
    *self = NULL;
    while ((d = dialled_next(out, &cursor)) != NULL)
        dialled_free(d);
    uv_close((uv_handle_t *)&out->sweep, on_closed);
    uv_close((uv_handle_t *)&out->pace, on_closed);
}
