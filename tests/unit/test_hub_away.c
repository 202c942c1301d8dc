/* Edges whose connection broke, and that said that they return. */
#include "hub_kit.h"

static struct kit k;
static struct kit_node a, b;

static int set_up(void **state)
{
    (void)state;
    kit_open(&k);
    kit_node_make(&a, &k.mesh, 1);
    kit_node_make(&b, &k.mesh, 2);
    a.lost_after_ms = b.lost_after_ms = 60000;
    kit_hello(&k, &a);
    kit_hello(&k, &b);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_close(&k);
    return 0;
}

static void says_returns(uint16_t ms)
{
    uint8_t packet[] = {RELAY_RETURNS, (uint8_t)ms, (uint8_t)(ms >> 8)};

    kit_packet(&k, &a, bytes_of(packet, sizeof packet));
}

static void breaks(void)
{
    kit_event(&k, HUB_CLOSED, a.conn);
}

/* By the next connection. */
static void comes_back(void)
{
    a.conn += 100;
    kit_hello(&k, &a);
    assert_true(kit_wrote(&k, a.conn, RELAY_WELCOME));
}

static void b_sends(uint8_t byte)
{
    uint8_t packet[FORWARD_HEADER_SIZE + 1] = {RELAY_FORWARD};

    memcpy(packet + 1, a.id.key, KEY_SIZE);
    packet[FORWARD_HEADER_SIZE] = byte;
    kit_packet(&k, &b, bytes_of(packet, sizeof packet));
}

static bool gone_after(int ms)
{
    (void)kit_pass(&k, span_ms(ms), 0);
    return kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST);
}

static void b_hears_nothing(void)
{
    assert_false(kit_wrote(&k, b.conn, RELAY_GONE));
    assert_false(kit_wrote(&k, b.conn, RELAY_PRESENT));
    assert_false(kit_wrote(&k, b.conn, RELAY_REFUSED));
}

/* --- who comes back, and who does not ------------------------------------ */

static void without_returns_it_is_gone_at_once(void **state)
{
    (void)state;
    breaks();
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
    assert_int_equal(kit_edges(&k), 1);
}

static void one_that_returns_in_time_was_not_away(void **state)
{
    (void)state;
    says_returns(2000);
    breaks();
    b_hears_nothing();
    assert_false(gone_after(1999));
    comes_back();
    b_hears_nothing();
    assert_int_equal(kit_count(&k, HUB_DROP, 1), 0);
    assert_false(kit_wrote(&k, 1, RELAY_REFUSED));
    assert_int_equal(kit_counters(&k).refused[REFUSAL_REPLACED], 0);
    assert_false(gone_after(10000));
    assert_int_equal(kit_edges(&k), 2);
    breaks(); /* The new connection said nothing. */
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
}

static void one_that_does_not_return_is_gone(void **state)
{
    (void)state;
    says_returns(2000);
    breaks();
    assert_false(gone_after(1999));
    assert_true(gone_after(2));
    assert_int_equal(kit_count(&k, HUB_DROP, 1), 0);
    assert_int_equal(kit_edges(&k), 1);
}

static void no_edge_is_away_for_longer_than_five_seconds(void **state)
{
    (void)state;
    says_returns(60000);
    breaks();
    assert_false(gone_after(4999));
    assert_true(gone_after(2));
}

static void a_goodbye_holds_at_once(void **state)
{
    uint8_t bye = RELAY_BYE;

    (void)state;
    says_returns(2000);
    kit_packet(&k, &a, bytes_of(&bye, 1));
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_CLOSED));
}

static void a_malformed_returns_is_dropped(void **state)
{
    static const uint8_t packet[] = {RELAY_RETURNS, 7, 7, 7};

    (void)state;
    kit_packet(&k, &a, bytes_of(packet, 2));
    kit_packet(&k, &a, bytes_of(packet, 4));
    assert_int_equal(kit_counters(&k).dropped[REFUSAL_MALFORMED], 2);
    breaks();
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
}

static void another_process_is_news(void **state)
{
    (void)state;
    says_returns(2000);
    breaks();
    b_sends(77);
    a.epoch++;
    comes_back();
    assert_int_equal(kit_told_present(&k, b.conn, &a), 1);
    assert_false(kit_wrote(&k, a.conn, RELAY_FORWARDED));
    (void)gone_after(1);
    assert_false(kit_wrote(&k, a.conn, RELAY_FORWARDED));
    assert_int_equal(kit_counters(&k).queue_bytes, 0);
}

static void a_relay_that_stops_waits_for_nobody(void **state)
{
    (void)state;
    says_returns(2000);
    kit_event(&k, HUB_STOP, 0);
    breaks();
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
}

/* Nothing is written to a connection that is closed. */
static void one_that_expires_while_it_is_away_is_gone(void **state)
{
    (void)state;
    says_returns(2000);
    kit_certify(&b, &k.mesh, "node-2", KIT_UNIX + 1000000);
    b.conn = 50;
    kit_hello(&k, &b);
    breaks();
    kit_step(&k, (struct hub_event){.kind = HUB_CLOCK,
                                    .unix_seconds = KIT_UNIX + 90000});
    assert_true(kit_told_gone(&k, b.conn, &a, DEPARTURE_LOST));
    assert_int_equal(kit_count(&k, HUB_WRITE, 1), 0);
    assert_int_equal(kit_count(&k, HUB_DROP, 1), 0);
    assert_int_equal(kit_edges(&k), 1);
}

/* --- what waits for it ---------------------------------------------------- */

/* The packets that were written to a, by their byte, in order. */
static void a_gets(const char *bytes)
{
    size_t i = 0;
    struct bytes packet;

    for (; (packet = kit_written(&k, a.conn, RELAY_FORWARDED, i)).size > 0; i++)
        assert_int_equal(packet.data[FORWARD_HEADER_SIZE], bytes[i]);
    assert_int_equal(i, strlen(bytes));
    assert_int_equal(kit_counters(&k).queue_bytes, 0);
}

static void what_came_meanwhile_goes_on(void **state)
{
    (void)state;
    says_returns(2000);
    breaks();
    b_sends('1');
    b_hears_nothing();
    b_sends('2');
    assert_false(gone_after(500));
    comes_back();
    a_gets("12");
}

/* A better connection takes over while the old one is blocked [P-14.8]. */
static void what_waited_on_the_old_connection_goes_on(void **state)
{
    (void)state;
    kit_event(&k, HUB_BLOCKED, a.conn);
    b_sends('1');
    b_sends('2');
    comes_back();
    b_hears_nothing();
    a_gets("12");
    assert_int_equal(kit_count(&k, HUB_DROP, 1), 1);
}

static void what_waits_for_one_that_stays_away_is_freed(void **state)
{
    (void)state;
    says_returns(2000);
    breaks();
    b_sends('1');
    assert_true(kit_counters(&k).queue_bytes > 0);
    assert_true(gone_after(2001));
    assert_int_equal(kit_counters(&k).queue_bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_returns_it_is_gone_at_once),
        TEST(one_that_returns_in_time_was_not_away),
        TEST(one_that_does_not_return_is_gone),
        TEST(no_edge_is_away_for_longer_than_five_seconds),
        TEST(a_goodbye_holds_at_once),
        TEST(a_malformed_returns_is_dropped),
        TEST(another_process_is_news),
        TEST(a_relay_that_stops_waits_for_nobody),
        TEST(one_that_expires_while_it_is_away_is_gone),
        TEST(what_came_meanwhile_goes_on),
        TEST(what_waited_on_the_old_connection_goes_on),
        TEST(what_waits_for_one_that_stays_away_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
