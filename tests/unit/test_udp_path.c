/* Two edges' ends of a UDP path on the loopback interface, with a real loop and
 * real QUIC. The tests play both nodes. */
#include "tests/unit/kit.h"

#include "common/io/clock.h"
#include "common/wire/punch.h"
#include "common/wire/stun.h"
#include "edge/shell/quic.h"
#include "edge/shell/udp_path.h"
#include "edge/shell/udp_socket.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HOLD = 1024 * 1024, DATAGRAMS = 512, LARGE = 64 * 1024 };

/* One edge, as its node sees it. */
struct side {
    struct zloop zloop;
    struct event_queue events;
    struct link_table links;
    struct udp_path *path;
    struct address address; /* of socket 0 */
    struct {
        uint32_t socket, count;
        uint16_t port;
    } opened; /* the last UDP_OPENED */
    size_t opened_count;
    size_t moved; /* times */
    struct {
        uint32_t socket;
        struct address from;
        uint8_t first;
        size_t size;
    } datagrams[DATAGRAMS];
    size_t datagram_count;
    size_t up, down; /* links */
    enum link_failure failure;
    size_t blocked, writable;
    size_t packets;
    size_t packet_bytes;
    uint8_t last_packet[LARGE];
    size_t last_size;
    bool keeps_order; /* packets begin with their number */
};

static struct {
    uv_loop_t loop;
    struct side a, b;
    uint8_t secret[32], identity[64];
} w;

/* ---- A host without IPv4 */

static bool has_no_ipv4;

/* In place of the C library's. */
int socket(int domain, int type, int protocol)
{
    if (has_no_ipv4 && domain == AF_INET) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

/* ---- A node */

static void take_packet(struct side *s, struct bytes packet)
{
    uint32_t number;

    if (packet.size >= sizeof number) {
        memcpy(&number, packet.data, sizeof number);
        s->keeps_order = s->keeps_order && number == s->packets;
    }
    s->packets++;
    s->packet_bytes += packet.size;
    s->last_size = packet.size;
    memcpy(s->last_packet, packet.data, packet.size);
}

static void take_datagram(struct side *s, const struct node_event *e)
{
    assert_true(s->datagram_count < DATAGRAMS);
    s->datagrams[s->datagram_count].socket = e->udp.socket;
    s->datagrams[s->datagram_count].from = e->udp.from;
    s->datagrams[s->datagram_count].first = e->udp.bytes.data[0];
    s->datagrams[s->datagram_count++].size = e->udp.bytes.size;
}

static void take_event(struct side *s, const struct node_event *e)
{
    if (e->kind == NODE_UDP_OPENED) {
        s->opened.socket = e->udp.socket;
        s->opened.count = e->udp.count;
        s->opened.port = e->udp.port;
        s->opened_count++;
    } else if (e->kind == NODE_UDP_DATAGRAM) {
        take_datagram(s, e);
    } else if (e->kind == NODE_LINK_OPENED) {
        assert_false(e->link.incoming);
        s->up++;
    } else if (e->kind == NODE_LINK_CLOSED) {
        s->down++;
        s->failure = e->link.failure;
    } else if (e->kind == NODE_LINK_PACKET) {
        take_packet(s, e->link.bytes);
    } else if (e->kind == NODE_LINK_BLOCKED) {
        s->blocked++;
    } else if (e->kind == NODE_LINK_WRITABLE) {
        s->writable++;
    }
}

static void on_turn(void *context)
{
    struct side *s = context;
    struct event_batch *batch = event_queue_take(&s->events);

    for (size_t i = 0; i < batch->count; i++)
        take_event(s, &batch->events[i]);
    event_queue_done(batch);
    udp_path_flush(s->path);
}

static void on_moved(void *context)
{
    struct side *s = context;

    s->moved++;
}

static void open_side(struct side *s)
{
    *s = (struct side){.keeps_order = true};
    zloop_open(&s->zloop, &w.loop, on_turn, s);
    event_queue_init(&s->events, &s->zloop);
    assert_true(link_table_open(&s->links, &s->events));
    s->path = udp_path_open(&(struct udp_path_conf){
        .links = &s->links, .hold = HOLD, .moved = on_moved, .context = s});
    assert_non_null(s->path);
    assert_true(
        address_of_ip("127.0.0.1", udp_path_port(s->path), &s->address));
}

static void setup_loop(void)
{
    assert_true(sodium_init() >= 0);
    uv_loop_init(&w.loop);
    memset(w.secret, 7, sizeof w.secret);
    memset(w.identity, 9, sizeof w.identity);
}

static void setup(void)
{
    setup_loop();
    open_side(&w.a);
    open_side(&w.b);
}

static void close_side(struct side *s)
{
    udp_path_close(&s->path);
    link_table_close(&s->links);
    zloop_close(&s->zloop);
}

static void teardown(void)
{
    close_side(&w.a);
    close_side(&w.b);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w.loop), 0);
    event_queue_close(&w.a.events);
    event_queue_close(&w.b.events);
}

#define RUN_UNTIL(condition)                                                   \
    while (!(condition))                                                       \
    uv_run(&w.loop, UV_RUN_ONCE)

/* ---- What a node asks for */

static void udp_open(struct side *s, uint32_t socket, uint32_t count)
{
    size_t before = s->opened_count;

    udp_path_do(s->path,
                &(struct node_todo){.kind = NODE_UDP_OPEN,
                                    .udp = {.socket = socket, .count = count}});
    RUN_UNTIL(s->opened_count > before);
    assert_int_equal(s->opened.socket, socket);
}

static void udp_close(struct side *s, uint32_t socket, uint32_t count)
{
    udp_path_do(s->path,
                &(struct node_todo){.kind = NODE_UDP_CLOSE,
                                    .udp = {.socket = socket, .count = count}});
}

static void udp_send(struct side *s, uint32_t socket, const struct address *to,
                     const void *data, size_t size)
{
    udp_path_do(s->path,
                &(struct node_todo){.kind = NODE_UDP_SEND,
                                    .udp = {.socket = socket,
                                            .to = *to,
                                            .bytes = bytes_of(data, size)}});
}

static void connect_from(struct side *s, uint32_t link, uint32_t socket,
                         const struct address *to, bool client,
                         const uint8_t *secret)
{
    udp_path_do(s->path, &(struct node_todo){.kind = NODE_CONNECT_UDP,
                                             .udp = {.link = link,
                                                     .socket = socket,
                                                     .to = *to,
                                                     .client = client,
                                                     .secret = secret,
                                                     .identity = w.identity}});
}

static void connect_both(uint32_t link)
{
    size_t a = w.a.up, b = w.b.up;

    connect_from(&w.b, link, 0, &w.a.address, false, w.secret);
    connect_from(&w.a, link, 0, &w.b.address, true, w.secret);
    RUN_UNTIL(w.a.up > a && w.b.up > b);
}

static void write_packet(struct side *s, uint32_t link, const void *data,
                         size_t size)
{
    link_table_write(&s->links, link, bytes_of(data, size), NULL);
}

/* A probe, as far as the shell reads it. */
static const uint8_t *probe(uint8_t type)
{
    static uint8_t bytes[PROBE_SIZE];

    bytes[0] = type;
    return bytes;
}

/* A datagram from `from` reaches `to`, so everything sent before did. */
static void sync_datagrams(struct side *from, struct side *to)
{
    size_t before = to->datagram_count;

    udp_send(from, 0, &to->address, probe(PROBE_AGREES), PROBE_SIZE);
    RUN_UNTIL(to->datagram_count > before &&
              to->datagrams[to->datagram_count - 1].first == PROBE_AGREES);
}

/* ---- Datagrams */

static void the_first_byte_tells_datagrams_apart(void **state)
{
    (void)state;
    struct stun_id id;
    uint8_t request[STUN_REQUEST_SIZE], transaction[12] = {1};
    uint8_t garbage[PROBE_SIZE] = {0x20};
    setup();
    stun_write_request(transaction, &id, request);
    udp_send(&w.a, 0, &w.b.address, request, sizeof request);
    udp_send(&w.a, 0, &w.b.address, probe(PROBE_ASKS), PROBE_SIZE);
    udp_send(&w.a, 0, &w.b.address, garbage, sizeof garbage);
    garbage[0] = 0x40;
    udp_send(&w.a, 0, &w.b.address, garbage, sizeof garbage);
    garbage[0] = 0xc3;
    udp_send(&w.a, 0, &w.b.address, garbage, sizeof garbage);
    sync_datagrams(&w.a, &w.b);
    assert_int_equal(w.b.datagram_count, 3);
    assert_int_equal(w.b.datagrams[0].size, sizeof request);
    assert_int_equal(w.b.datagrams[1].first, PROBE_ASKS);
    assert_true(address_equal(&w.b.datagrams[0].from, &w.a.address));
    assert_int_equal(w.b.datagrams[0].socket, 0);
    assert_int_equal(udp_path_counters(w.b.path)->malformed, 1);
    assert_int_equal(udp_path_counters(w.b.path)->strangers, 2);
    teardown();
}

static void datagrams_of_no_known_kind_are_dropped(void **state)
{
    (void)state;
    struct stun_id id;
    uint8_t request[STUN_REQUEST_SIZE], transaction[12] = {1};
    setup();
    stun_write_request(transaction, &id, request);
    udp_send(&w.a, 0, &w.b.address, request, sizeof request - 1);
    udp_send(&w.a, 0, &w.b.address, probe(PROBE_ASKS), PROBE_SIZE - 1);
    request[3] = 4; /* longer than it is */
    udp_send(&w.a, 0, &w.b.address, request, sizeof request);
    request[3] = 0;
    request[4] ^= 1; /* the cookie */
    udp_send(&w.a, 0, &w.b.address, request, sizeof request);
    for (int first = 0; first < 256; first++) {
        uint8_t byte = (uint8_t)first;
        udp_send(&w.a, 0, &w.b.address, &byte, 1);
        uv_run(&w.loop, UV_RUN_NOWAIT); /* The kernel's buffer is small. */
    }
    sync_datagrams(&w.a, &w.b);
    assert_int_equal(w.b.datagram_count, 1);
    assert_int_equal(udp_path_counters(w.b.path)->malformed, 4 + 128);
    assert_int_equal(udp_path_counters(w.b.path)->strangers, 128);
    teardown();
}

/* They get no reset, no list of versions, nothing. */
static void strangers_get_no_answer(void **state)
{
    (void)state;
    uint8_t quic[1200] = {0xc0, 0xba, 0xba, 0xba, 0xba, 8};
    setup();
    for (int i = 0; i < 50; i++) {
        udp_send(&w.a, 0, &w.b.address, quic, sizeof quic);
        udp_send(&w.a, 0, &w.b.address, probe(0x1f), PROBE_SIZE);
        quic[0] ^= (uint8_t)(0x80 | i % 32);
    }
    sync_datagrams(&w.a, &w.b);
    sync_datagrams(&w.b, &w.a);
    assert_int_equal(udp_path_counters(w.a.path)->taken, 1);
    assert_int_equal(udp_path_counters(w.a.path)->malformed, 0);
    assert_int_equal(udp_path_counters(w.a.path)->strangers, 0);
    teardown();
}

/* The kernel's buffer and the limit drop some datagrams, and the loop goes on.
 */
static void a_flood_is_limited(void **state)
{
    (void)state;
    setup();
    for (int i = 0; i < 5000; i++) {
        udp_send(&w.a, 0, &w.b.address, probe(PROBE_ASKS), PROBE_SIZE);
        if (i % 100 == 0) {
            uv_run(&w.loop, UV_RUN_NOWAIT);
            w.b.datagram_count = 0;
        }
    }
    assert_true(udp_path_counters(w.b.path)->excess > 0);
    teardown();
}

/* ---- Sockets */

static void sockets_open_in_ranges(void **state)
{
    (void)state;
    setup();
    udp_open(&w.a, 5, 1);
    assert_int_equal(w.a.opened.count, 1);
    assert_true(w.a.opened.port > 0);
    assert_int_not_equal(w.a.opened.port, w.a.address.port);
    udp_open(&w.a, 100, 256);
    assert_int_equal(w.a.opened.count, 256);
    for (uint32_t i = 0; i < 256; i++) {
        udp_send(&w.a, 100 + i, &w.b.address, probe(PROBE_ASKS), PROBE_SIZE);
        RUN_UNTIL(w.b.datagram_count > i);
        struct address back = w.b.datagrams[i].from;
        udp_send(&w.b, 0, &back, probe(PROBE_ANSWERS), PROBE_SIZE);
        RUN_UNTIL(w.a.datagram_count > i);
        assert_int_equal(w.a.datagrams[i].socket, 100 + i);
    }
    udp_close(&w.a, 100, 256);
    udp_send(&w.a, 101, &w.b.address, probe(PROBE_ASKS), PROBE_SIZE);
    assert_int_equal(udp_path_counters(w.a.path)->unsent, 1);
    teardown();
}

static void a_socket_has_one_port_for_both_families(void **state)
{
    (void)state;
    struct address v6;
    setup();
    udp_open(&w.a, 3, 1);
    assert_true(address_of_ip("::1", w.a.opened.port, &v6));
    udp_send(&w.b, 0, &v6, probe(PROBE_ASKS), PROBE_SIZE);
    RUN_UNTIL(w.a.datagram_count > 0);
    assert_int_equal(w.a.datagrams[0].socket, 3);
    teardown();
}

static void one_of_many_sockets_opens_ipv6_when_it_sends(void **state)
{
    (void)state;
    struct address v6;
    setup();
    udp_open(&w.a, 3, 2);
    assert_true(address_of_ip("::1", w.b.address.port, &v6));
    udp_send(&w.a, 4, &v6, probe(PROBE_ASKS), PROBE_SIZE);
    RUN_UNTIL(w.b.datagram_count > 0);
    assert_int_equal(w.b.datagrams[0].from.family, ADDRESS_V6);
    teardown();
}

static void socket_0_is_told_and_stays(void **state)
{
    (void)state;
    setup();
    udp_path_tell(w.a.path);
    RUN_UNTIL(w.a.opened_count > 0);
    assert_int_equal(w.a.opened.socket, 0);
    assert_int_equal(w.a.opened.port, w.a.address.port);
    udp_close(&w.a, 0, 1);
    sync_datagrams(&w.a, &w.b);
    teardown();
}

/* The host gets IPv4 later. Socket 0 has the port of its IPv6 there too, or
 * another one if that is taken; then this is told. */
static void socket_0_gets_ipv4_later(bool taken)
{
    uint16_t before;
    struct udp_socket_owner nobody = {0};
    struct udp_socket *other = NULL;
    setup_loop();
    has_no_ipv4 = true;
    open_side(&w.a);
    has_no_ipv4 = false;
    open_side(&w.b);
    before = w.a.address.port;
    assert_int_equal(udp_path_port_v4(w.a.path), 0);
    if (taken) {
        other = udp_socket_open(&w.loop, ADDRESS_V4, before, &nobody);
        assert_non_null(other);
    }
    udp_send(&w.a, 0, &w.b.address, probe(PROBE_ASKS), PROBE_SIZE);
    RUN_UNTIL(w.b.datagram_count > 0);
    assert_int_equal(w.b.datagrams[0].from.port, udp_path_port_v4(w.a.path));
    assert_int_equal(udp_path_port(w.a.path) != before, taken);
    assert_int_equal(w.a.moved, taken);
    assert_int_equal(w.a.opened_count, taken);
    if (taken)
        assert_int_equal(w.a.opened.port, udp_path_port(w.a.path));
    udp_socket_close(&other);
    teardown();
}

static void socket_0_that_moves_is_told(void **state)
{
    (void)state;
    socket_0_gets_ipv4_later(true);
    socket_0_gets_ipv4_later(false);
}

static void a_taken_number_is_not_opened(void **state)
{
    (void)state;
    setup();
    udp_open(&w.a, 7, 1);
    udp_open(&w.a, 7, 1);
    assert_int_equal(w.a.opened.port, 0);
    teardown();
}

/* ---- Links */

static void two_ends_connect(void **state)
{
    (void)state;
    setup();
    connect_both(1);
    write_packet(&w.a, 1, "\0\0\0\0from a", 10);
    write_packet(&w.b, 1, "\0\0\0\0from b", 10);
    RUN_UNTIL(w.a.packets > 0 && w.b.packets > 0);
    assert_memory_equal(w.b.last_packet + 4, "from a", 6);
    assert_memory_equal(w.a.last_packet + 4, "from b", 6);
    assert_int_equal(w.a.down + w.b.down, 0);
    teardown();
}

static void many_links_share_a_socket(void **state)
{
    (void)state;
    setup();
    for (uint32_t i = 1; i < 20; i++)
        connect_both(i);
    for (uint32_t i = 1; i < 20; i++) {
        size_t before = w.b.packets;
        uint32_t text[2] = {(uint32_t)before, i};
        write_packet(&w.a, i, text, sizeof text);
        RUN_UNTIL(w.b.packets > before);
        assert_memory_equal(w.b.last_packet + 4, &i, sizeof i);
    }
    teardown();
}

/* Writes numbered packets while the link takes them. */
static void write_many(struct side *s, uint32_t link, size_t size, size_t count,
                       uint8_t *packet, uint32_t *next)
{
    while (*next < count && s->blocked == s->writable) {
        memcpy(packet, next, sizeof *next);
        write_packet(s, link, packet, size);
        ++*next;
        if (*next % 8 == 0)
            break; /* A node's step also writes a limited number. */
    }
}

static void exchange(size_t size, size_t count)
{
    static uint8_t packet[LARGE];
    uint32_t a = 0, b = 0;

    setup();
    connect_both(1);
    while (w.a.packets < count || w.b.packets < count) {
        write_many(&w.a, 1, size, count, packet, &a);
        write_many(&w.b, 1, size, count, packet, &b);
        uv_run(&w.loop, a < count || b < count ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        on_turn(&w.a);
        on_turn(&w.b);
    }
    assert_true(w.a.keeps_order && w.b.keeps_order);
    assert_int_equal(w.a.packets, count);
    assert_int_equal(w.b.packet_bytes, size * count);
    assert_int_equal(w.a.down + w.b.down, 0);
    teardown();
}

static void packets_of_all_sizes_pass_both_ways(void **state)
{
    (void)state;
    static const size_t sizes[] = {4, 64, 1000, 1448, 1452, 9000, LARGE};

    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        exchange(sizes[i], sizes[i] < 1000 ? 3000 : 200);
}

/* The peer's loop stands still, so nothing is acknowledged. */
static void a_full_link_blocks_until_the_peer_has_packets(void **state)
{
    (void)state;
    static uint8_t packet[LARGE];
    uint32_t next = 0;
    setup();
    connect_both(1);
    while (w.a.blocked == 0) {
        memcpy(packet, &next, sizeof next);
        write_packet(&w.a, 1, packet, LARGE);
        next++;
        assert_true(next <= 2 * HOLD / LARGE);
        on_turn(&w.a);
    }
    assert_true(next > 1);
    RUN_UNTIL(w.a.writable > 0 && w.b.packets == next);
    assert_int_equal(w.a.blocked, 1);
    assert_true(w.b.keeps_order);
    teardown();
}

static void a_close_is_told_to_the_other_end(void **state)
{
    (void)state;
    setup();
    connect_both(1);
    link_table_drop(&w.a.links, 1);
    RUN_UNTIL(w.b.down > 0);
    assert_int_equal(w.b.failure, LINK_BROKEN);
    assert_int_equal(w.a.down, 0); /* The node itself closed the link. */
    teardown();
}

static void the_last_packets_arrive_before_the_end(void **state)
{
    (void)state;
    static uint8_t packet[LARGE];
    setup();
    connect_both(1);
    for (uint32_t i = 0; i < 8; i++) {
        memcpy(packet, &i, sizeof i);
        write_packet(&w.a, 1, packet, LARGE);
    }
    udp_path_close(&w.a.path);
    RUN_UNTIL(w.b.down > 0);
    assert_int_equal(w.b.packets, 8);
    assert_true(w.b.keeps_order);
    teardown();
}

static void an_id_can_be_dialled_again_while_the_old_link_lingers(void **state)
{
    (void)state;
    setup();
    connect_both(1);
    write_packet(&w.a, 1, "\0\0\0\0", 4);
    link_table_drop(&w.a.links, 1);
    connect_both(3);
    RUN_UNTIL(w.b.down == 1);
    write_packet(&w.a, 3, "\1\0\0\0", 4);
    RUN_UNTIL(w.b.packets == 2);
    teardown();
}

static void a_wrong_identity_is_refused(void **state)
{
    (void)state;
    setup();
    connect_from(&w.b, 1, 0, &w.a.address, false, w.secret);
    w.identity[0] ^= 1;
    connect_from(&w.a, 1, 0, &w.b.address, true, w.secret);
    RUN_UNTIL(w.a.down > 0 && w.b.down > 0);
    assert_int_equal(w.b.failure, LINK_HANDSHAKE);
    assert_int_equal(w.a.up + w.b.up, 0);
    teardown();
}

/* The first packet of a client with another secret, from the address of the
 * honest one. */
static void a_forged_begin_ends_no_link(void **state)
{
    (void)state;
    static uint8_t bytes[QUIC_BURST_SIZE];
    struct quic_owner nobody = {0};
    struct quic_conf conf = {.client = true,
                             .secret = {1},
                             .payload_most = QUIC_PAYLOAD_LEAST,
                             .hold = HOLD,
                             .idle = span_s(60)};
    struct quic_burst burst;
    setup();
    conf.local = w.a.address;
    conf.remote = w.b.address;
    memcpy(conf.identity, w.identity, sizeof conf.identity);
    struct quic *forger = quic_new(&conf, &nobody, clock_now());
    assert_true(quic_write(forger, clock_now(), bytes, &burst));
    connect_from(&w.b, 1, 0, &w.a.address, false, w.secret);
    for (int i = 0; i < 10; i++)
        udp_send(&w.a, 0, &w.b.address, bytes, burst.size);
    sync_datagrams(&w.a, &w.b);
    assert_int_equal(udp_path_counters(w.b.path)->strangers, 0);
    connect_from(&w.a, 1, 0, &w.b.address, true, w.secret);
    RUN_UNTIL(w.a.up == 1 && w.b.up == 1);
    assert_int_equal(w.a.down + w.b.down, 0);
    quic_free(&forger);
    teardown();
}

static void nobody_there_is_unreachable_in_time(void **state)
{
    (void)state;
    struct instant before;
    setup();
    before = clock_now();
    connect_from(&w.a, 1, 0, &w.b.address, true, w.secret);
    RUN_UNTIL(w.a.down > 0);
    assert_int_equal(w.a.failure, LINK_UNREACHABLE);
    assert_true(instant_between(before, clock_now()).us >= 4900 * 1000);
    teardown();
}

static void a_link_from_no_socket_is_unreachable(void **state)
{
    (void)state;
    setup();
    connect_from(&w.a, 1, 99, &w.b.address, true, w.secret);
    RUN_UNTIL(w.a.down > 0);
    assert_int_equal(w.a.failure, LINK_UNREACHABLE);
    teardown();
}

static void a_link_keeps_its_socket_until_it_ends(void **state)
{
    (void)state;
    struct address there = {0};
    setup();
    udp_open(&w.a, 8, 1);
    assert_true(address_of_ip("127.0.0.1", w.a.opened.port, &there));
    connect_from(&w.b, 1, 0, &there, false, w.secret);
    connect_from(&w.a, 1, 8, &w.b.address, true, w.secret);
    udp_close(&w.a, 8, 1);
    RUN_UNTIL(w.a.up > 0 && w.b.up > 0);
    write_packet(&w.b, 1, "\0\0\0\0", 4);
    RUN_UNTIL(w.a.packets > 0);
    /* For the node the socket is closed. */
    udp_send(&w.b, 0, &there, probe(PROBE_ASKS), PROBE_SIZE);
    write_packet(&w.b, 1, "\1\0\0\0", 4);
    RUN_UNTIL(w.a.packets > 1);
    assert_int_equal(w.a.datagram_count, 0);
    link_table_drop(&w.a.links, 1);
    RUN_UNTIL(w.b.down > 0);
    teardown();
}

/* An attacker that knows the addresses cannot end a link or a handshake by
 * garbage. */
static void garbage_from_the_right_address_is_ignored(void **state)
{
    (void)state;
    uint8_t garbage[1200];
    setup();
    connect_from(&w.b, 1, 0, &w.a.address, false, w.secret);
    for (int i = 0; i < 64; i++) {
        randombytes_buf(garbage, sizeof garbage);
        garbage[0] |= 0x40;
        udp_send(&w.a, 0, &w.b.address, garbage, sizeof garbage);
    }
    sync_datagrams(&w.a, &w.b);
    connect_from(&w.a, 1, 0, &w.b.address, true, w.secret);
    RUN_UNTIL(w.a.up > 0 && w.b.up > 0);
    assert_int_equal(w.b.down, 0);
    teardown();
}

/* The build lacks the library. */
static void without_quic_no_link_is_made(void **state)
{
    (void)state;
    setup();
    connect_from(&w.a, 1, 0, &w.b.address, true, w.secret);
    RUN_UNTIL(w.a.down > 0);
    assert_int_equal(w.a.failure, LINK_UNREACHABLE);
    teardown();
}

int main(void)
{
    static const struct CMUnitTest of_datagrams[] = {
        cmocka_unit_test(the_first_byte_tells_datagrams_apart),
        cmocka_unit_test(datagrams_of_no_known_kind_are_dropped),
        cmocka_unit_test(strangers_get_no_answer),
        cmocka_unit_test(a_flood_is_limited),
        cmocka_unit_test(sockets_open_in_ranges),
        cmocka_unit_test(a_socket_has_one_port_for_both_families),
        cmocka_unit_test(one_of_many_sockets_opens_ipv6_when_it_sends),
        cmocka_unit_test(socket_0_is_told_and_stays),
        cmocka_unit_test(socket_0_that_moves_is_told),
        cmocka_unit_test(a_taken_number_is_not_opened),
        cmocka_unit_test(a_link_from_no_socket_is_unreachable),
    };
    static const struct CMUnitTest of_links[] = {
        cmocka_unit_test(two_ends_connect),
        cmocka_unit_test(many_links_share_a_socket),
        cmocka_unit_test(packets_of_all_sizes_pass_both_ways),
        cmocka_unit_test(a_full_link_blocks_until_the_peer_has_packets),
        cmocka_unit_test(a_close_is_told_to_the_other_end),
        cmocka_unit_test(the_last_packets_arrive_before_the_end),
        cmocka_unit_test(an_id_can_be_dialled_again_while_the_old_link_lingers),
        cmocka_unit_test(a_wrong_identity_is_refused),
        cmocka_unit_test(a_forged_begin_ends_no_link),
        cmocka_unit_test(nobody_there_is_unreachable_in_time),
        cmocka_unit_test(a_link_keeps_its_socket_until_it_ends),
        cmocka_unit_test(garbage_from_the_right_address_is_ignored),
    };
    static const struct CMUnitTest without_quic[] = {
        cmocka_unit_test(without_quic_no_link_is_made),
    };

    int failed = cmocka_run_group_tests(of_datagrams, NULL, NULL);
    if (quic_is_available())
        return failed + cmocka_run_group_tests(of_links, NULL, NULL);
    return failed + cmocka_run_group_tests(without_quic, NULL, NULL);
}
