/*
 * limits.memory: the bytes that the hub stores for all edges together.
 */
#include "hub_kit.h"

#include "common/wire/multicast.h"

enum { NODES = 40, LIMIT = 4 << 20, SIZE = 60000, COST = SIZE + 33 + 64 };

static struct kit k;
static struct kit_node nodes[NODES]; /* the first sends */
static uint8_t room[PACKET_SIZE];

static int setup(void **state)
{
    (void)state;
    kit_open(&k);
    k.conf.limits.queue = 1 << 20;
    k.conf.limits.memory = LIMIT;
    kit_reconfigure(&k);
    for (uint16_t i = 0; i < NODES; i++) {
        kit_node_make(&nodes[i], &k.mesh, (uint16_t)(i + 1));
        kit_hello(&k, &nodes[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

/* Sends a packet to the edge; true if it was written or queued. */
static bool forward(int to)
{
    memset(room, 0, sizeof room);
    room[0] = RELAY_FORWARD;
    memcpy(room + 1, nodes[to].id.key, KEY_SIZE);
    kit_packet(&k, &nodes[0], bytes_of(room, FORWARD_HEADER_SIZE + SIZE));
    assert_true(kit_counters(&k).memory <= LIMIT);
    return kit_refusal(&k, nodes[0].conn) != REFUSAL_QUEUE_FULL;
}

static void block(int i)
{
    kit_event(&k, HUB_BLOCKED, nodes[i].conn);
}

/* More and more edges take nothing. Each queue is shorter than the one before,
 * but none has no room. */
static void queues_get_shorter_as_memory_gets_less(void **state)
{
    (void)state;
    int most = 0;
    for (int to = 1; to < NODES; to++) {
        int taken = 0;
        block(to);
        while (forward(to))
            taken++;
        assert_true(to == 1 || taken <= most);
        assert_true(to > 4 || taken >= 8);
        most = taken;
    }
    assert_int_equal(kit_edges(&k), NODES); /* the hub ended no edge */
    assert_true(kit_counters(&k).memory > LIMIT - 4 * COST);

    /* An edge that reads again makes room for the others. */
    kit_event(&k, HUB_WRITABLE, nodes[1].conn);
    kit_pass(&k, span_ms(10), 0);
    hub_todos_clear(&k.todos);
    assert_true(forward(NODES - 1));
    kit_event(&k, HUB_CLOSED, nodes[2].conn);
    for (int i = 0; i < 8; i++)
        assert_true(forward(NODES - 1));
}

static void want_all(int i)
{
    uint8_t groups[1 + GROUP_TAG_SIZE] = {RELAY_GROUPS};
    kit_packet(&k, &nodes[i], bytes_of(groups, sizeof groups));
}

static void publish(void)
{
    memset(room, 0, sizeof room);
    room[0] = RELAY_MULTICAST;
    room[FORWARD_HEADER_SIZE] = PACKET_MULTICAST;
    room[FORWARD_HEADER_SIZE + 1 + GROUP_TAG_SIZE] = 1; /* key */
    room[FORWARD_HEADER_SIZE + 1 + GROUP_TAG_SIZE + 4] = 1;
    kit_packet(&k, &nodes[0], bytes_of(room, SIZE));
}

static void a_packet_for_many_counts_once(void **state)
{
    (void)state;
    for (int i = 1; i < NODES; i++) {
        want_all(i);
        block(i);
    }
    uint64_t before = kit_counters(&k).memory;
    for (int i = 0; i < 10; i++)
        publish();
    assert_int_equal(kit_counters(&k).dropped[REFUSAL_QUEUE_FULL], 0);
    assert_true(kit_counters(&k).memory - before <= 10 * COST);
    assert_true(kit_counters(&k).queue_bytes > LIMIT);
    for (int i = 1; i < NODES; i++) {
        kit_event(&k, HUB_WRITABLE, nodes[i].conn);
        kit_pass(&k, span_ms(10), 0);
    }
    hub_todos_clear(&k.todos);
    assert_int_equal(kit_counters(&k).memory, before);
}

/* A control packet finds no room: the hub ends the edge with the longest queue.
 * The others and the sender stay. */
static void control_packets_without_room_end_the_largest_edge(void **state)
{
    (void)state;
    static uint8_t announcement[1 + 20000] = {RELAY_ANNOUNCE};
    for (int i = 1; i < NODES; i++)
        block(i);
    for (int i = 0; i < 15; i++)
        assert_true(forward(5));
    for (int i = 0; i < 5; i++) {
        k.now = instant_after(k.now, span_s(1));
        kit_packet(&k, &nodes[0], bytes_of(announcement, sizeof announcement));
        assert_true(kit_counters(&k).memory <= LIMIT);
        if (kit_count(&k, HUB_DROP, nodes[5].conn) > 0)
            break;
        assert_int_equal(kit_edges(&k), NODES);
    }
    assert_int_equal(kit_count(&k, HUB_DROP, nodes[5].conn), 1);
    assert_int_equal(kit_log(&k, nodes[5].conn)->log.reason, REFUSAL_FULL);
    assert_int_equal(kit_edges(&k), NODES - 1);
}

/* The hub keeps the lists that an edge sends, and counts them as memory. */
static void the_edge_with_the_longest_lists_goes_at_the_limit(void **state)
{
    (void)state;
    static uint8_t list[1 + 1000 * (1 + KEY_SIZE)] = {RELAY_SPARE};
    for (int i = 0; i < 1000; i++) {
        list[1 + i * (1 + KEY_SIZE)] = 1;
        memcpy(&list[1 + i * (1 + KEY_SIZE) + 1], &i, sizeof i);
    }
    k.conf.limits.memory = 200 * 1024;
    kit_reconfigure(&k);
    kit_packet(&k, &nodes[1], bytes_of(list, sizeof list));
    assert_int_equal(kit_edges(&k), NODES);
    kit_packet(&k, &nodes[2], bytes_of(list, sizeof list));
    assert_true(kit_counters(&k).memory <= 200 * 1024);
    hub_todos_clear(&k.todos);
    kit_packet(&k, &nodes[3], bytes_of(list, sizeof list));
    assert_int_equal(kit_edges(&k), NODES - 1);
    assert_true(kit_counters(&k).memory <= 200 * 1024);
    want_all(0);
    assert_int_equal(kit_edges(&k), NODES - 1);
    for (int i = 0; i < NODES; i++)
        kit_event(&k, HUB_CLOSED, nodes[i].conn);
    assert_int_equal(kit_counters(&k).memory, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(queues_get_shorter_as_memory_gets_less),
        TEST(a_packet_for_many_counts_once),
        TEST(control_packets_without_room_end_the_largest_edge),
        TEST(the_edge_with_the_longest_lists_goes_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
