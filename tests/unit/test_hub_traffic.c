#include "hub_kit.h"

static struct kit k;
static struct kit_node a;
static struct kit_node b;

static int setup(void **state)
{
    (void)state;
    kit_open(&k);
    kit_node_make(&a, &k.mesh, 1);
    kit_node_make(&b, &k.mesh, 2);
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

static uint8_t room[PACKET_SIZE + 100];

static struct bytes forward_to(const struct kit_node *to, size_t size)
{
    memset(room, 0x5a, sizeof room);
    room[0] = RELAY_FORWARD;
    memcpy(room + 1, to->id.key, KEY_SIZE);
    return bytes_of(room, FORWARD_HEADER_SIZE + size);
}

static void forward(const struct kit_node *from, const struct kit_node *to,
                    size_t size)
{
    kit_packet(&k, from, forward_to(to, size));
}

static void forward_refused(const struct kit_node *from,
                            const struct kit_node *to, enum refusal reason)
{
    assert_int_equal(kit_refusal(&k, from->conn), reason);
    struct bytes refused = kit_written(&k, from->conn, RELAY_REFUSED, 0);
    assert_memory_equal(refused.data + 2, to->id.key, KEY_SIZE);
    assert_int_equal(kit_count(&k, HUB_DROP, from->conn), 0);
    assert_int_equal(kit_count(&k, HUB_FORWARD, to->conn), 0);
    struct hub_counters c;
    hub_counters_get(k.hub, &c);
    assert_true(c.dropped[reason] > 0);
}

static void a_forward_goes_on_in_place_with_its_sender(void **state)
{
    (void)state;
    struct bytes packet = forward_to(&b, 10);
    hub_todos_clear(&k.todos);
    hub_step(k.hub, k.now,
             &(struct hub_event){.kind = HUB_PACKET,
                                 .conn = a.conn,
                                 .data = room,
                                 .size = packet.size},
             &k.todos);
    assert_int_equal(k.todos.count, 1);
    assert_int_equal(k.todos.items[0].kind, HUB_FORWARD);
    assert_int_equal(k.todos.items[0].conn, b.conn);
    assert_int_equal(room[0], RELAY_FORWARDED);
    assert_memory_equal(room + 1, a.id.key, KEY_SIZE);
    assert_int_equal(room[FORWARD_HEADER_SIZE], 0x5a);
}

static void a_forward_to_an_absent_node_is_refused(void **state)
{
    (void)state;
    struct kit_node c;
    kit_node_make(&c, &k.mesh, 3);
    forward(&a, &c, 10);
    forward_refused(&a, &c, REFUSAL_NO_PEER);
}

static void meshes_are_apart(void **state)
{
    (void)state;
    struct kit_mesh other;
    struct kit_node c;
    kit_mesh_make(&other, 9);
    kit_node_make(&c, &other, 3);
    k.conf.any_mesh = true;
    kit_reconfigure(&k);
    kit_hello(&k, &c);
    assert_true(kit_wrote(&k, c.conn, RELAY_WELCOME));
    assert_false(kit_wrote(&k, c.conn, RELAY_PRESENT));
    assert_false(kit_wrote(&k, a.conn, RELAY_PRESENT));
    forward(&a, &c, 10);
    forward_refused(&a, &c, REFUSAL_NO_PEER);
    forward(&c, &a, 10);
    forward_refused(&c, &a, REFUSAL_NO_PEER);
    kit_event(&k, HUB_CLOSED, c.conn);
    assert_false(kit_wrote(&k, a.conn, RELAY_GONE));
}

static void the_same_node_in_two_meshes_is_two(void **state)
{
    (void)state;
    struct kit_mesh other;
    struct kit_node c = a;
    kit_mesh_make(&other, 9);
    kit_certify(&c, &other, "node-1", KIT_UNIX + 100);
    c.conn = 3;
    k.conf.any_mesh = true;
    kit_reconfigure(&k);
    kit_hello(&k, &c);
    assert_true(kit_wrote(&k, 3, RELAY_WELCOME));
    assert_int_equal(kit_count(&k, HUB_DROP, a.conn), 0);
    forward(&b, &a, 10);
    assert_int_equal(kit_count(&k, HUB_FORWARD, a.conn), 1);
    assert_int_equal(kit_count(&k, HUB_FORWARD, 3), 0);
}

static void the_largest_packet_passes_and_no_larger(void **state)
{
    (void)state;
    forward(&a, &b, PACKET_SIZE - FORWARD_HEADER_SIZE);
    assert_int_equal(kit_count(&k, HUB_FORWARD, b.conn), 1);
    forward(&a, &b, PACKET_SIZE - FORWARD_HEADER_SIZE + 1);
    forward_refused(&a, &b, REFUSAL_TOO_LARGE);
    forward(&a, &b, 0);
    assert_int_equal(k.todos.count, 0);
}

static void a_blocked_edge_gets_it_later_and_in_order(void **state)
{
    (void)state;
    kit_event(&k, HUB_BLOCKED, b.conn);
    for (size_t i = 1; i <= 3; i++) {
        forward(&a, &b, i);
        assert_int_equal(k.todos.count, 0);
    }
    struct hub_counters c;
    hub_counters_get(k.hub, &c);
    assert_true(c.queue_bytes >= 3 * FORWARD_HEADER_SIZE + 6);

    kit_event(&k, HUB_WRITABLE, b.conn);
    for (size_t i = 1; i <= 3; i++) {
        struct bytes p = kit_written(&k, b.conn, RELAY_FORWARDED, i - 1);
        assert_int_equal(p.size, FORWARD_HEADER_SIZE + i);
        assert_memory_equal(p.data + 1, a.id.key, KEY_SIZE);
    }
    hub_counters_get(k.hub, &c);
    assert_int_equal(c.queue_bytes, 0);
    forward(&a, &b, 4);
    assert_int_equal(kit_count(&k, HUB_FORWARD, b.conn), 1);
}

static void a_full_queue_refuses_and_hurts_nobody_else(void **state)
{
    (void)state;
    struct kit_node c;
    struct hub_counters counters;
    kit_node_make(&c, &k.mesh, 3);
    kit_hello(&k, &c);
    kit_event(&k, HUB_BLOCKED, b.conn);
    int taken = 0;
    while (taken < 1000) {
        forward(&a, &b, 10000);
        if (k.todos.count > 0)
            break;
        taken++;
    }
    forward_refused(&a, &b, REFUSAL_QUEUE_FULL);
    assert_in_range(taken, 90, 105); /* of 10 kB in 1 MiB */
    hub_counters_get(k.hub, &counters);
    assert_true(counters.queue_bytes <= k.conf.limits.queue);

    forward(&a, &c, 10);
    assert_int_equal(kit_count(&k, HUB_FORWARD, c.conn), 1);
    kit_event(&k, HUB_CLOSED, b.conn);
    hub_counters_get(k.hub, &counters);
    assert_int_equal(counters.queue_bytes, 0);
}

/* The flooding sender is told that it loses a packet in favour of a sender of
 * few packets. */
static void a_flooding_sender_gives_way(void **state)
{
    (void)state;
    struct kit_node c;
    struct hub_counters counters;
    kit_node_make(&c, &k.mesh, 3);
    kit_hello(&k, &c);
    kit_event(&k, HUB_BLOCKED, b.conn);
    for (int i = 0; i < 200; i++)
        forward(&a, &b, 10000);
    forward_refused(&a, &b, REFUSAL_QUEUE_FULL);
    forward(&c, &b, 20000);
    assert_int_equal(kit_refusal(&k, c.conn), REFUSAL_NONE);
    forward_refused(&a, &b, REFUSAL_QUEUE_FULL);
    hub_counters_get(k.hub, &counters);
    assert_true(counters.queue_bytes <= k.conf.limits.queue);
    /* And its packet does not wait for all earlier ones. */
    kit_event(&k, HUB_WRITABLE, b.conn);
    size_t at = 0;
    struct bytes p;
    while ((p = kit_written(&k, b.conn, RELAY_FORWARDED, at)).size > 0 &&
           memcmp(p.data + 1, c.id.key, KEY_SIZE) != 0)
        at++;
    assert_int_equal(p.size, FORWARD_HEADER_SIZE + 20000);
    assert_in_range(at, 1, 7);
}

static void a_flooding_sender_that_left_gives_way_too(void **state)
{
    (void)state;
    struct kit_node c;
    kit_node_make(&c, &k.mesh, 3);
    kit_hello(&k, &c);
    kit_event(&k, HUB_BLOCKED, b.conn);
    for (int i = 0; i < 200; i++)
        forward(&a, &b, 10000);
    kit_event(&k, HUB_CLOSED, a.conn);
    forward(&c, &b, 20000);
    assert_int_equal(k.todos.count, 0);
    kit_event(&k, HUB_CLOSED, b.conn);
    struct hub_counters counters;
    hub_counters_get(k.hub, &counters);
    assert_int_equal(counters.queue_bytes, 0);
}

static void a_long_queue_is_handed_out_in_portions(void **state)
{
    (void)state;
    kit_event(&k, HUB_BLOCKED, b.conn);
    for (int i = 0; i < 15; i++)
        forward(&a, &b, 60000);
    kit_event(&k, HUB_WRITABLE, b.conn);
    size_t first = kit_count(&k, HUB_WRITE, b.conn);
    assert_in_range(first, 4, 6);
    /* Blocked again: nothing more until it is writable. */
    kit_event(&k, HUB_BLOCKED, b.conn);
    kit_pass(&k, span_ms(10), 0);
    assert_int_equal(kit_count(&k, HUB_WRITE, b.conn), 0);
    kit_event(&k, HUB_WRITABLE, b.conn);
    size_t second = kit_count(&k, HUB_WRITE, b.conn);
    /* Packets that come meanwhile wait behind. */
    forward(&a, &b, 1);
    assert_int_equal(kit_count(&k, HUB_FORWARD, b.conn), 0);
    size_t third = kit_count(&k, HUB_WRITE, b.conn);
    kit_pass(&k, span_ms(10), 0);
    assert_int_equal(first + second + third + kit_count(&k, HUB_WRITE, b.conn),
                     16);
    struct bytes last = kit_written(&k, b.conn, RELAY_FORWARDED,
                                    kit_count(&k, HUB_WRITE, b.conn) - 1);
    assert_int_equal(last.size, FORWARD_HEADER_SIZE + 1);
}

static void control_goes_before_data(void **state)
{
    (void)state;
    struct kit_node c;
    kit_node_make(&c, &k.mesh, 3);
    kit_event(&k, HUB_BLOCKED, b.conn);
    forward(&a, &b, 10);
    kit_hello(&k, &c);
    assert_int_equal(kit_count(&k, HUB_WRITE, b.conn), 0);
    kit_event(&k, HUB_WRITABLE, b.conn);
    assert_int_equal(k.todos.count, 2);
    assert_int_equal(k.todos.items[0].bytes.data[0], RELAY_PRESENT);
    assert_int_equal(k.todos.items[1].bytes.data[0], RELAY_FORWARDED);
}

static void an_edge_that_takes_no_control_packets_is_dropped(void **state)
{
    (void)state;
    static const uint8_t ping[9] = {RELAY_PING, 1, 2, 3};
    kit_event(&k, HUB_BLOCKED, b.conn);
    int pings = 0;
    while (pings++ < 100000) {
        kit_packet(&k, &b, bytes_of(ping, sizeof ping));
        if (kit_count(&k, HUB_DROP, b.conn) > 0)
            break;
    }
    assert_int_equal(kit_log(&k, b.conn)->log.reason, REFUSAL_QUEUE_FULL);
    assert_true(kit_told_gone(&k, a.conn, &b, DEPARTURE_LOST));
    /* The edge was blocked, so the hub writes nothing more to it. */
    assert_int_equal(kit_count(&k, HUB_WRITE, b.conn), 0);
    assert_int_equal(kit_edges(&k), 1);
}

static void a_ping_is_answered(void **state)
{
    (void)state;
    static const uint8_t ping[9] = {RELAY_PING, 1, 2, 3, 4, 5, 6, 7, 8};
    kit_packet(&k, &a, bytes_of(ping, sizeof ping));
    struct bytes pong = kit_written(&k, a.conn, RELAY_PONG, 0);
    assert_int_equal(pong.size, sizeof ping);
    assert_memory_equal(pong.data + 1, ping + 1, 8);
    kit_packet(&k, &a, bytes_of(ping, 8));
    assert_int_equal(k.todos.count, 0);
}

static void the_rate_limit_holds(void **state)
{
    (void)state;
    k.conf.limits.rate = 100000;
    kit_reconfigure(&k);
    int passed = 0;
    for (int i = 0; i < 1000; i++) {
        forward(&a, &b, 1000 - FORWARD_HEADER_SIZE);
        passed += (int)kit_count(&k, HUB_FORWARD, b.conn);
    }
    assert_int_equal(passed, 100); /* a second's worth at once */
    forward_refused(&a, &b, REFUSAL_QUEUE_FULL);
    /* The other edge has a rate of its own. */
    forward(&b, &a, 10);
    assert_int_equal(kit_count(&k, HUB_FORWARD, a.conn), 1);

    passed = 0;
    for (int i = 0; i < 1000; i++) {
        k.now = instant_after(k.now, span_us(777));
        forward(&a, &b, 1000 - FORWARD_HEADER_SIZE);
        passed += (int)kit_count(&k, HUB_FORWARD, b.conn);
    }
    assert_in_range(passed, 76, 78);
}

static void a_slow_rate_still_passes_a_whole_packet(void **state)
{
    (void)state;
    k.conf.limits.rate = 1000;
    kit_reconfigure(&k);
    forward(&a, &b, 60000);
    assert_int_equal(kit_count(&k, HUB_FORWARD, b.conn), 1);
    forward(&a, &b, 60000);
    forward_refused(&a, &b, REFUSAL_QUEUE_FULL);
}

static void a_rate_beyond_all_numbers_does_not_overflow(void **state)
{
    (void)state;
    k.conf.limits.rate = UINT64_MAX;
    kit_reconfigure(&k);
    kit_event(&k, HUB_CLOSED, a.conn);
    kit_event(&k, HUB_CLOSED, b.conn);
    kit_certify(&a, &k.mesh, "node-1", UINT64_MAX);
    kit_certify(&b, &k.mesh, "node-2", UINT64_MAX);
    for (int i = 0; i < 10; i++) {
        k.now = instant_after(k.now, span_s(100000));
        kit_event(&k, HUB_TICK, 0);
        kit_hello(&k, &a);
        kit_hello(&k, &b);
        forward(&a, &b, 60000);
        assert_int_equal(kit_count(&k, HUB_FORWARD, b.conn), 1);
        kit_event(&k, HUB_CLOSED, a.conn);
        kit_event(&k, HUB_CLOSED, b.conn);
    }
}

/* The hub survives any bytes of an admitted edge. */
static void no_bytes_of_an_edge_harm_the_hub(void **state)
{
    (void)state;
    static const uint8_t types[] = {RELAY_HELLO,
                                    RELAY_ANNOUNCE,
                                    RELAY_FORWARD,
                                    RELAY_PING,
                                    RELAY_BYE,
                                    RELAY_GROUPS,
                                    RELAY_MULTICAST,
                                    RELAY_SPARE,
                                    RELAY_REVOCATION,
                                    RELAY_WELCOME,
                                    0xff};
    uint8_t seed[32] = {4};
    for (uint32_t i = 0; i < 5000; i++) {
        uint8_t random[128];
        memcpy(seed + 1, &i, sizeof i);
        randombytes_buf_deterministic(random, sizeof random, seed);
        random[1] = types[random[1] % sizeof types];
        kit_packet(&k, &a, bytes_of(random + 1, random[0] % 100));
        if (kit_count(&k, HUB_DROP, a.conn) > 0)
            kit_hello(&k, &a);
    }
    static const uint8_t ping[9] = {RELAY_PING};
    kit_packet(&k, &b, bytes_of(ping, sizeof ping));
    assert_true(kit_wrote(&k, b.conn, RELAY_PONG));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_forward_goes_on_in_place_with_its_sender),
        TEST(a_forward_to_an_absent_node_is_refused),
        TEST(meshes_are_apart),
        TEST(the_same_node_in_two_meshes_is_two),
        TEST(the_largest_packet_passes_and_no_larger),
        TEST(a_blocked_edge_gets_it_later_and_in_order),
        TEST(a_full_queue_refuses_and_hurts_nobody_else),
        TEST(a_flooding_sender_gives_way),
        TEST(a_flooding_sender_that_left_gives_way_too),
        TEST(a_long_queue_is_handed_out_in_portions),
        TEST(control_goes_before_data),
        TEST(an_edge_that_takes_no_control_packets_is_dropped),
        TEST(a_ping_is_answered),
        TEST(the_rate_limit_holds),
        TEST(a_slow_rate_still_passes_a_whole_packet),
        TEST(a_rate_beyond_all_numbers_does_not_overflow),
        TEST(no_bytes_of_an_edge_harm_the_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
