#include "edge/shell/udp_path.h"

#include "common/base/memory.h"
#include "common/base/source_pace.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/wire/punch.h"
#include "edge/shell/quic_links.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_AT_ONCE = 256, /* sockets that one item opens */
    STUN_HEAD = 20,
    STUN_MOST = 1280, /* bytes of a response */
    /* Datagrams for the node: in one turn, and from one network. */
    A_TURN = 64,
    FROM_ONE_BURST = 512,
    FROM_ONE_EACH_US = 2000,
    FROM_ALL_BURST = 2048,
    FROM_ALL_EACH_US = 100,
};

struct udp_path {
    struct event_queue *events;
    struct udp_endpoints endpoints;
    struct quic_links links;
    struct udp_room *room;
    size_t handed; /* datagrams for the node, in this turn */
    struct token_bucket pace;
    struct source_pace *sources;
    struct udp_path_counters counters;
    uint16_t port; /* of socket 0, as it was */
    void (*moved)(void *context);
    void *context;
    bool closed;
};

/* ---- What came in */

/* STUN's requests are for servers; an edge gets responses. */
static bool is_stun(const uint8_t *bytes, size_t size)
{
    static const uint8_t cookie[] = {0x21, 0x12, 0xa4, 0x42};

    return bytes[0] <= 0x03 && size >= STUN_HEAD && size <= STUN_MOST &&
           size == STUN_HEAD + (size_t)(bytes[2] << 8 | bytes[3]) &&
           memcmp(bytes + 4, cookie, sizeof cookie) == 0;
}

static bool is_probe(const uint8_t *bytes, size_t size)
{
    return bytes[0] >= PROBE_ASKS && bytes[0] <= PROBE_AGREES &&
           size == PROBE_SIZE;
}

static bool may_hand_on(struct udp_path *p, const struct address *from,
                        struct instant now)
{
    return p->handed < A_TURN && source_pace_takes(p->sources, from, now) &&
           token_bucket_takes(&p->pace, now, span_us(FROM_ALL_EACH_US),
                              FROM_ALL_BURST);
}

static void hand_on(struct udp_path *p, const struct udp_endpoint *at,
                    const struct address *from, struct bytes bytes)
{
    struct bytes kept = arena_copy(event_queue_arena(p->events), bytes);

    p->handed++;
    event_queue_add(
        p->events,
        &(struct node_event){
            .kind = NODE_UDP_DATAGRAM,
            .udp = {.socket = at->number, .from = *from, .bytes = kept}});
}

static void take(struct udp_path *p, const struct udp_endpoint *at,
                 const struct address *from, uint8_t *bytes, size_t size,
                 struct instant now)
{
    uint64_t *counter = &p->counters.taken;

    if (bytes[0] & 0x40) {
        if (!quic_links_take(&p->links, at, from, bytes, size, now))
            counter = &p->counters.strangers;
    } else if (!is_stun(bytes, size) && !is_probe(bytes, size)) {
        counter = &p->counters.malformed;
    } else if (p->closed || !at->named || !may_hand_on(p, from, now)) {
        counter = &p->counters.excess;
    } else {
        hand_on(p, at, from, bytes_of(bytes, size));
    }
    ++*counter;
}

static void take_burst(struct udp_path *p, const struct udp_endpoint *at,
                       const struct udp_burst *burst, struct instant now)
{
    for (size_t i = 0; i < burst->size; i += burst->segment) {
        size_t left = burst->size - i;
        take(p, at, &burst->peer, burst->bytes + i,
             left < burst->segment ? left : burst->segment, now);
    }
}

/* While packets wait for the turn, datagrams wait in the kernel. libuv calls
 * again in the next turn. */
static void on_readable(void *context, struct udp_endpoint *at,
                        struct udp_socket *s)
{
    struct udp_path *p = context;
    struct udp_burst *bursts;

    if (event_queue_full(p->events) || quic_links_are_full(&p->links))
        return;
    size_t count = udp_socket_receive(s, p->room, &bursts);
    struct instant now = clock_now();
    udp_endpoint_hold(at); /* A link that ends might close it. */
    for (size_t i = 0; i < count; i++)
        take_burst(p, at, &bursts[i], now);
    udp_endpoint_release(at);
    if (p->closed)
        quic_links_flush(&p->links);
}

static void on_writable(void *context, struct udp_endpoint *at,
                        struct udp_socket *s)
{
    struct udp_path *p = context;

    (void)at;
    quic_links_writable(&p->links, s);
}

static void on_grown(void *context, struct udp_endpoint *e)
{
    struct udp_path *p = context;

    if (e->number != 0 || udp_endpoint_port(e) == p->port)
        return;
    p->port = udp_endpoint_port(e);
    udp_path_tell(p);
    p->moved(p->context);
}

/* ---- What the node asks for */

static void tell_opened(struct udp_path *p, uint32_t socket, uint32_t count,
                        uint16_t port)
{
    event_queue_add(p->events, &(struct node_event){.kind = NODE_UDP_OPENED,
                                                    .udp = {.socket = socket,
                                                            .count = count,
                                                            .port = port}});
}

static void open_some(struct udp_path *p, uint32_t first, uint32_t wanted)
{
    struct udp_endpoint *e = NULL;
    uint32_t count = 0;
    uint16_t port = 0;

    if (wanted > MOST_AT_ONCE)
        wanted = MOST_AT_ONCE;
    for (; count < wanted; count++) {
        e = wanted == 1 ? udp_endpoint_open(&p->endpoints, first, 0)
                        : udp_endpoint_open_one(&p->endpoints, first + count);
        if (e == NULL)
            break;
        if (count == 0)
            port = udp_endpoint_port(e);
    }
    if (count < wanted &&
        event_queue_may_log(p->events, LOG_BY_MEMBERS, "udp_sockets_not_opened",
                            strerror(errno)))
        log_warn("udp_sockets_not_opened", "wanted=%u opened=%u error=\"%s\"",
                 wanted, count, strerror(errno));
    tell_opened(p, first, count > 0 ? count : wanted, port);
}

static void close_some(struct udp_path *p, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < MOST_AT_ONCE; i++) {
        struct udp_endpoint *e =
            first + i == 0 ? NULL
                           : udp_endpoints_find(&p->endpoints, first + i);
        if (e != NULL)
            udp_endpoint_forget(e);
    }
}

static void send_one(struct udp_path *p, const struct node_todo *item)
{
    struct udp_endpoint *e =
        udp_endpoints_find(&p->endpoints, item->udp.socket);
    struct udp_socket *s =
        e != NULL ? udp_endpoint_socket(e, item->udp.to.family) : NULL;

    if (s == NULL ||
        !udp_socket_send_one(s, &item->udp.to, item->udp.bytes, item->udp.ttl))
        p->counters.unsent++;
}

void udp_path_do(struct udp_path *p, const struct node_todo *item)
{
    if (item->kind == NODE_UDP_OPEN)
        open_some(p, item->udp.socket, item->udp.count);
    else if (item->kind == NODE_UDP_CLOSE)
        close_some(p, item->udp.socket, item->udp.count);
    else if (item->kind == NODE_UDP_SEND)
        send_one(p, item);
    else
        quic_links_connect(&p->links,
                           udp_endpoints_find(&p->endpoints, item->udp.socket),
                           item);
}

void udp_path_flush(struct udp_path *p)
{
    if (p == NULL)
        return;
    p->handed = 0;
    quic_links_flush(&p->links);
}

/* ---- Opening and closing */

static void path_free(struct udp_path *p)
{
    udp_room_free(&p->room);
    free(p->sources);
    free(p);
}

struct udp_path *udp_path_open(const struct udp_path_conf *conf)
{
    struct udp_path *p = memory_new(sizeof *p);
    uint8_t key[SOURCE_PACE_KEY_SIZE];
    int error;

    p->events = conf->links->events;
    p->moved = conf->moved;
    p->context = conf->context;
    udp_endpoints_init(&p->endpoints, p->events->zloop->loop,
                       &(struct udp_endpoints_owner){.context = p,
                                                     .readable = on_readable,
                                                     .writable = on_writable,
                                                     .grown = on_grown});
    p->sources = memory_try(NULL, 1, sizeof *p->sources);
    p->room = udp_room_new();
    if (p->sources == NULL || p->room == NULL) {
        errno = ENOMEM;
        goto fail;
    }
    randombytes_buf(key, sizeof key);
    source_pace_init(p->sources, span_us(FROM_ONE_EACH_US), FROM_ONE_BURST,
                     key);
    if (udp_endpoint_open(&p->endpoints, 0, conf->port) != NULL &&
        quic_links_open(&p->links, conf->links, conf->hold)) {
        p->port = udp_path_port(p);
        return p;
    }

fail:
    error = errno;
    udp_endpoints_close(&p->endpoints);
    path_free(p);
    errno = error;
    return NULL;
}

static void on_ended(void *context)
{
    path_free(context);
}

void udp_path_close(struct udp_path **self)
{
    struct udp_path *p = *self;

    if (p == NULL)
        return;
    *self = NULL;
    p->closed = true;
    quic_links_close(&p->links, on_ended, p);
    udp_endpoints_close(&p->endpoints);
}

void udp_path_tell(struct udp_path *p)
{
    tell_opened(p, 0, 1, udp_path_port(p));
}

uint16_t udp_path_port(const struct udp_path *p)
{
    return udp_endpoint_port(udp_endpoints_find(&p->endpoints, 0));
}

uint16_t udp_path_port_v4(const struct udp_path *p)
{
    const struct udp_endpoint *e = udp_endpoints_find(&p->endpoints, 0);

    return e->v4 != NULL ? udp_socket_port(e->v4) : 0;
}

const struct udp_path_counters *udp_path_counters(const struct udp_path *p)
{
    return &p->counters;
}
