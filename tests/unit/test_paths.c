#include "kit.h"

#include "edge/core/paths.h"

static struct instant at(int64_t s)
{
    return (struct instant){s * 1000000};
}

/* Brings a path up and proves it. */
static void good(struct paths *p, enum node_path kind, uint32_t via,
                 struct instant now)
{
    paths_up(p, kind, via, true, now);
    paths_trust(p, kind, via);
}

static void the_better_kind_goes_first(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    assert_false(paths_choose(&p, at(0)));
    paths_relay_up(&p, 0, at(0));
    assert_true(paths_choose(&p, at(0)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    good(&p, PATH_UDP, 5, at(1));
    assert_true(paths_choose(&p, at(1)));
    assert_int_equal(p.current.kind, PATH_UDP);
    good(&p, PATH_TCP, 7, at(2));
    assert_true(paths_choose(&p, at(2)));
    assert_int_equal(p.current.kind, PATH_TCP);
    assert_false(paths_choose(&p, at(3)));
    paths_down(&p, PATH_TCP, 7, false, at(4));
    assert_true(paths_choose(&p, at(4)));
    assert_int_equal(p.current.kind, PATH_UDP);
}

static void a_failed_kind_is_held_down_longer_each_time(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    paths_relay_up(&p, 0, at(0));
    good(&p, PATH_TCP, 1, at(0));
    assert_true(paths_choose(&p, at(0)));
    paths_down(&p, PATH_TCP, 1, true, at(10));
    good(&p, PATH_TCP, 3, at(11));
    assert_true(paths_choose(&p, at(11)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    assert_int_equal(paths_deadline(&p, at(11)).us, at(15).us);
    assert_true(paths_choose(&p, at(15)));
    assert_int_equal(p.current.kind, PATH_TCP);
    paths_down(&p, PATH_TCP, 3, true, at(20));
    good(&p, PATH_TCP, 5, at(21));
    assert_int_equal(paths_deadline(&p, at(21)).us, at(30).us);
    paths_forgive(&p);
    assert_true(paths_choose(&p, at(22)));
    assert_int_equal(p.current.kind, PATH_TCP);
}

static void held_down_is_better_than_none(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    good(&p, PATH_TCP, 1, at(0));
    assert_true(paths_choose(&p, at(0)));
    paths_down(&p, PATH_TCP, 1, true, at(1));
    good(&p, PATH_TCP, 3, at(2));
    assert_true(paths_choose(&p, at(2)));
    assert_int_equal(p.current.via, 3);
}

static void two_relays_alike_do_not_take_turns(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    paths_relay_up(&p, 0, at(0));
    paths_relay_up(&p, 1, at(0));
    assert_true(paths_choose(&p, at(0)));
    uint32_t first = p.current.via;
    paths_measured(&p, PATH_RELAY, first, span_ms(20));
    paths_measured(&p, PATH_RELAY, 1 - first, span_ms(17));
    assert_false(paths_choose(&p, at(1)));
    paths_measured(&p, PATH_RELAY, 1 - first, span_ms(14));
    assert_true(paths_choose(&p, at(2)));
    assert_int_equal(p.current.via, 1 - first);
    assert_false(paths_choose(&p, at(3)));
}

static void a_suspected_path_is_not_used_until_it_is_trusted(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    good(&p, PATH_TCP, 1, at(0));
    assert_true(paths_choose(&p, at(0)));
    assert_false(paths_suspect(&p, at(1))); /* There is no other path. */
    paths_relay_up(&p, 0, at(2));
    assert_true(paths_suspect(&p, at(2)));
    assert_true(paths_choose(&p, at(2)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    paths_trust(&p, PATH_TCP, 1);
    assert_true(paths_choose(&p, at(4)));
    assert_int_equal(p.current.kind, PATH_TCP);
    /* The second suspicion within a minute: the path is held down as well. */
    assert_true(paths_suspect(&p, at(10)));
    paths_trust(&p, PATH_TCP, 1);
    assert_true(paths_choose(&p, at(11)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    assert_true(paths_choose(&p, at(15)));
    assert_int_equal(p.current.kind, PATH_TCP);
}

/* Otherwise the node would leave the next cut direct path only when its probes
 * fail. */
static void suspicion_of_a_relay_passes(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    paths_relay_up(&p, 0, at(0));
    assert_true(paths_choose(&p, at(0)));
    paths_up(&p, PATH_TCP, 1, true, at(0));
    paths_trust(&p, PATH_TCP, 1);
    assert_true(paths_suspect(&p, at(1)));
    assert_int_equal(paths_deadline(&p, at(1)).us, at(3).us);
    assert_true(paths_choose(&p, at(1)));
    assert_int_equal(p.current.kind, PATH_TCP);
    assert_true(paths_suspect(&p, at(3)));
    assert_true(paths_choose(&p, at(3)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    assert_true(instant_is_never(paths_deadline(&p, at(3))));
}

static void two_suspected_paths_take_turns(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    good(&p, PATH_TCP, 1, at(0));
    good(&p, PATH_UDP, 2, at(0));
    assert_true(paths_choose(&p, at(0)));
    static const enum node_path turns[] = {PATH_UDP, PATH_TCP, PATH_UDP};
    for (int i = 0; i < 3; i++) {
        assert_true(paths_suspect(&p, at(1 + i)));
        assert_true(paths_choose(&p, at(1 + i)));
        assert_int_equal(p.current.kind, turns[i]);
    }
}

/* What cut one direct path may have cut the other: the relay carries on until a
 * probe tells. */
static void the_other_direct_path_is_tested(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    good(&p, PATH_TCP, 1, at(0));
    good(&p, PATH_UDP, 2, at(0));
    paths_relay_up(&p, 0, at(0));
    assert_true(paths_choose(&p, at(0)));
    assert_true(paths_suspect(&p, at(1)));
    assert_false(paths_have_direct(&p, at(1)));
    assert_true(paths_choose(&p, at(1)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    paths_trust(&p, PATH_UDP, 2);
    assert_true(paths_choose(&p, at(2)));
    assert_int_equal(p.current.kind, PATH_UDP);
    /* The test was no failure, so its own suspicion is the first one. */
    assert_true(paths_suspect(&p, at(3)));
    assert_true(paths_choose(&p, at(3)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    paths_trust(&p, PATH_UDP, 2);
    assert_true(paths_choose(&p, at(4)));
    assert_int_equal(p.current.kind, PATH_UDP);
}

static void a_tested_path_is_better_than_a_suspected_one(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    good(&p, PATH_TCP, 1, at(0));
    good(&p, PATH_UDP, 2, at(0));
    paths_relay_up(&p, 0, at(0));
    assert_true(paths_choose(&p, at(0)));
    assert_true(paths_suspect(&p, at(1)));
    assert_true(paths_choose(&p, at(1)));
    assert_true(paths_suspect(&p, at(2)));
    assert_true(paths_choose(&p, at(2)));
    assert_int_equal(p.current.kind, PATH_UDP);
}

/* It fails for reasons of its own, as every direct path is tried before. */
static void suspicion_of_a_relay_tests_nothing(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    paths_relay_up(&p, 0, at(0));
    assert_true(paths_choose(&p, at(0)));
    good(&p, PATH_UDP, 2, at(1));
    assert_true(paths_suspect(&p, at(1)));
    assert_true(paths_have_direct(&p, at(1)));
}

/* A relay that was suspected twice within a minute was held down. Because that
 * counted as bad as a suspicion, a cut direct path stayed in use. */
static void a_path_held_down_is_better_than_a_suspected_one(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    good(&p, PATH_TCP, 1, at(0));
    paths_relay_up(&p, 0, at(0));
    assert_true(paths_choose(&p, at(0)));
    for (int i = 1; i <= 2; i++) {
        assert_true(paths_suspect(&p, at(10 * i)));
        assert_true(paths_choose(&p, at(10 * i)));
        assert_int_equal(p.current.kind, PATH_RELAY);
        assert_true(paths_suspect(&p, at(10 * i + 1)));
        paths_trust(&p, PATH_TCP, 1);
        assert_true(paths_choose(&p, at(10 * i + 7)));
        assert_int_equal(p.current.kind, PATH_TCP);
    }
    /* The second suspicion of the relay holds it down until 26. */
    assert_true(paths_suspect(&p, at(25)));
    assert_true(paths_choose(&p, at(25)));
    assert_int_equal(p.current.kind, PATH_RELAY);
}

static void an_unproved_path_is_only_better_than_none(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    paths_up(&p, PATH_TCP, 1, true, at(0));
    assert_true(paths_choose(&p, at(0)));
    assert_int_equal(p.current.kind, PATH_TCP);
    paths_relay_up(&p, 0, at(1));
    assert_true(paths_choose(&p, at(1)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    good(&p, PATH_UDP, 2, at(3));
    assert_true(paths_choose(&p, at(3)));
    assert_true(paths_suspect(&p, at(3)));
    paths_relay_down(&p, 0, at(4));
    assert_false(
        paths_choose(&p, at(4))); /* A suspected path is better, too. */
    paths_trust(&p, PATH_TCP, 1);
    assert_true(paths_choose(&p, at(5)));
    assert_int_equal(p.current.kind, PATH_TCP);
}

/* One stall is reported many times. */
static void a_hold_is_not_doubled_while_it_lasts(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    good(&p, PATH_TCP, 1, at(0));
    good(&p, PATH_TCP, 3, at(0));
    paths_relay_up(&p, 0, at(0));
    paths_down(&p, PATH_TCP, 1, true, at(1));
    paths_down(&p, PATH_TCP, 3, true, at(1));
    good(&p, PATH_TCP, 5, at(2));
    assert_true(paths_choose(&p, at(5)));
    assert_int_equal(p.current.kind, PATH_RELAY);
    assert_true(paths_choose(&p, at(6)));
    assert_int_equal(p.current.kind, PATH_TCP);
}

static void more_paths_than_room_do_no_harm(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    for (uint32_t i = 0; i < 3 * PATHS_MAX; i++)
        good(&p, PATH_TCP, 2 * i + 1, at(0));
    for (uint32_t i = 0; i < 3 * PATHS_MAX; i++)
        paths_down(&p, PATH_TCP, 2 * i + 1, false, at(1));
    (void)!paths_choose(&p, at(1));
    assert_int_equal(p.current.kind, PATH_NONE);
}

static void a_good_direct_path_is_reported(void **state)
{
    (void)state;
    struct paths p;
    paths_init(&p);
    paths_relay_up(&p, 0, at(0));
    assert_false(paths_have_direct(&p, at(0)));
    assert_false(paths_avoid_direct(&p, at(0)));
    paths_up(&p, PATH_UDP, 5, true, at(0));
    assert_false(paths_have_direct(&p, at(0)));
    assert_true(paths_avoid_direct(&p, at(0)));
    paths_trust(&p, PATH_UDP, 5);
    assert_true(paths_have_direct(&p, at(0)));
    assert_false(paths_avoid_direct(&p, at(0)));
    assert_true(paths_choose(&p, at(1)));
    assert_true(paths_suspect(&p, at(1)));
    assert_false(paths_have_direct(&p, at(1)));
    paths_trust(&p, PATH_UDP, 5);
    paths_down(&p, PATH_UDP, 5, true, at(2));
    good(&p, PATH_UDP, 6, at(3));
    assert_false(paths_have_direct(&p, at(3))); /* held down */
    assert_true(paths_avoid_direct(&p, at(3)));
    assert_true(paths_have_direct(&p, at(60)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_better_kind_goes_first),
        cmocka_unit_test(a_failed_kind_is_held_down_longer_each_time),
        cmocka_unit_test(held_down_is_better_than_none),
        cmocka_unit_test(two_relays_alike_do_not_take_turns),
        cmocka_unit_test(a_suspected_path_is_not_used_until_it_is_trusted),
        cmocka_unit_test(suspicion_of_a_relay_passes),
        cmocka_unit_test(two_suspected_paths_take_turns),
        cmocka_unit_test(the_other_direct_path_is_tested),
        cmocka_unit_test(a_tested_path_is_better_than_a_suspected_one),
        cmocka_unit_test(suspicion_of_a_relay_tests_nothing),
        cmocka_unit_test(a_path_held_down_is_better_than_a_suspected_one),
        cmocka_unit_test(an_unproved_path_is_only_better_than_none),
        cmocka_unit_test(a_hold_is_not_doubled_while_it_lasts),
        cmocka_unit_test(more_paths_than_room_do_no_harm),
        cmocka_unit_test(a_good_direct_path_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
