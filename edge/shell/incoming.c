#include "edge/shell/incoming.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/router.h"
#include "edge/shell/link_socket.h"
#include "edge/shell/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* The end of a link is told after this number of turns, if other links keep
     * the socket from ever being dry. */
    ENDING_TURNS = 16,
    /* Between the drop of a link and the cut: the last packet leaves. */
    DROPPED_MS = 1000,
    /* Per second. A handshake costs 0.4 ms at its beginning, and four times
     * that in all. */
    HANDSHAKES = 256,
    BACKLOG = 128,
    /* Bytes that pass most tunnels, and bytes that pass all. */
    SEGMENT_SMALL = 1200,
    SEGMENT_SMALLEST = 536,
};

struct incoming {
    struct event_queue *events;
    struct zsocket *socket;
    struct router *router;
    struct receive_limits *limits;
    size_t limit;
    struct listener listener;
    int spare;      /* a descriptor to close when none is left; or -1 */
    int *listening; /* libzmq's descriptors; libzmq may have closed some */
    size_t listening_count;
    int segment; /* bytes; 0: the system's choice */
};

/* ---- Smaller segments */

/* An accepted connection inherits the size, and announces it to the other
 * end. */
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
            return; /* A socket that libzmq closed had this number. */
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

/* ---- The spare descriptor */

static void keep_spare(struct incoming *in)
{
    if (in->spare < 0)
        in->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* libzmq's thread retries accept without end. With one more descriptor the
 * accept succeeds, and the gate can cut the connection. */
static void give_spare(struct incoming *in)
{
    if (in->spare >= 0)
        close(in->spare);
    in->spare = -1;
}

/* ---- What the router tells */

static void on_rearm(void *context)
{
    const struct incoming *in = context;

    receive_limits_arm(in->limits);
}

static bool is_enough(void *context)
{
    const struct incoming *in = context;

    /* While links end, only libzmq's own answer says that the socket is dry. */
    return event_queue_full(in->events) ||
           (!router_is_ending(in->router) && zsocket_seems_dry(in->socket));
}

static void on_heard(void *context, const struct monitor_event *event)
{
    struct incoming *in = context;

    if (event->kind == MONITOR_LISTENING)
        note_listening(in, event->fd);
    if (event->kind == MONITOR_ACCEPTED || event->kind == MONITOR_DISCONNECTED)
        keep_spare(in);
    if (event->kind != MONITOR_ACCEPT_FAILED)
        return;
    if (event_queue_may_log(in->events, LOG_BY_STRANGERS, "accept_failed",
                            strerror(event->error)))
        log_error("accept_failed", "error=\"%s\"", strerror(event->error));
    give_spare(in);
}

static void on_cut(struct incoming *in, const struct address *address,
                   const char *reason)
{
    char text[ADDRESS_TEXT_SIZE];

    if (log_limit_passes(&in->events->log, clock_now(), LOG_BY_STRANGERS,
                         "connection_cut", reason,
                         bytes_of(address->ip, sizeof address->ip)))
        log_warn("connection_cut", "reason=%s address=%s", reason,
                 address_format(address, text));
}

static void on_turned_away(void *context, const char *what,
                           const struct address *address, const char *reason)
{
    struct incoming *in = context;

    if (strcmp(what, "connection_cut") == 0)
        on_cut(in, address, reason);
    else if (strcmp(what, "links_full") != 0)
        log_debug(what, "reason=%s", reason);
    else if (event_queue_may_log(in->events, LOG_BY_MEMBERS, "links_full", ""))
        log_warn("links_full", "limit=%zu", in->limit);
}

/* ---- The socket */

static void on_ready(void *context, int events)
{
    struct incoming *in = context;

    (void)events; /* It does not tell that some client is writable again. */
    router_retry(in->router);
    if (event_queue_full(in->events))
        return;
    bool dry = router_read(in->router, SIZE_MAX);
    if (router_is_ending(in->router)) {
        router_tell_ends(in->router, dry);
        zsocket_touch(in->socket);
    }
}

/* libzmq's thread accepts this number before the gate can cut one. */
static int backlog(const struct incoming_conf *conf)
{
    return conf->sockets < BACKLOG ? (int)conf->sockets : BACKLOG;
}

static bool open_socket(struct incoming *in, const struct incoming_conf *conf)
{
    in->socket = zsocket_open(in->events->zloop, conf->zmq_context, ZMQ_ROUTER,
                              on_ready, in);
    return in->socket != NULL && link_socket_setup(in->socket) &&
           link_socket_serve(in->socket, conf->keys) &&
           zsocket_set(in->socket, ZMQ_BACKLOG, backlog(conf)) &&
           zsocket_set(in->socket, ZMQ_ROUTER_MANDATORY, 1);
}

static bool open_router(struct incoming *in, const struct incoming_conf *conf)
{
    struct router_conf router = {
        .socket = in->socket,
        .zloop = in->events->zloop,
        .zmq_context = conf->zmq_context,
        .carriers = &conf->links->carriers,
        .gate = {.sockets = conf->sockets,
                 .strangers = conf->strangers,
                 .per_address = (conf->sockets + 1) / 2,
                 .handshakes = HANDSHAKES,
                 .hello = conf->hello,
                 .drop = span_ms(DROPPED_MS),
                 .unsent = LINK_UNSENT,
                 .unread_stranger = LINK_UNREAD_STRANGER,
                 .unread = LINK_UNREAD},
        .unread = &conf->limits->unread,
        .id_step = 2,
        .limit = conf->limit,
        .readings = ENDING_TURNS,
    };

    in->router = router_open(
        &router, &(struct router_user){.context = in,
                                       .enough = is_enough,
                                       .heard = on_heard,
                                       .rearm = on_rearm,
                                       .turned_away = on_turned_away});
    in->limits->router = in->router;
    return in->router != NULL;
}

struct incoming *incoming_open(const struct incoming_conf *conf)
{
    struct incoming *in = memory_new(sizeof *in);

    in->spare = -1;
    keep_spare(in);
    in->events = conf->links->events;
    in->limits = conf->limits;
    in->limit = conf->limit;
    if (!open_socket(in, conf) || !open_router(in, conf)) {
        int error = errno;
        incoming_close(&in);
        errno = error;
    }
    return in;
}

void incoming_close(struct incoming **self)
{
    struct incoming *in = *self;

    if (in == NULL)
        return;
    *self = NULL;
    in->limits->router = NULL;
    router_close(&in->router);
    zsocket_close(&in->socket);
    give_spare(in);
    listener_close(&in->listener);
    free(in->listening);
    free(in);
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
