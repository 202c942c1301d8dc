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
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

static void both_learn_of_each_other(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    assert_int_equal(kit_told_present(&k, b.conn, &a), 1);
    assert_int_equal(kit_told_present(&k, b.conn, &b), 0);
    assert_int_equal(kit_told_present(&k, a.conn, &b), 1);
    assert_int_equal(kit_told_present(&k, a.conn, &a), 0);
}

static void a_connection_that_ends_shows_at_once(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    kit_event(&k, HUB_CLOSED, a.conn);
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
    assert_int_equal(kit_log(&k, a.conn)->log.what, HUB_EDGE_DOWN);
    assert_int_equal(kit_log(&k, a.conn)->log.reason, DEPARTURE_LOST);
    kit_event(&k, HUB_CLOSED, a.conn);
    assert_int_equal(k.todos.count, 0);
}

static void a_goodbye_is_passed_on(void **state)
{
    (void)state;
    static const uint8_t bye = RELAY_BYE;
    kit_hello(&k, &b);
    kit_packet(&k, &a, bytes_of(&bye, 1));
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_CLOSED));
    assert_int_equal(kit_count(&k, HUB_DROP, a.conn), 1);
    assert_int_equal(kit_edges(&k), 1);
}

static void silence_is_a_loss_after_the_edges_own_span(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    struct instant start = k.now;
    /* b is heard, a is not. */
    static const uint8_t ping[9] = {RELAY_PING};
    for (int i = 0; i < 10; i++) {
        assert_true(instant_is_never(kit_pass(&k, span_ms(290), a.conn)));
        kit_packet(&k, &b, bytes_of(ping, sizeof ping));
    }
    struct instant lost = kit_pass(&k, span_s(1), a.conn);
    assert_int_equal(instant_between(start, lost).us, 3000000);
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_SILENT));
    assert_int_equal(kit_edges(&k), 1);
}

static int64_t lost_after(uint32_t asked_ms)
{
    struct kit_node c;
    kit_node_make(&c, &k.mesh, 3);
    c.lost_after_ms = asked_ms;
    kit_hello(&k, &c);
    struct instant start = k.now;
    return instant_between(start, kit_pass(&k, span_s(1000), c.conn)).us / 1000;
}

static void the_span_asked_for_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(lost_after(0), 500);
    assert_int_equal(lost_after(1000), 1000);
    assert_int_equal(lost_after(UINT32_MAX), 300000);
}

static void a_late_hub_doubts_itself_first(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    /* The hub gets no processor for ten seconds; b's packets wait behind a's.
     */
    static const uint8_t ping[9] = {RELAY_PING};
    k.now = instant_after(k.now, span_s(10));
    kit_packet(&k, &a, bytes_of(ping, sizeof ping));
    assert_int_equal(kit_count(&k, HUB_DROP, b.conn), 0);
    k.now = instant_after(k.now, span_ms(20));
    kit_packet(&k, &b, bytes_of(ping, sizeof ping));
    assert_true(instant_is_never(kit_pass(&k, span_ms(2900), b.conn)));
    /* But the hub does not doubt itself for ever. */
    assert_false(instant_is_never(kit_pass(&k, span_ms(300), b.conn)));
}

static void a_hub_that_is_always_late_still_finds_lost_edges(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    for (int i = 0; i < 60; i++) {
        k.now = instant_after(k.now, span_ms(500));
        kit_event(&k, HUB_TICK, 0);
        if (kit_count(&k, HUB_DROP, b.conn) > 0)
            return;
    }
    fail_msg("a silent edge was never lost");
}

static void announce(struct kit_node *n, const char *sealed)
{
    uint8_t packet[64] = {RELAY_ANNOUNCE};
    memcpy(packet + 1, sealed, strlen(sealed));
    n->sealed = bytes_of_string(sealed);
    kit_packet(&k, n, bytes_of(packet, 1 + strlen(sealed)));
}

static bool told_sealed(uint64_t conn, const char *sealed)
{
    struct bytes packet;
    for (size_t i = 0;
         (packet = kit_written(&k, conn, RELAY_PRESENT, i)).size > 0; i++) {
        struct reader r = reader_of(packet);
        struct roster_entry entry;
        read_u8(&r);
        while (roster_entry_next(&r, &entry)) {
            if (bytes_equal(entry.sealed, bytes_of_string(sealed)))
                return true;
        }
    }
    return false;
}

static void an_announcement_goes_to_the_others(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    announce(&a, "news");
    assert_true(told_sealed(b.conn, "news"));
    assert_false(kit_wrote(&k, a.conn, RELAY_PRESENT));
    /* And to edges that come later. */
    struct kit_node c;
    kit_node_make(&c, &k.mesh, 3);
    kit_hello(&k, &c);
    assert_true(told_sealed(c.conn, "news"));
}

static void a_flood_of_announcements_becomes_the_newest(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    size_t told = 0;
    char text[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "news %d", i);
        announce(&a, text);
        told += kit_told_present(&k, b.conn, &a);
    }
    assert_in_range(told, 1, 10);
    kit_pass(&k, span_ms(300), 0);
    assert_true(told_sealed(b.conn, "news 999"));
    assert_int_equal(kit_told_present(&k, b.conn, &a), 1);
}

static void an_announcement_too_large_is_not_taken(void **state)
{
    (void)state;
    static uint8_t packet[SEALED_ANNOUNCEMENT_SIZE + 2] = {RELAY_ANNOUNCE};
    kit_hello(&k, &b);
    kit_packet(&k, &a, bytes_of(packet, SEALED_ANNOUNCEMENT_SIZE + 2));
    assert_int_equal(k.todos.count, 0);
    kit_packet(&k, &a, bytes_of(packet, SEALED_ANNOUNCEMENT_SIZE + 1));
    assert_true(kit_wrote(&k, b.conn, RELAY_PRESENT));
}

static void a_connection_made_anew_is_no_news(void **state)
{
    (void)state;
    kit_hello(&k, &b);
    a.conn = 50;
    kit_hello(&k, &a);
    assert_false(kit_wrote(&k, b.conn, RELAY_PRESENT));
    assert_false(kit_wrote(&k, b.conn, RELAY_GONE));
    assert_int_equal(kit_told_present(&k, 50, &b), 1);
    /* The end of the old connection is not the node's end. */
    kit_event(&k, HUB_CLOSED, 1);
    assert_int_equal(k.todos.count, 0);

    a.conn = 51;
    a.epoch++;
    kit_hello(&k, &a);
    assert_int_equal(kit_told_present(&k, b.conn, &a), 1);
    assert_false(kit_wrote(&k, b.conn, RELAY_GONE));

    a.conn = 52;
    a.sealed = bytes_of("other", 5);
    kit_hello(&k, &a);
    assert_int_equal(kit_told_present(&k, b.conn, &a), 1);
}

/* A mesh of large announcements: many packets, each with many entries. */
static void a_large_roster_comes_in_portions(void **state)
{
    (void)state;
    enum { NODES = 60 };
    static uint8_t sealed[20000];
    static struct kit_node nodes[NODES];
    k.conf.limits.edges_per_address = 1000;
    kit_reconfigure(&k);
    for (uint16_t i = 0; i < NODES; i++) {
        kit_node_make(&nodes[i], &k.mesh, (uint16_t)(100 + i));
        nodes[i].sealed = bytes_of(sealed, sizeof sealed);
        nodes[i].lost_after_ms = UINT32_MAX;
        kit_hello(&k, &nodes[i]);
        kit_pass(&k, span_ms(1), 0);
    }
    kit_hello(&k, &b);
    size_t step = 0;
    for (size_t i = 0; i < k.todos.count; i++)
        step +=
            k.todos.items[i].conn == b.conn ? k.todos.items[i].bytes.size : 0;
    assert_true(step < 400000);
    assert_false(kit_wrote(&k, b.conn, RELAY_SYNCED));

    bool told[NODES] = {false};
    for (int i = 0; i < NODES; i++)
        told[i] = kit_told_present(&k, b.conn, &nodes[i]) > 0;
    /* Meanwhile a node leaves that was not in the roster so far, and another
     * joins. */
    kit_event(&k, HUB_CLOSED, nodes[NODES - 1].conn);
    assert_true(kit_told_gone(&k, b.conn, &nodes[NODES - 1], DEPARTURE_LOST));
    kit_pass(&k, span_ms(1), 0);
    for (int i = 0; i < NODES; i++)
        told[i] |= kit_told_present(&k, b.conn, &nodes[i]) > 0;
    assert_true(kit_wrote(&k, b.conn, RELAY_SYNCED));
    for (int i = 0; i < NODES - 1; i++)
        assert_true(told[i]);
    assert_false(told[NODES - 1]);
}

static void a_roster_waits_for_a_blocked_edge(void **state)
{
    (void)state;
    enum { NODES = 60 };
    static uint8_t sealed[20000];
    static struct kit_node nodes[NODES];
    k.conf.limits.edges_per_address = 1000;
    kit_reconfigure(&k);
    for (uint16_t i = 0; i < NODES; i++) {
        kit_node_make(&nodes[i], &k.mesh, (uint16_t)(100 + i));
        nodes[i].sealed = bytes_of(sealed, sizeof sealed);
        kit_hello(&k, &nodes[i]);
        kit_pass(&k, span_ms(1), 0);
    }
    kit_hello(&k, &b);
    kit_event(&k, HUB_BLOCKED, b.conn);
    /* The next node of the roster leaves, and so do all before it. */
    for (int i = 0; i < NODES / 2; i++) {
        kit_event(&k, HUB_CLOSED, nodes[i].conn);
        assert_int_equal(kit_count(&k, HUB_WRITE, b.conn), 0);
    }
    kit_event(&k, HUB_WRITABLE, b.conn);
    assert_true(kit_told_gone(&k, b.conn, &nodes[0], DEPARTURE_LOST));
    bool synced = kit_wrote(&k, b.conn, RELAY_SYNCED);
    size_t told = 0;
    for (int i = NODES / 2; i < NODES; i++)
        told += kit_told_present(&k, b.conn, &nodes[i]);
    kit_pass(&k, span_ms(5), 0);
    for (int i = NODES / 2; i < NODES; i++)
        told += kit_told_present(&k, b.conn, &nodes[i]);
    synced |= kit_wrote(&k, b.conn, RELAY_SYNCED);
    assert_int_equal(told, NODES / 2);
    assert_true(synced);
}

/* A node that the roster has not named yet connects anew, unchanged. It is now
 * behind the edge that gets the roster. */
static void a_roster_includes_nodes_that_connect_anew(void **state)
{
    (void)state;
    enum { NODES = 30 };
    static uint8_t sealed[20000];
    static struct kit_node nodes[NODES];
    for (uint16_t i = 0; i < NODES; i++) {
        kit_node_make(&nodes[i], &k.mesh, (uint16_t)(100 + i));
        nodes[i].sealed = bytes_of(sealed, sizeof sealed);
        kit_hello(&k, &nodes[i]);
        kit_pass(&k, span_ms(1), 0);
    }
    struct kit_node *last = &nodes[NODES - 1];
    kit_hello(&k, &b);
    assert_int_equal(kit_told_present(&k, b.conn, last), 0);
    last->conn = 500;
    kit_hello(&k, last);
    size_t told = kit_told_present(&k, b.conn, last);
    kit_pass(&k, span_ms(5), 0);
    told += kit_told_present(&k, b.conn, last);
    assert_true(told > 0);
    assert_true(kit_wrote(&k, b.conn, RELAY_SYNCED));
}

static void everyone_knows_everyone(void **state)
{
    (void)state;
    enum { NODES = 50 };
    static struct kit_node nodes[NODES];
    size_t told = 0;
    for (uint16_t i = 0; i < NODES; i++) {
        kit_node_make(&nodes[i], &k.mesh, (uint16_t)(100 + i));
        kit_hello(&k, &nodes[i]);
        for (uint16_t j = 0; j < i; j++) {
            told += kit_told_present(&k, nodes[j].conn, &nodes[i]);
            told += kit_told_present(&k, nodes[i].conn, &nodes[j]);
        }
    }
    assert_int_equal(told, NODES * (NODES - 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_learn_of_each_other),
        TEST(a_connection_that_ends_shows_at_once),
        TEST(a_goodbye_is_passed_on),
        TEST(silence_is_a_loss_after_the_edges_own_span),
        TEST(the_span_asked_for_is_bounded),
        TEST(a_late_hub_doubts_itself_first),
        TEST(a_hub_that_is_always_late_still_finds_lost_edges),
        TEST(an_announcement_goes_to_the_others),
        TEST(a_flood_of_announcements_becomes_the_newest),
        TEST(an_announcement_too_large_is_not_taken),
        TEST(a_connection_made_anew_is_no_news),
        TEST(a_large_roster_comes_in_portions),
        TEST(a_roster_waits_for_a_blocked_edge),
        TEST(a_roster_includes_nodes_that_connect_anew),
        TEST(everyone_knows_everyone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
