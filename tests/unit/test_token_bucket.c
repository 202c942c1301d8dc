#include "common/base/token_bucket.h"

#include "tests/unit/kit.h"

enum { BURST = 3 };

static const struct span each = {1000};

static struct instant at(int64_t us)
{
    return (struct instant){us};
}

/* Returns how many events in a row the limit allows now. */
static int taken(struct token_bucket *p, struct instant now)
{
    int count = 0;

    while (token_bucket_takes(p, now, each, BURST))
        count++;
    return count;
}

static void a_zeroed_bucket_allows_the_burst(void **state)
{
    struct token_bucket p = {0};

    (void)state;
    assert_true(instant_reached(token_bucket_takes_at(&p, each, BURST), at(0)));
    assert_int_equal(taken(&p, at(0)), BURST);
    assert_int_equal(token_bucket_takes_at(&p, each, BURST).us, each.us);
}

static void then_one_event_is_allowed_each_span(void **state)
{
    struct token_bucket p = {0};

    (void)state;
    assert_int_equal(taken(&p, at(0)), BURST);
    assert_int_equal(taken(&p, at(each.us - 1)), 0);
    for (int64_t i = 1; i < 10; i++) {
        assert_int_equal(taken(&p, at(i * each.us)), 1);
        assert_int_equal(taken(&p, at(i * each.us + each.us - 1)), 0);
    }
}

static void a_refused_event_does_not_count(void **state)
{
    struct token_bucket p = {0};
    struct token_bucket before;

    (void)state;
    assert_int_equal(taken(&p, at(0)), BURST);
    before = p;
    assert_false(token_bucket_takes(&p, at(each.us - 1), each, BURST));
    assert_int_equal(p.full_at.us, before.full_at.us);
}

static void a_pause_restores_the_burst_and_no_more(void **state)
{
    struct token_bucket p = {0};

    (void)state;
    assert_int_equal(taken(&p, at(0)), BURST);
    assert_int_equal(taken(&p, at(2 * each.us)), 2);
    assert_int_equal(taken(&p, at(1000 * each.us)), BURST);
}

static void an_event_can_count_without_asking(void **state)
{
    struct token_bucket p = {0};

    (void)state;
    for (int i = 0; i < BURST + 2; i++)
        token_bucket_spend(&p, at(0), each);
    assert_int_equal(token_bucket_takes_at(&p, each, BURST).us, 3 * each.us);
    assert_int_equal(taken(&p, at(3 * each.us - 1)), 0);
    assert_int_equal(taken(&p, at(3 * each.us)), 1);
}

static void a_burst_of_one_is_a_steady_rate(void **state)
{
    struct token_bucket p = {0};

    (void)state;
    assert_true(token_bucket_takes(&p, at(500), each, 1));
    assert_false(token_bucket_takes(&p, at(500 + each.us - 1), each, 1));
    assert_true(token_bucket_takes(&p, at(500 + each.us), each, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_bucket_allows_the_burst),
        cmocka_unit_test(then_one_event_is_allowed_each_span),
        cmocka_unit_test(a_refused_event_does_not_count),
        cmocka_unit_test(a_pause_restores_the_burst_and_no_more),
        cmocka_unit_test(an_event_can_count_without_asking),
        cmocka_unit_test(a_burst_of_one_is_a_steady_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
