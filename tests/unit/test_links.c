/* Links over loopback: an outgoing end, an incoming end, one turn for each. */
#include "tests/unit/patience.h"

#include "common/io/log.h"
#include "common/io/sockaddr.h"
#include "common/io/zap.h"
#include "edge/shell/incoming.h"
#include "edge/shell/outgoing.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURN_MS = 5, SOCKETS = 128, HEARD = 32768 };
enum { MEMORY = 256 * 1024 * 1024, HELLO_MS = 1000, CONNECTIONS = 16 };

/* The events of one end, in order; packets by their first four bytes. */
struct heard_link {
    enum node_event_kind kind;
    uint32_t link;
    bool incoming;
    uint32_t number;
    enum link_failure failure;
    struct curve_key key;
};

struct told_end {
    struct event_queue events;
    struct link_table links;
    struct heard_link heard[HEARD];
    size_t count;
    bool stuck; /* takes nothing from its links */
};

static struct {
    uv_loop_t loop;
    struct zloop zloop;
    void *context;
    struct zap *zap;
    uv_timer_t timer;
    struct told_end here, there; /* outgoing, incoming */
    struct receive_limits receive_limits;
    char cuts[4096];    /* the details of the lines connection_cut */
    void *disconnected; /* a raw socket's monitor, for the end of its connection
                         */
    struct outgoing *outgoing;
    struct incoming *incoming;
    struct curve_pair here_keys, there_keys;
    struct curve_key server;
    struct address address;
} w;

static void take(struct told_end *end)
{
    if (end->stuck)
        return;
    struct event_batch *b = event_queue_take(&end->events);
    for (size_t i = 0; i < b->count; i++) {
        const struct node_event *e = &b->events[i];
        struct heard_link h = {.kind = e->kind, .link = e->link.id};
        if (e->kind == NODE_LINK_CLOSED)
            h.failure = e->link.failure;
        if (e->kind == NODE_LINK_OPENED) {
            h.key = e->link.key;
            h.incoming = e->link.incoming;
        }
        if (e->kind == NODE_LINK_PACKET && e->link.bytes.size >= 4)
            memcpy(&h.number, e->link.bytes.data, 4);
        assert_true(end->count < HEARD);
        end->heard[end->count++] = h;
    }
    event_queue_done(b);
}

static void after(void *context)
{
    (void)context;
    take(&w.here);
    take(&w.there);
}

static size_t count_of(const struct told_end *end, enum node_event_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < end->count; i++)
        count += end->heard[i].kind == kind;
    return count;
}

static const struct heard_link *await(const struct told_end *end,
                                      enum node_event_kind kind, size_t count)
{
    PATIENCE_UNTIL(count_of(end, kind) >= count, uv_run(&w.loop, UV_RUN_ONCE));
    for (size_t i = 0;; i++)
        if (end->heard[i].kind == kind && --count == 0)
            return &end->heard[i];
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

static void on_line(void *context, enum log_level level, const char *event,
                    const char *details)
{
    (void)context;
    (void)level;
    if (strcmp(event, "connection_cut") != 0)
        return;
    size_t size = strlen(w.cuts);
    snprintf(w.cuts + size, sizeof w.cuts - size, "%s\n", details);
}

static const struct log_sink sink = {.level = LOG_WARN, .line = on_line};

static int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    log_divert(&sink);
    uv_loop_init(&w.loop);
    zloop_open(&w.zloop, &w.loop, after, NULL);
    uv_timer_init(&w.loop, &w.timer);
    uv_timer_start(&w.timer, on_timer, TURN_MS, TURN_MS);
    w.context = zcontext_open(SOCKETS);
    w.zap = zap_open(&w.zloop, w.context, NULL, NULL);
    assert_non_null(w.zap);
    crypto_box_keypair(w.here_keys.public_key, w.here_keys.secret_key);
    crypto_box_keypair(w.there_keys.public_key, w.there_keys.secret_key);
    memcpy(w.server.key, w.there_keys.public_key, 32);
    event_queue_init(&w.here.events, &w.zloop);
    event_queue_init(&w.there.events, &w.zloop);
    assert_true(link_table_open(&w.here.links, &w.here.events));
    assert_true(link_table_open(&w.there.links, &w.there.events));
    receive_limits_open(&w.receive_limits, &w.loop, MEMORY);
    w.outgoing = outgoing_open(&w.here.links, w.context, &w.receive_limits);
    w.incoming =
        incoming_open(&(struct incoming_conf){.zmq_context = w.context,
                                              .keys = &w.there_keys,
                                              .links = &w.there.links,
                                              .limits = &w.receive_limits,
                                              .sockets = CONNECTIONS,
                                              .strangers = CONNECTIONS,
                                              .hello = span_ms(HELLO_MS),
                                              .limit = 4});
    assert_non_null(w.incoming);
    assert_true(incoming_listen(w.incoming, 0, NULL));
    w.address = (struct address){.family = ADDRESS_V4,
                                 .ip = {127, 0, 0, 1},
                                 .port = incoming_port(w.incoming)};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    outgoing_close(&w.outgoing);
    incoming_close(&w.incoming);
    link_table_close(&w.here.links);
    link_table_close(&w.there.links);
    zap_close(&w.zap);
    receive_limits_close(&w.receive_limits);
    log_divert(NULL);
    zloop_close(&w.zloop);
    uv_close((uv_handle_t *)&w.timer, NULL);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    zcontext_close(&w.context);
    event_queue_close(&w.here.events);
    event_queue_close(&w.there.events);
    return uv_loop_close(&w.loop);
}

static void connect_link(uint32_t id)
{
    size_t before = count_of(&w.here, NODE_LINK_OPENED);

    outgoing_connect(w.outgoing, id, &w.here_keys, &w.server, &w.address);
    await(&w.here, NODE_LINK_OPENED, before + 1);
}

static struct bytes numbered(uint8_t *room, size_t size, uint32_t number)
{
    memset(room, 0, size);
    memcpy(room, &number, 4);
    return bytes_of(room, size);
}

static void send_there(uint32_t id, uint32_t number)
{
    uint8_t room[8];

    link_table_write(&w.here.links, id, numbered(room, sizeof room, number),
                     NULL);
}

/* Opens a link at both ends; returns its id at the incoming end. */
static uint32_t link_up(uint32_t id)
{
    size_t before = count_of(&w.there, NODE_LINK_OPENED);

    connect_link(id);
    send_there(id, 1);
    return await(&w.there, NODE_LINK_OPENED, before + 1)->link;
}

static void packets_cross_both_ways(void **state)
{
    uint8_t room[8];

    (void)state;
    uint32_t in = link_up(1);
    assert_true(await(&w.there, NODE_LINK_OPENED, 1)->incoming);
    assert_false(await(&w.here, NODE_LINK_OPENED, 1)->incoming);
    assert_memory_equal(await(&w.there, NODE_LINK_OPENED, 1)->key.key,
                        w.here_keys.public_key, 32);
    assert_int_equal(await(&w.there, NODE_LINK_PACKET, 1)->number, 1);
    link_table_write(&w.there.links, in, numbered(room, sizeof room, 7), NULL);
    assert_int_equal(await(&w.here, NODE_LINK_PACKET, 1)->number, 7);
    assert_int_equal(w.here.heard[0].kind, NODE_LINK_OPENED);
    assert_int_equal(w.there.heard[0].kind, NODE_LINK_OPENED);
}

/* Turns the loop long enough for libzmq to report all, while `end` takes no
 * events. */
static void turns_without(struct told_end *end)
{
    uint64_t until = uv_now(&w.loop) + 200;

    end->stuck = true;
    while (uv_now(&w.loop) < until)
        uv_run(&w.loop, UV_RUN_ONCE);
}

static void turns_with(struct told_end *end)
{
    end->stuck = false;
    take(end);
}

/* There are two links, so that one turn cannot take all waiting packets. */
static void the_end_comes_after_all_that_was_sent(void **state)
{
    (void)state;
    uint32_t in = link_up(1);
    link_up(3);
    w.there.stuck = true;
    for (uint32_t i = 2; i <= 90; i++) {
        send_there(1, i);
        send_there(3, i);
    }
    turns_without(&w.there);
    link_table_drop(&w.here.links, 1);
    turns_without(&w.there);
    turns_with(&w.there);
    const struct heard_link *closed = await(&w.there, NODE_LINK_CLOSED, 1);
    assert_int_equal(closed->link, in);
    assert_int_equal(closed->failure, LINK_BROKEN);
    await(&w.there, NODE_LINK_PACKET, 180);
    assert_int_equal(count_of(&w.there, NODE_LINK_OPENED), 2);
    for (const struct heard_link *h = closed; h < w.there.heard + w.there.count;
         h++)
        assert_false(h->kind == NODE_LINK_PACKET && h->link == in);
    assert_int_equal(count_of(&w.here, NODE_LINK_CLOSED), 0);
}

/* libzmq takes this number of packets at once; a listener that closes does not
 * wait for more. */
enum { AT_ONCE = 8 };

static void the_end_comes_after_all_at_the_other_end_too(void **state)
{
    uint8_t room[8];

    (void)state;
    uint32_t in = link_up(1);
    w.here.stuck = true;
    for (uint32_t i = 1; i <= AT_ONCE; i++)
        link_table_write(&w.there.links, in, numbered(room, sizeof room, i),
                         NULL);
    turns_without(&w.here);
    incoming_close(&w.incoming);
    turns_without(&w.here);
    turns_with(&w.here);
    await(&w.here, NODE_LINK_CLOSED, 1);
    assert_int_equal(count_of(&w.here, NODE_LINK_PACKET), AT_ONCE);
    assert_int_equal(w.here.heard[w.here.count - 1].kind, NODE_LINK_CLOSED);
}

static void the_listeners_end_is_told(void **state)
{
    (void)state;
    link_up(1);
    incoming_close(&w.incoming);
    const struct heard_link *closed = await(&w.here, NODE_LINK_CLOSED, 1);
    assert_int_equal(closed->link, 1);
    assert_int_equal(closed->failure, LINK_BROKEN);
}

static void a_wrong_key_is_a_failed_handshake(void **state)
{
    (void)state;
    w.server.key[3] ^= 1;
    outgoing_connect(w.outgoing, 1, &w.here_keys, &w.server, &w.address);
    assert_int_equal(await(&w.here, NODE_LINK_CLOSED, 1)->failure,
                     LINK_HANDSHAKE);
    assert_int_equal(w.there.count, 0);
}

static void nobody_there_is_unreachable(void **state)
{
    (void)state;
    w.address.port = 1;
    outgoing_connect(w.outgoing, 1, &w.here_keys, &w.server, &w.address);
    assert_int_equal(await(&w.here, NODE_LINK_CLOSED, 1)->failure,
                     LINK_UNREACHABLE);
}

/* A server that accepts the connection and stays silent does not have the key.
 */
static void a_mute_server_is_a_failed_handshake(void **state)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&here, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &size), 0);
    w.address.port = ntohs(here.sin_port);
    outgoing_connect(w.outgoing, 1, &w.here_keys, &w.server, &w.address);
    assert_int_equal(await(&w.here, NODE_LINK_CLOSED, 1)->failure,
                     LINK_HANDSHAKE);
    close(fd);
}

/* Writes a packet as a step does: from an arena that is cleared right after. */
static void write_shared(struct arena *arena, size_t size, uint32_t number)
{
    uint8_t *room = arena_take(arena, size);

    link_table_write(&w.here.links, 1, numbered(room, size, number),
                     arena_block_of(arena, room));
    arena_clear(arena);
}

/* Each size fills a link by another limit: SMALL by libzmq's number of packets,
 * MEDIUM by the same number although they count in bytes, LARGE by the bytes.
 */
enum { SMALL = 900, MEDIUM = 3000, LARGE = 60000 };

static void hear_all_in_order(const struct told_end *end, uint32_t sent)
{
    uint32_t number = 0;

    await(end, NODE_LINK_PACKET, sent);
    for (size_t i = 0; i < end->count; i++)
        if (end->heard[i].kind == NODE_LINK_PACKET)
            assert_int_equal(end->heard[i].number, ++number);
    assert_int_equal(number, sent);
}

static bool blocked(const struct told_end *end)
{
    return count_of(end, NODE_LINK_BLOCKED) > count_of(end, NODE_LINK_WRITABLE);
}

/* A link is blocked as soon as its writer outruns libzmq's thread; a full one
 * stays blocked. */
static bool stays_blocked(const struct told_end *end)
{
    uint64_t until = uv_now(&w.loop) + 200;

    while (blocked(end) && uv_now(&w.loop) < until)
        uv_run(&w.loop, UV_RUN_ONCE);
    return blocked(end);
}

/* Writes more than all queues on the way hold, while nobody reads. */
static void a_full_link_says_so(size_t size)
{
    struct arena arena = {0};
    uint32_t sent = 1;

    link_up(1);
    w.there.stuck = true;
    while (sent < HEARD - 10 && !stays_blocked(&w.here)) {
        write_shared(&arena, size, ++sent);
        uv_run(&w.loop, UV_RUN_NOWAIT);
    }
    assert_true(blocked(&w.here));
    size_t times = count_of(&w.here, NODE_LINK_BLOCKED);
    write_shared(&arena, size, ++sent);
    assert_int_equal(count_of(&w.here, NODE_LINK_BLOCKED), times);
    assert_int_equal(count_of(&w.here, NODE_LINK_WRITABLE), times - 1);
    arena_close(&arena);
    w.there.stuck = false;
    await(&w.here, NODE_LINK_WRITABLE, times);
    hear_all_in_order(&w.there, sent);
}

static void a_full_link_says_so_and_loses_nothing(void **state)
{
    (void)state;
    a_full_link_says_so(LARGE);
}

static void a_link_full_of_small_packets_says_so(void **state)
{
    (void)state;
    a_full_link_says_so(SMALL);
}

static void a_link_full_of_medium_packets_says_so(void **state)
{
    (void)state;
    a_full_link_says_so(MEDIUM);
}

static void a_full_incoming_one_says_so(size_t size)
{
    static uint8_t room[LARGE];
    uint32_t sent = 0;

    uint32_t in = link_up(1);
    w.here.stuck = true;
    while (sent < HEARD - 10 && !stays_blocked(&w.there)) {
        link_table_write(&w.there.links, in, numbered(room, size, ++sent),
                         NULL);
        uv_run(&w.loop, UV_RUN_NOWAIT);
    }
    assert_true(blocked(&w.there));
    size_t times = count_of(&w.there, NODE_LINK_BLOCKED);
    link_table_write(&w.there.links, in, numbered(room, size, ++sent), NULL);
    w.here.stuck = false;
    await(&w.there, NODE_LINK_WRITABLE, times);
    hear_all_in_order(&w.here, sent);
}

static void a_full_incoming_link_says_so(void **state)
{
    (void)state;
    a_full_incoming_one_says_so(LARGE);
}

static void an_incoming_link_full_of_small_packets_says_so(void **state)
{
    (void)state;
    a_full_incoming_one_says_so(SMALL);
}

static void a_forgotten_link_is_deaf_and_soon_cut(void **state)
{
    (void)state;
    uint32_t in = link_up(1);
    await(&w.there, NODE_LINK_PACKET, 1);
    link_table_drop(&w.there.links, in);
    send_there(1, 2);
    await(&w.here, NODE_LINK_CLOSED, 1);
    assert_int_equal(count_of(&w.there, NODE_LINK_PACKET), 1);
    assert_int_equal(count_of(&w.there, NODE_LINK_CLOSED), 0);
    assert_int_equal(link_up(3), in + 2);
}

static void links_beyond_the_limit_are_refused(void **state)
{
    (void)state;
    for (uint32_t id = 1; id <= 7; id += 2)
        link_up(id);
    connect_link(9);
    send_there(9, 9);
    send_there(1, 2);
    assert_int_equal(await(&w.there, NODE_LINK_PACKET, 5)->number, 2);
    assert_int_equal(count_of(&w.there, NODE_LINK_OPENED), 4);
}

/* No program of ours sends these: two frames, then a routing id of its own. */
static void strange_messages_are_dropped(void **state)
{
    void *stranger = zmq_socket(w.context, ZMQ_DEALER);
    char endpoint[64];
    int linger = 0;

    (void)state;
    zmq_setsockopt(stranger, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(stranger, ZMQ_CURVE_SERVERKEY, w.server.key, 32);
    zmq_setsockopt(stranger, ZMQ_CURVE_PUBLICKEY, w.here_keys.public_key, 32);
    zmq_setsockopt(stranger, ZMQ_CURVE_SECRETKEY, w.here_keys.secret_key, 32);
    zmq_setsockopt(stranger, ZMQ_ROUTING_ID, "chosen", 6);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", w.address.port);
    zmq_connect(stranger, endpoint);
    zmq_send(stranger, "alone", 5, 0);
    zmq_send(stranger, "two", 3, ZMQ_SNDMORE);
    zmq_send(stranger, "frames", 6, 0);
    link_up(1);
    link_table_write(&w.here.links, 1, bytes_of("", 0), NULL);
    await(&w.there, NODE_LINK_PACKET, 2);
    for (int i = 0; i < 20; i++)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_int_equal(count_of(&w.there, NODE_LINK_OPENED), 1);
    assert_int_equal(count_of(&w.there, NODE_LINK_PACKET), 2);
    zmq_close(stranger);
}

/* ---- Connections that must not last for ever */

static void await_cut(const char *reason)
{
    PATIENCE_UNTIL(strstr(w.cuts, reason) != NULL,
                   uv_run(&w.loop, UV_RUN_ONCE));
}

static void a_connection_silent_after_curve_is_cut(void **state)
{
    (void)state;
    connect_link(1);
    assert_int_equal(await(&w.here, NODE_LINK_CLOSED, 1)->failure, LINK_BROKEN);
    await_cut("reason=no_hello");
    assert_int_equal(w.there.count, 0);
    link_up(3);
}

static int connect_plainly(void)
{
    struct sockaddr_storage to;
    socklen_t size = sockaddr_of_address(&w.address, &to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, size), 0);
    return fd;
}

static bool is_open(int fd)
{
    char bytes[512];
    ssize_t size;

    while ((size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        ;
    return size < 0 && errno == EAGAIN;
}

static void await_end(int fd)
{
    PATIENCE_UNTIL(!is_open(fd), uv_run(&w.loop, UV_RUN_ONCE));
    close(fd);
}

static void a_connection_silent_before_curve_is_cut(void **state)
{
    (void)state;
    await_end(connect_plainly());
}

/* The limit of all addresses together, and the limit of one of them. */
static void more_connections_than_allowed_are_cut(void **state)
{
    int fds[2 * CONNECTIONS];

    (void)state;
    for (int i = 0; i < 2 * CONNECTIONS; i++)
        fds[i] = connect_plainly();
    await_cut("reason=full");
    for (int i = 0; i < 2 * CONNECTIONS; i++)
        await_end(fds[i]);
    link_up(1);
}

/* Sends one message of 14 MB in frames of a byte, whose last frame does not
 * arrive. */
static void send_endlessly(void *socket)
{
    for (int i = 0; i < 400 * 1000; i++)
        assert_int_equal(zmq_send(socket, "x", 1, ZMQ_SNDMORE), 1);
    assert_int_equal(zmq_send(socket, "x", 1, 0), 1);
}

static void *open_raw(int type, const struct curve_pair *keys)
{
    void *raw = zmq_socket(w.context, type);
    int linger = 0;

    assert_non_null(raw);
    zmq_setsockopt(raw, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(raw, ZMQ_CURVE_PUBLICKEY, keys->public_key, 32);
    zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, keys->secret_key, 32);
    zmq_socket_monitor(raw, "inproc://raw", ZMQ_EVENT_DISCONNECTED);
    w.disconnected = zmq_socket(w.context, ZMQ_PAIR);
    assert_int_equal(zmq_connect(w.disconnected, "inproc://raw"), 0);
    return raw;
}

/* libzmq aborts when a socket is closed in the middle of a message. */
static void close_raw(void *raw)
{
    int wait_ms = PATIENCE_MS;
    uint8_t event[6];

    zmq_setsockopt(w.disconnected, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    assert_int_equal(zmq_recv(w.disconnected, event, sizeof event, 0), 6);
    zmq_socket_monitor(raw, NULL, 0);
    zmq_close(w.disconnected);
    zmq_close(raw);
}

static void *open_dealer(void)
{
    void *dealer = open_raw(ZMQ_DEALER, &w.here_keys);
    char endpoint[64];
    int never = 24 * 60 * 60 * 1000;

    zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, w.server.key, 32);
    zmq_setsockopt(dealer, ZMQ_RECONNECT_IVL, &never, sizeof never);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", w.address.port);
    assert_int_equal(zmq_connect(dealer, endpoint), 0);
    return dealer;
}

static void a_peer_that_sends_endless_frames_is_cut(void **state)
{
    void *dealer = open_dealer();

    (void)state;
    assert_int_equal(zmq_send(dealer, "hello", 5, 0), 5);
    await(&w.there, NODE_LINK_PACKET, 1);
    send_endlessly(dealer);
    await(&w.there, NODE_LINK_CLOSED, 1);
    await_cut("reason=unread");
    assert_int_equal(w.receive_limits.unread.held, 0);
    close_raw(dealer);
}

static void endless_frames_before_the_first_packet_are_cut(void **state)
{
    void *dealer = open_dealer();

    (void)state;
    send_endlessly(dealer);
    await_cut("reason=unread");
    assert_int_equal(w.there.count, 0);
    close_raw(dealer);
}

/* The peer that this end dialled is limited as well. */
static void a_dialled_peer_that_sends_endless_frames_is_cut(void **state)
{
    void *router = open_raw(ZMQ_ROUTER, &w.there_keys);
    int server = 1;
    char endpoint[64];
    uint8_t id[16];
    size_t size = sizeof endpoint;

    (void)state;
    zmq_setsockopt(router, ZMQ_CURVE_SERVER, &server, sizeof server);
    assert_int_equal(zmq_bind(router, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &size);
    w.address.port = (uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10);
    connect_link(1);
    send_there(1, 1);
    int id_size = zmq_recv(router, id, sizeof id, 0);
    assert_int_equal(id_size, 5);
    assert_int_equal(zmq_send(router, id, 5, ZMQ_SNDMORE), 5);
    send_endlessly(router);
    assert_int_equal(await(&w.here, NODE_LINK_CLOSED, 1)->failure, LINK_BROKEN);
    await_cut("reason=unread");
    close_raw(router);
}

/* All together reach the limit; none reaches its own. */
static void the_largest_is_cut_when_all_hold_too_much(void **state)
{
    void *dealer = open_dealer();

    (void)state;
    unread_set_memory(&w.receive_limits.unread, 1024 * 1024);
    link_up(1);
    assert_int_equal(zmq_send(dealer, "hello", 5, 0), 5);
    await(&w.there, NODE_LINK_OPENED, 2);
    for (int i = 0; i < 50 * 1000; i++)
        assert_int_equal(zmq_send(dealer, "x", 1, ZMQ_SNDMORE), 1);
    assert_int_equal(zmq_send(dealer, "x", 1, 0), 1);
    await(&w.there, NODE_LINK_CLOSED, 1);
    await_cut("reason=memory");
    send_there(1, 7);
    await(&w.there, NODE_LINK_PACKET, 3);
    close_raw(dealer);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(packets_cross_both_ways),
        LIVE(the_end_comes_after_all_that_was_sent),
        LIVE(the_end_comes_after_all_at_the_other_end_too),
        LIVE(the_listeners_end_is_told),
        LIVE(a_wrong_key_is_a_failed_handshake),
        LIVE(nobody_there_is_unreachable),
        LIVE(a_mute_server_is_a_failed_handshake),
        LIVE(a_full_link_says_so_and_loses_nothing),
        LIVE(a_link_full_of_small_packets_says_so),
        LIVE(a_link_full_of_medium_packets_says_so),
        LIVE(a_full_incoming_link_says_so),
        LIVE(an_incoming_link_full_of_small_packets_says_so),
        LIVE(a_forgotten_link_is_deaf_and_soon_cut),
        LIVE(links_beyond_the_limit_are_refused),
        LIVE(strange_messages_are_dropped),
        LIVE(a_connection_silent_after_curve_is_cut),
        LIVE(a_connection_silent_before_curve_is_cut),
        LIVE(more_connections_than_allowed_are_cut),
        LIVE(a_peer_that_sends_endless_frames_is_cut),
        LIVE(endless_frames_before_the_first_packet_are_cut),
        LIVE(a_dialled_peer_that_sends_endless_frames_is_cut),
        LIVE(the_largest_is_cut_when_all_hold_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
