/* A node knows the clock that its relay told it [P-7.9]. */
#include "tests/unit/udp_node_kit.h"

static struct udp_pair p;

static struct node_relay relay_of(int who)
{
    struct node_relay relay;

    node_relay_get(p.side[who].node, 0, &relay);
    return relay;
}

static void says_clock(size_t size)
{
    uint8_t room[16] = {RELAY_CLOCK, 9};
    struct writer w = writer_of(room, sizeof room);

    assert_non_null(write_room(&w, size));
    relay_says(&p, 0, &w);
    udp_run(&p, span_ms(100));
}

static void the_relays_clock_is_known(void **state)
{
    (void)state;
    udp_setup(&p);
    udp_start_both(&p);
    assert_int_equal(relay_of(0).unix_seconds, 0);
    udp_run(&p, span_ms(500));
    struct node_relay relay = relay_of(0);
    assert_int_equal(relay.state, RELAY_UP);
    assert_int_equal(relay.unix_seconds, RELAY_UNIX);
    assert_true(relay.at.us > 0 && relay.at.us < p.now.us);

    for (size_t size = 1; size < 9; size++)
        says_clock(size); /* cut short */
    says_clock(10);
    assert_int_equal(relay_of(0).unix_seconds, RELAY_UNIX);
    says_clock(9);
    assert_int_equal(relay_of(0).unix_seconds, 9);
    assert_true(relay_of(0).at.us > relay.at.us);
    udp_teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_relays_clock_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
