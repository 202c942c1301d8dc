/*
 * The door in peace: clients of libzmq and of our own talk through it, over
 * real sockets on loopback.
 */
#include "door_kit.h"
#include "relay/shell/door.h"

#include <zmq.h>

static const size_t sizes[] = {6,    64,   222,   223,   1000,
                               8192, 8193, 65536, 66000, PACKET_SIZE};

/* ---- Clients of libzmq ------------------------------------------------- */

/* `pings_ms`: how often it asks by PING; 0: never. */
static void *open_dealer(void *context, const struct curve_pair *keys,
                         int pings_ms)
{
    char endpoint[64];
    int linger = 1000, patience = 60000;
    void *s = zmq_socket(context, ZMQ_DEALER);

    assert_non_null(s);
    zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(s, ZMQ_HEARTBEAT_IVL, &pings_ms, sizeof pings_ms);
    zmq_setsockopt(s, ZMQ_HEARTBEAT_TIMEOUT, &patience, sizeof patience);
    zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, kit.keys.public_key, 32);
    zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, keys->public_key, 32);
    zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, keys->secret_key, 32);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", kit.port);
    assert_int_equal(zmq_connect(s, endpoint), 0);
    return s;
}

static void dealer_says(void *s, struct bytes p)
{
    kit_until(zmq_send(s, p.data, p.size, ZMQ_DONTWAIT) == (int)p.size);
}

static void dealer_hears(void *s, struct bytes p)
{
    static uint8_t room[PACKET_SIZE];
    int size;
    kit_until((size = zmq_recv(s, room, sizeof room, ZMQ_DONTWAIT)) >= 0);
    assert_true(bytes_equal(bytes_of(room, (size_t)size), p));
}

static void two_of_libzmq_talk_through_it(void **state)
{
    const uint8_t seeds[2][32] = {{0, 2}, {0, 3}};
    struct curve_pair keys[2];
    void *context = zmq_ctx_new(), *s[2];
    (void)state;

    for (int i = 0; i < 2; i++) {
        curve_pair_generate(&keys[i], seeds[i]);
        s[i] = open_dealer(context, &keys[i], 0);
        dealer_says(s[i], kit_make('e', 0, 7, 100));
        dealer_hears(s[i], kit_make('e', 0, 7, 100));
        assert_int_equal(kit.last_conn, i + 1);
        door_prove(kit.door, kit.last_conn);
        assert_memory_equal(kit.last_key.key, keys[i].public_key, 32);
        assert_true(address_is_loopback(&kit.last_address));
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (uint8_t from = 0; from < 2; from++) {
            struct bytes p = kit_make('f', from ? 1 : 2, 1, sizes[i]);
            dealer_says(s[from], p);
            dealer_hears(s[!from], p);
        }
    }
    for (uint32_t i = 0; i < 3000; i++)
        dealer_says(s[0], kit_make('f', 2, i, 50 + i % 100));
    for (uint32_t i = 0; i < 3000; i++)
        dealer_hears(s[1], kit_make('f', 2, i, 50 + i % 100));
    zmq_close(s[0]);
    zmq_close(s[1]);
    kit_until(kit.closed == 2);
    assert_int_equal(door_count(kit.door), 0);
    assert_int_equal(kit.turned_away, 0);
    zmq_ctx_term(context);
}

static void libzmqs_heartbeats_are_answered(void **state)
{
    const uint8_t seed[32] = {0, 2};
    struct curve_pair keys;
    void *context = zmq_ctx_new();
    (void)state;

    curve_pair_generate(&keys, seed);
    void *s = open_dealer(context, &keys, 5);
    dealer_says(s, kit_make('e', 0, 1, 10));
    dealer_hears(s, kit_make('e', 0, 1, 10));
    struct door_client *c = kit_joined(4);
    for (uint8_t i = 0; i < 10; i++) {
        zmtp_ping(&c->z, 10, bytes_of(&i, 1), &c->reply);
        kit_reply(c);
        assert_int_equal(kit_next(c), ZMTP_PONGED);
        assert_true(bytes_equal(c->item.context, bytes_of(&i, 1)));
    }
    kit_free(c);
    zmq_close(s);
    zmq_ctx_term(context);
}

/* ---- Bytes and frames -------------------------------------------------- */

static void a_frame_in_pieces_is_one_packet(void **state)
{
    static uint8_t out[KIT_ROOM];
    struct door_client *c = kit_joined(2);
    (void)state;

    kit_say(c, kit_make('e', 0, 0, 10));
    kit_hears(c, kit_make('e', 0, 0, 10));
    door_prove(kit.door, 1);
    for (uint32_t i = 1; i <= 200; i++) {
        size_t size = 6 + i * 300;
        size_t sealed = zmtp_seal(&c->z, kit_make('e', 0, i, size), out);
        for (size_t at = 0, step = 1 + i * 7 % 5000; at < sealed; at += step) {
            kit_send(c, out + at, sealed - at < step ? sealed - at : step);
            kit_turn();
        }
        kit_hears(c, kit_make('e', 0, i, size));
    }
    for (int i = 0; i < 10; i++)
        kit_turn();
    assert_int_equal(kit.door->partial_bytes, 0);
    kit_free(c);
}

/* Memory for a frame grows as the frame comes. */
static void a_frame_gets_memory_as_it_comes(void **state)
{
    static uint8_t out[KIT_ROOM];
    struct door_client *c = kit_joined(2);
    (void)state;

    kit_say(c, kit_make('e', 0, 0, 10));
    kit_hears(c, kit_make('e', 0, 0, 10));
    door_prove(kit.door, 1);
    const struct door_conn *conn = kit.door->lists[DOOR_ALL].first;
    size_t sealed = zmtp_seal(&c->z, kit_make('e', 0, 1, 60000), out);
    for (size_t at = 0; at < sealed; at += 500) {
        kit_send(c, out + at, sealed - at < 500 ? sealed - at : 500);
        if (at + 500 < sealed)
            kit_until(conn->partial.size == at + 500);
        assert_true(conn->partial.room <= 2 * (at + 500));
    }
    kit_hears(c, kit_make('e', 0, 1, 60000));
    kit_free(c);
}

/* Many handshakes take longer than one has time, on a busy machine. */
static void allow_time(void)
{
    kit.conf.gate.hello = kit.conf.handshake = span_s(600);
    door_reconfigure(kit.door, &kit.conf);
}

/* An idle connection keeps little. */
static void many_connections_stay_small(void **state)
{
    enum { MANY = 200 };
    struct door_client *c[MANY];
    (void)state;

    allow_time();
    for (uint8_t i = 0; i < MANY; i++)
        c[i] = kit_joined((uint8_t)(i + 2));
    for (uint32_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++)
            kit_say(c[i], kit_make('e', 0, round, 100));
        for (size_t i = 0; i < MANY; i++)
            kit_hears(c[i], kit_make('e', 0, round, 100));
    }
    assert_int_equal(door_count(kit.door), MANY);
    for (const struct door_conn *at = kit.door->lists[DOOR_ALL].first; at;
         at = at->links[DOOR_ALL].next) {
        assert_int_equal(at->partial.room, 0);
        assert_true(sizeof *at + at->out.room < 4 * 1024);
    }
    for (size_t i = 0; i < MANY; i++)
        kit_free(c[i]);
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.closed, MANY);
    assert_int_equal(kit.door->kept_bytes, 0);
}

static void empty_queues_keep_little_in_all(void **state)
{
    enum { MANY = 100 };
    struct door_client *c[MANY];
    size_t room = 0;
    (void)state;

    allow_time();
    for (uint8_t i = 0; i < MANY; i++) {
        c[i] = kit_joined((uint8_t)(i + 2));
        kit_say(c[i], kit_make('e', 0, 0, 10));
        kit_hears(c[i], kit_make('e', 0, 0, 10));
        door_prove(kit.door, kit.last_conn);
        kit_say(c[i], kit_make('e', 0, i, 60000));
        kit_hears(c[i], kit_make('e', 0, i, 60000));
    }
    for (const struct door_conn *at = kit.door->lists[DOOR_ALL].first; at;
         at = at->links[DOOR_ALL].next)
        room += at->out.room;
    assert_int_equal(room, kit.door->kept_bytes);
    assert_in_range(room, DOOR_KEPT / 2, DOOR_KEPT);
    for (size_t i = 0; i < MANY; i++)
        kit_free(c[i]);
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.door->kept_bytes, 0);
}

/* ---- Slow receivers ----------------------------------------------------- */

/* A reader that stops is blocked, and later gets everything in its order. */
static void a_slow_reader_blocks_and_loses_nothing(void **state)
{
    struct door_client *a = kit_joined(2), *b = kit_joined(3);
    uint32_t sent = 0;
    (void)state;

    kit_say(a, kit_make('-', 0, 0, 10));
    kit_until(kit.packets == 1);
    kit_say(b, kit_make('-', 0, 0, 10));
    kit_until(kit.packets == 2);
    door_prove(kit.door, 1);
    const struct door_conn *to = kit.door->lists[DOOR_ALL].last;
    while (kit.blocked == 0) {
        kit_say(a, kit_make('f', 2, sent++, 60000));
        kit_turn();
    }
    assert_int_equal(kit.writable, 0);
    assert_true(byte_queue_size(&to->out) < DOOR_CREDIT + 2 * PACKET_SIZE);
    /* What the owner writes in spite of it waits behind. */
    kit_say(a, kit_make('f', 2, sent++, 60000));
    size_t packets = 2 + sent;
    kit_until(kit.packets == packets);
    for (uint32_t i = 0; i < sent; i++)
        kit_hears(b, kit_make('f', 2, i, 60000));
    kit_until(kit.writable > 0);
    assert_int_equal(byte_queue_size(&to->out), 0);
    kit_free(a);
    kit_free(b);
}

/* One that sends much does not keep the others waiting. */
static void a_turn_reads_a_little_of_each(void **state)
{
    struct door_client *a = kit_joined(2), *b = kit_joined(3);
    static uint8_t out[KIT_ROOM];
    (void)state;

    kit_say(a, kit_make('-', 0, 0, 10));
    kit_until(kit.from_conn[1] == 1);
    kit_say(b, kit_make('-', 0, 0, 10));
    kit_until(kit.from_conn[2] == 1);
    for (size_t size = 1, all = 0; size > 0 && all < 4 * 1024 * 1024;
         all += size) {
        size = zmtp_seal(&a->z, kit_make('-', 0, 0, 1000), out);
        if (send(a->fd, out, size, MSG_DONTWAIT) < (ssize_t)size)
            size = 0;
    }
    kit_say(b, kit_make('-', 0, 0, 10));
    size_t before = kit.packets;
    while (kit.from_conn[2] == 1 && kit.packets < before + 1000)
        kit_turn();

    assert_int_equal(kit.from_conn[2], 2);
    assert_true(kit.packets - before <= 2 * (DOOR_READ / 1000) + 2);
    kit_free(a);
    kit_free(b);
}

/* ---- Ends --------------------------------------------------------------- */

/* Even if the connection breaks by a reset, because its end did not read. */
static void what_came_before_the_end_is_heard(void **state)
{
    static uint8_t out[KIT_ROOM];
    struct door_client *c = kit_joined(2);
    size_t size = 0;
    (void)state;

    for (uint32_t i = 0; i < 100; i++)
        kit_say(c, kit_make('e', 0, i, 1000));
    kit_until(kit.packets == 100);
    for (uint32_t i = 0; i < 30; i++)
        size += zmtp_seal(&c->z, kit_make('e', 0, i, 500), out + size);
    kit_send(c, out, size); /* In one segment, which the reset comes behind. */
    kit_free(c);            /* With unread bytes: a reset. */
    kit_until(kit.closed == 1);
    assert_int_equal(kit.packets, 130);
    assert_int_equal(door_count(kit.door), 0);
}

static void a_dropped_connection_gets_its_last_packets(void **state)
{
    struct door_client *c = kit_joined(2);
    (void)state;

    kit_say(c, kit_make('e', 0, 1, 100));
    kit_until(kit.packets == 1);
    kit_say(c, kit_make('d', 0, 1, 100));
    kit_say(c, kit_make('e', 0, 2, 100)); /* is not heard any more */
    kit_hears(c, kit_make('e', 0, 1, 100));
    assert_int_equal(door_count(kit.door), 1);
    kit.later = span_ms(301);
    kit_until(door_count(kit.door) == 0);
    assert_true(kit_is_ended(c));
    assert_int_equal(kit.packets, 2);
    assert_int_equal(kit.closed, 0); /* Its owner ended it. */
    kit_free(c);
}

/* ---- Listening ---------------------------------------------------------- */

static void connect_by_v6(struct door_client *c)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6,
                              .sin6_port = htons(kit.port),
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    close(c->fd);
    c->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&at, sizeof at), 0);
}

static void one_listener_takes_both_families(void **state)
{
    char text[ADDRESS_TEXT_SIZE];
    (void)state;

    kit_listen("*:0");
    assert_int_equal(strncmp(kit.bound, "tcp://*:", 8), 0);
    struct door_client *a = kit_joined(2);
    kit_say(a, kit_make('e', 0, 1, 10));
    kit_until(kit.packets == 1);
    assert_string_equal(address_format_ip(&kit.last_address, text),
                        "127.0.0.1");
    struct door_client *b = kit_client(3);
    connect_by_v6(b);
    kit_go(b, KIT_READY);
    kit_say(b, kit_make('e', 0, 1, 10));
    kit_until(kit.packets == 2);
    assert_string_equal(address_format_ip(&kit.last_address, text), "::1");
    kit_free(a);
    kit_free(b);
}

static void what_cannot_be_bound_is_told(void **state)
{
    char bound[LISTENER_TEXT_SIZE], taken[64];
    (void)state;

    assert_false(door_listen(kit.door, "192.0.2.1:0", bound));
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_false(door_listen(kit.door, "no-such-interface:0", bound));
    assert_int_equal(errno, ENODEV);
    assert_false(door_listen(kit.door, "127.0.0.1", bound));
    assert_int_equal(errno, EINVAL);
    snprintf(taken, sizeof taken, "127.0.0.1:%u", kit.port);
    assert_false(door_listen(kit.door, taken, bound));
    assert_int_equal(errno, EADDRINUSE);
    assert_true(door_listen(kit.door, "lo:0", bound));
}

#define WITH_DOOR(test)                                                        \
    cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DOOR(two_of_libzmq_talk_through_it),
        WITH_DOOR(libzmqs_heartbeats_are_answered),
        WITH_DOOR(a_frame_in_pieces_is_one_packet),
        WITH_DOOR(a_frame_gets_memory_as_it_comes),
        WITH_DOOR(many_connections_stay_small),
        WITH_DOOR(empty_queues_keep_little_in_all),
        WITH_DOOR(a_slow_reader_blocks_and_loses_nothing),
        WITH_DOOR(a_turn_reads_a_little_of_each),
        WITH_DOOR(what_came_before_the_end_is_heard),
        WITH_DOOR(a_dropped_connection_gets_its_last_packets),
        WITH_DOOR(one_listener_takes_both_families),
        WITH_DOOR(what_cannot_be_bound_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
