/* Lines that others can cause are limited; the log says how many were left out;
 * a flood of one kind of line suppresses no other kind. In virtual time. */
#include "tests/unit/kit.h"

#include "common/io/log.h"
#include "common/io/log_limit.h"

#include <stdio.h>

static struct log_limit limit;
static struct instant now;

/* The line that log_limit itself wrote. */
static char told[256];
static int told_count;

static void on_line(void *context, enum log_level level, const char *event,
                    const char *details)
{
    (void)context;
    (void)level;
    assert_string_equal(event, "log_limited");
    snprintf(told, sizeof told, "%s", details);
    told_count++;
}

static int fresh(void **state)
{
    static const struct log_sink sink = {NULL, LOG_DEBUG, on_line};

    (void)state;
    log_divert(&sink);
    limit = (struct log_limit){0};
    now = (struct instant){1000000};
    told[0] = '\0';
    told_count = 0;
    return 0;
}

static bool passes(enum log_cause cause, const char *event, const char *reason,
                   unsigned who)
{
    return log_limit_passes(&limit, now, cause, event, reason,
                            bytes_of(&who, sizeof who));
}

/* Tries `count` lines, each about another stranger; returns how many passed. */
static int passed(enum log_cause cause, const char *event, unsigned count)
{
    int passing = 0;

    for (unsigned i = 0; i < count; i++)
        passing += passes(cause, event, "r", i);
    return passing;
}

static void the_same_line_is_logged_once_a_minute(void **state)
{
    (void)state;
    assert_true(passes(LOG_BY_STRANGERS, "cut", "late", 1));
    assert_false(passes(LOG_BY_STRANGERS, "cut", "late", 1));
    assert_true(passes(LOG_BY_STRANGERS, "cut", "late", 2));
    assert_true(passes(LOG_BY_STRANGERS, "cut", "wrong", 1));
    assert_true(passes(LOG_BY_STRANGERS, "failed", "late", 1));
    now = instant_after(now, span_ms(59999));
    assert_false(passes(LOG_BY_STRANGERS, "cut", "late", 1));
    now = instant_after(now, span_ms(1));
    assert_true(passes(LOG_BY_STRANGERS, "cut", "late", 1));
}

/* Whatever the key is, of which each limit has its own. */
static void a_few_lines_do_not_displace_each_other(void **state)
{
    for (int key = 0; key < 200; key++) {
        fresh(state);
        for (unsigned who = 0; who < LOG_LIMIT_WAYS; who++)
            assert_true(passes(LOG_BY_STRANGERS, "cut", "late", who));
        for (unsigned who = 0; who < LOG_LIMIT_WAYS; who++)
            assert_false(passes(LOG_BY_STRANGERS, "cut", "late", who));
    }
}

static void without_a_reason_each_is_news(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_true(passes(LOG_BY_MEMBERS, "edge_up", NULL, 1));
}

static void a_flood_is_cut_to_the_burst_and_then_the_rate(void **state)
{
    (void)state;
    assert_int_equal(passed(LOG_BY_STRANGERS, "cut", 5000), 30);
    now = instant_after(now, span_s(10));
    assert_int_equal(passed(LOG_BY_STRANGERS, "cut", 5000), 5);
    assert_int_equal(passed(LOG_BY_MEMBERS, "edge_up", 5000), 200);
    now = instant_after(now, span_s(2));
    assert_int_equal(passed(LOG_BY_MEMBERS, "edge_up", 5000), 100);
}

static void a_flood_suppresses_no_other_kind(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        passed(LOG_BY_STRANGERS, "accept_failed", 1000);
        passed(LOG_BY_STRANGERS, "handshake_failed", 1000);
        now = instant_after(now, span_ms(100));
        assert_true(passes(LOG_BY_MEMBERS, "peer_joined", NULL, 1));
        /* Not even a line with the same name. */
        assert_true(passes(LOG_BY_MEMBERS, "accept_failed", NULL, 1));
    }
}

static void omitted_lines_are_reported(void **state)
{
    (void)state;
    passed(LOG_BY_STRANGERS, "cut", 100);
    log_limit_tell(&limit, instant_after(now, span_ms(9999)));
    assert_int_equal(told_count, 0);
    log_limit_tell(&limit, instant_after(now, span_s(10)));
    assert_string_equal(told, "event=cut left_out=70");
    log_limit_tell(&limit, instant_after(now, span_s(30)));
    assert_int_equal(told_count, 1);
}

static void omitted_lines_are_reported_during_a_flood(void **state)
{
    (void)state;
    for (int i = 0; i < 600; i++) { /* a minute */
        passed(LOG_BY_STRANGERS, "cut", 100);
        now = instant_after(now, span_ms(100));
    }
    assert_in_range(told_count, 5, 6);
}

static void more_kinds_than_places_share_the_last(void **state)
{
    static char names[2 * LOG_LIMIT_KINDS][16];

    (void)state;
    for (int i = 0; i < 2 * LOG_LIMIT_KINDS; i++) {
        snprintf(names[i], sizeof names[i], "event_%d", i);
        passed(LOG_BY_STRANGERS, names[i], 40);
    }
    assert_int_equal(passed(LOG_BY_STRANGERS, names[0], 40), 0);
    assert_int_equal(
        passed(LOG_BY_STRANGERS, names[2 * LOG_LIMIT_KINDS - 1], 40), 0);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, fresh)
    const struct CMUnitTest tests[] = {
        FRESH(the_same_line_is_logged_once_a_minute),
        FRESH(a_few_lines_do_not_displace_each_other),
        FRESH(without_a_reason_each_is_news),
        FRESH(a_flood_is_cut_to_the_burst_and_then_the_rate),
        FRESH(a_flood_suppresses_no_other_kind),
        FRESH(omitted_lines_are_reported),
        FRESH(omitted_lines_are_reported_during_a_flood),
        FRESH(more_kinds_than_places_share_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
