#include "kit.h"

#include "common/core/detector.h"

static const struct detector_conf conf = {{1000000}, {3000000}};

static struct instant at(int64_t ms)
{
    return (struct instant){ms * 1000};
}

static void silence_is_probed_then_told_once(void **state)
{
    (void)state;
    struct detector d;
    detector_init(&d, &conf, at(0));
    assert_int_equal(detector_due(&d, at(0)), DETECTOR_PROBE);
    assert_int_equal(detector_due(&d, at(500)), DETECTOR_WAIT);
    assert_int_equal(detector_due(&d, at(1000)), DETECTOR_PROBE);
    assert_int_equal(detector_due(&d, at(2000)), DETECTOR_PROBE);
    assert_int_equal(detector_due(&d, at(3000)), DETECTOR_DOWN);
    assert_int_equal(detector_due(&d, at(4000)), DETECTOR_PROBE);
    assert_int_equal(detector_due(&d, at(9000)), DETECTOR_PROBE);
    assert_true(detector_heard(&d, at(9001)));
    assert_false(detector_heard(&d, at(9002)));
}

static void a_late_owner_excuses_the_other_end(void **state)
{
    (void)state;
    struct detector d;
    detector_init(&d, &conf, at(0));
    detector_excuse(&d, span_ms(10000));
    assert_int_equal(detector_due(&d, at(10000)), DETECTOR_PROBE);
    assert_int_equal(detector_due(&d, at(13000)), DETECTOR_DOWN);
}

static void a_hurried_peer_is_down_soon_unless_heard(void **state)
{
    (void)state;
    struct detector d;
    detector_init(&d, &conf, at(0));
    assert_int_equal(detector_due(&d, at(0)), DETECTOR_PROBE);
    detector_answered(&d, detector_asks(&d, at(0)), at(80));
    detector_heard(&d, at(80));
    detector_hurry(&d, at(100), span_ms(200));
    detector_hurry(&d, at(150),
                   span_ms(200)); /* Hurrying again excuses no silence. */
    assert_int_equal(detector_due(&d, at(150)), DETECTOR_PROBE);
    detector_heard(&d, at(400));
    assert_int_equal(detector_due(&d, at(420)), DETECTOR_WAIT);
    detector_hurry(&d, at(500), span_ms(200));
    assert_int_equal(detector_due(&d, at(500)), DETECTOR_PROBE);
    assert_int_equal(detector_deadline(&d).us, at(820).us); /* 4 RTTs */
    assert_int_equal(detector_due(&d, at(820)), DETECTOR_DOWN);
}

static void only_the_last_probe_measures(void **state)
{
    (void)state;
    struct detector d;
    detector_init(&d, &conf, at(0));
    uint64_t first = detector_asks(&d, at(0));
    uint64_t second = detector_asks(&d, at(1000));
    detector_answered(&d, first, at(1500));
    assert_true(d.rtt.us < 0);
    detector_answered(&d, second, at(1008));
    assert_int_equal(d.rtt.us, 8000);
}

/* Else a cut that was short hides the next one for many seconds. */
static void a_delayed_answer_says_little(void **state)
{
    (void)state;
    struct span rtt = rtt_of_probe(span_us(-1), span_ms(900));
    assert_int_equal(rtt.us, 900000);
    rtt = rtt_of_probe(rtt, span_ms(20));
    assert_int_equal(rtt.us, 20000);
    rtt = rtt_of_probe(rtt, span_ms(24));
    assert_int_equal(rtt.us, 22000);
    rtt = rtt_of_probe(span_ms(20), span_ms(900));
    assert_int_equal(rtt.us, 30500);
    rtt = rtt_of_probe(rtt, span_ms(21));
    assert_int_equal(rtt.us, 21000);
}

/* The first answer may have waited for a cut to end: it is not believed for a
 * whole interval. */
static void a_long_round_trip_is_measured_again_at_once(void **state)
{
    (void)state;
    struct detector d;
    detector_init(&d, &conf, at(0));
    assert_int_equal(detector_due(&d, at(0)), DETECTOR_PROBE);
    assert_true(detector_answered(&d, detector_asks(&d, at(0)), at(400)));
    assert_int_equal(detector_due(&d, at(400)), DETECTOR_PROBE);
    assert_true(detector_answered(&d, detector_asks(&d, at(400)), at(420)));
    assert_int_equal(d.rtt.us, 20000);
    assert_int_equal(detector_due(&d, at(420)), DETECTOR_WAIT);
    assert_true(detector_answered(&d, detector_asks(&d, at(1400)), at(1430)));
    assert_int_not_equal(detector_deadline(&d).us, at(1430).us);
}

static void a_way_that_became_longer_is_learned(void **state)
{
    (void)state;
    struct span rtt = span_us(0);
    for (int i = 0; i < 20; i++)
        rtt = rtt_of_probe(rtt, span_ms(600));
    assert_in_range(rtt.us, 590000, 600000);
}

static void the_deadline_is_never_behind_what_is_due(void **state)
{
    (void)state;
    struct detector d;
    detector_init(&d, &conf, at(0));
    for (int i = 0; i < 50; i++) {
        struct instant t = detector_deadline(&d);
        assert_int_not_equal(detector_due(&d, t), DETECTOR_WAIT);
        assert_true(detector_deadline(&d).us > t.us);
    }
}

static void after_a_pause_silence_is_counted_anew(void **state)
{
    struct detector d;
    struct instant pause_ends = {100 * 1000 * 1000};
    (void)state;
    detector_init(&d, &conf, (struct instant){0});
    detector_resume(&d, pause_ends);
    assert_int_equal(detector_due(&d, pause_ends), DETECTOR_PROBE);
    assert_false(detector_is_hurried(&d));
    assert_int_equal(detector_due(&d, instant_after(pause_ends, span_ms(2999))),
                     DETECTOR_PROBE);
    assert_int_equal(detector_due(&d, instant_after(pause_ends, span_s(3))),
                     DETECTOR_DOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_probed_then_told_once),
        cmocka_unit_test(a_late_owner_excuses_the_other_end),
        cmocka_unit_test(a_hurried_peer_is_down_soon_unless_heard),
        cmocka_unit_test(only_the_last_probe_measures),
        cmocka_unit_test(a_delayed_answer_says_little),
        cmocka_unit_test(a_long_round_trip_is_measured_again_at_once),
        cmocka_unit_test(a_way_that_became_longer_is_learned),
        cmocka_unit_test(the_deadline_is_never_behind_what_is_due),
        cmocka_unit_test(after_a_pause_silence_is_counted_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
