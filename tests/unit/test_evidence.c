#include "kit.h"

#include "edge/core/evidence.h"

static const struct span lost_after = {5 * 1000 * 1000};

static struct instant at_ms(int64_t ms)
{
    return (struct instant){ms * 1000};
}

static struct evidence e;
static struct evidence_relays relays;

static int setup(void **state)
{
    (void)state;
    evidence_init(&e);
    evidence_relays_init(&relays, lost_after);
    return 0;
}

static void is(enum evidence_reason why, int64_t until_ms)
{
    struct evidence_verdict v = evidence_until(&e, &relays, true);

    assert_int_equal(v.why, why);
    assert_int_equal(v.until.us, until_ms * 1000);
}

static void is_firm(enum evidence_reason why)
{
    struct evidence_verdict v = evidence_until(&e, &relays, true);

    assert_int_equal(v.why, why);
    assert_true(instant_is_never(v.until));
    assert_true(evidence_is_firm(v));
}

static void is_none(void)
{
    struct evidence_verdict v = evidence_until(&e, &relays, true);

    assert_int_equal(v.why, EVIDENCE_NONE);
    assert_false(evidence_holds(v, at_ms(0)));
    assert_false(evidence_is_firm(v));
}

static void without_evidence_a_peer_is_not_there(void **state)
{
    (void)state;
    is_none();
    assert_false(evidence_is_seen(&e, &relays, at_ms(0)));
}

static void a_link_shows_it_until_the_last_one_is_closed(void **state)
{
    (void)state;
    evidence_linked(&e);
    evidence_linked(&e);
    is_firm(EVIDENCE_LINK);
    evidence_unlinked(&e);
    is_firm(EVIDENCE_LINK);
    evidence_unlinked(&e);
    is_none();
}

static void a_relay_that_was_never_connected_shows_nothing(void **state)
{
    (void)state;
    evidence_listed(&e, 2, 1);
    is_none();
}

static void a_list_counts_for_a_while_after_its_relay_is_lost(void **state)
{
    (void)state;
    evidence_relay_up(&relays, 2);
    evidence_listed(&e, 2, 1);
    is_firm(EVIDENCE_RELAY);
    evidence_relay_down(&relays, 2, at_ms(1000));
    is(EVIDENCE_LISTED, 6000);
    evidence_relay_up(&relays, 2);
    is_firm(EVIDENCE_RELAY);
    assert_true(evidence_is_outdated(&e, 2, 2));
    assert_false(evidence_is_outdated(&e, 2, 1));
    assert_false(evidence_is_outdated(&e, 1, 2));
    evidence_unlisted(&e, 2);
    is_none();
}

static void a_beacon_counts_once_the_peer_has_answered(void **state)
{
    (void)state;
    assert_false(evidence_beacon(&e, false, at_ms(1000)));
    is_none();
    assert_true(evidence_beacon(&e, true, at_ms(2000)));
    is(EVIDENCE_BEACON, 7000);
    assert_true(evidence_beacon(&e, false, at_ms(3000)));
    is(EVIDENCE_BEACON, 8000);
    evidence_challenge(&e);
    is_none();
    assert_false(evidence_beacon(&e, false, at_ms(4000)));
    is_none();
}

static void a_beacon_from_before_the_suspicion_shows_nothing(void **state)
{
    (void)state;
    (void)evidence_beacon(&e, true, at_ms(1000));
    evidence_suspect(&e, at_ms(2000));
    is(EVIDENCE_SUSPICION, 2250);
    (void)evidence_beacon(&e, false, at_ms(2100));
    is(EVIDENCE_BEACON, 7100);
}

static void a_suspect_that_cannot_be_dialled_has_less_time(void **state)
{
    (void)state;
    evidence_unreachable(&e, at_ms(1000)); /* The peer is not suspected. */
    is_none();
    evidence_suspect(&e, at_ms(1000));
    evidence_unreachable(&e, at_ms(1100));
    is(EVIDENCE_SUSPICION, 1120);
    evidence_unreachable(&e, at_ms(1110));
    is(EVIDENCE_SUSPICION, 1120);
}

static void only_a_peer_that_joined_is_given_time(void **state)
{
    (void)state;
    evidence_suspect(&e, at_ms(1000));
    evidence_heard(&e, at_ms(500), &relays);
    is(EVIDENCE_HEARD, 5500);
    struct evidence_verdict v = evidence_until(&e, &relays, false);
    assert_int_equal(v.why, EVIDENCE_NONE);
}

static void the_evidence_that_lasts_longest_is_told(void **state)
{
    (void)state;
    evidence_relay_up(&relays, 0);
    evidence_listed(&e, 0, 1);
    evidence_relay_down(&relays, 0, at_ms(0));
    (void)evidence_beacon(&e, true, at_ms(1000));
    is(EVIDENCE_BEACON, 6000);
    evidence_heard(&e, at_ms(2000), &relays);
    is(EVIDENCE_HEARD, 7000);
    evidence_linked(&e);
    is_firm(EVIDENCE_LINK);
}

static void nothing_counts_of_a_process_that_departed(void **state)
{
    (void)state;
    evidence_relay_up(&relays, 0);
    evidence_listed(&e, 0, 1);
    (void)evidence_beacon(&e, true, at_ms(1000));
    evidence_departed(&e);
    is_none();
    evidence_linked(&e);
    is_none();
    evidence_unlinked(&e);
    evidence_restarted(&e);
    is_none(); /* The relay listed the earlier process. */
    assert_true(evidence_beacon(&e, true, at_ms(2000)));
    is(EVIDENCE_BEACON, 7000);
}

static void an_excluded_node_may_come_back(void **state)
{
    (void)state;
    evidence_departed(&e);
    evidence_admitted(&e);
    evidence_linked(&e);
    is_firm(EVIDENCE_LINK);
}

static void goodbyes_are_remembered_for_one_process(void **state)
{
    (void)state;
    evidence_bye(&e);
    evidence_gone(&e, at_ms(1000));
    assert_true(e.bye && e.gone);
    evidence_joined(&e); /* The peer joins: the relay was wrong. */
    assert_false(e.gone);
    assert_true(e.bye);
    evidence_restarted(&e);
    assert_false(e.bye);
}

static void a_relays_goodbye_voids_the_beacons_before_it(void **state)
{
    (void)state;
    (void)evidence_beacon(&e, true, at_ms(1000));
    evidence_gone(&e, at_ms(1500));
    is_none();
    (void)evidence_beacon(&e, false, at_ms(1600));
    is(EVIDENCE_BEACON, 6600);
}

static void the_end_of_a_connection_is_remembered(void **state)
{
    (void)state;
    evidence_lost(&e, true);
    assert_true(e.broke);
    evidence_listed(&e, 0, 1);
    assert_false(e.broke);
    evidence_lost(&e, true);
    evidence_linked(&e);
    assert_false(e.broke);
}

static void a_beacon_that_was_not_checked_is_a_hint_only(void **state)
{
    (void)state;
    evidence_beacon_passed(&e, at_ms(1000));
    is_none();
    assert_true(evidence_is_seen(&e, &relays, at_ms(5999)));
    assert_false(evidence_is_seen(&e, &relays, at_ms(6000)));
    evidence_relay_up(&relays, 1);
    evidence_listed(&e, 1, 1);
    assert_true(evidence_is_seen(&e, &relays, at_ms(6000)));
    evidence_relay_down(&relays, 1, at_ms(6000));
    assert_false(evidence_is_seen(&e, &relays, at_ms(6000)));
}

static void the_time_that_this_node_slept_does_not_count(void **state)
{
    (void)state;
    evidence_excuse(&e, span_ms(1000));
    evidence_relays_excuse(&relays, span_ms(1000));
    is_none();
    (void)evidence_beacon(&e, true, at_ms(1000));
    evidence_excuse(&e, span_ms(1000));
    is(EVIDENCE_BEACON, 7000);
    evidence_suspect(&e, at_ms(8000));
    evidence_excuse(&e, span_ms(1000));
    is(EVIDENCE_SUSPICION, 9250);
    evidence_relay_up(&relays, 0);
    evidence_listed(&e, 0, 1);
    evidence_relays_excuse(&relays, span_ms(1000));
    is_firm(EVIDENCE_RELAY);
    evidence_relay_down(&relays, 0, at_ms(9000));
    evidence_relays_excuse(&relays, span_ms(1000));
    is(EVIDENCE_LISTED, 15000);
}

/* A quiet link does not count, and its waking proves nothing. */
static void a_quiet_link_is_no_evidence(void **state)
{
    (void)state;
    evidence_relay_up(&relays, 0);
    evidence_listed(&e, 0, 1);
    evidence_linked(&e);
    evidence_challenge(&e);
    evidence_unlinked(&e);
    assert_true(evidence_is_listed(&e, &relays));
    is_firm(EVIDENCE_RELAY);
    evidence_unlisted(&e, 0);
    assert_false(evidence_is_listed(&e, &relays));
    is_none();
    evidence_woke(&e);
    is_firm(EVIDENCE_LINK);
    assert_false(e.proved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_evidence_a_peer_is_not_there, setup),
        cmocka_unit_test_setup(a_link_shows_it_until_the_last_one_is_closed,
                               setup),
        cmocka_unit_test_setup(a_relay_that_was_never_connected_shows_nothing,
                               setup),
        cmocka_unit_test_setup(
            a_list_counts_for_a_while_after_its_relay_is_lost, setup),
        cmocka_unit_test_setup(a_beacon_counts_once_the_peer_has_answered,
                               setup),
        cmocka_unit_test_setup(a_beacon_from_before_the_suspicion_shows_nothing,
                               setup),
        cmocka_unit_test_setup(a_suspect_that_cannot_be_dialled_has_less_time,
                               setup),
        cmocka_unit_test_setup(only_a_peer_that_joined_is_given_time, setup),
        cmocka_unit_test_setup(the_evidence_that_lasts_longest_is_told, setup),
        cmocka_unit_test_setup(nothing_counts_of_a_process_that_departed,
                               setup),
        cmocka_unit_test_setup(an_excluded_node_may_come_back, setup),
        cmocka_unit_test_setup(goodbyes_are_remembered_for_one_process, setup),
        cmocka_unit_test_setup(a_relays_goodbye_voids_the_beacons_before_it,
                               setup),
        cmocka_unit_test_setup(the_end_of_a_connection_is_remembered, setup),
        cmocka_unit_test_setup(a_beacon_that_was_not_checked_is_a_hint_only,
                               setup),
        cmocka_unit_test_setup(a_quiet_link_is_no_evidence, setup),
        cmocka_unit_test_setup(the_time_that_this_node_slept_does_not_count,
                               setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
