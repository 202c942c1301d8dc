#include "kit.h"

#include "edge/core/dialer.h"

static struct address host(uint8_t last)
{
    return (struct address){ADDRESS_V4, {10, 0, 0, last}, 4000, 0};
}

static struct instant at(int64_t ms)
{
    return (struct instant){ms * 1000};
}

static void a_round_tries_each_address_then_pauses_longer(void **state)
{
    (void)state;
    struct dialer d;
    struct address a = host(1), b = host(2);
    dialer_init(&d);
    assert_true(dialer_add(&d, &a, false));
    assert_false(dialer_add(&d, &a, false));
    assert_true(dialer_add(&d, &b, true));
    assert_null(dialer_due(&d, at(0), 0)); /* Not started. */
    dialer_start(&d, at(0));
    assert_true(address_equal(dialer_due(&d, at(0), 0), &b));
    assert_null(dialer_due(&d, at(1), 0));
    assert_true(address_equal(dialer_due(&d, at(30), 0), &a));
    assert_int_equal(dialer_deadline(&d).us, at(5030).us);
    assert_non_null(dialer_due(&d, at(5030), 0));
    assert_non_null(dialer_due(&d, at(5060), 0));
    assert_int_equal(dialer_deadline(&d).us, at(35060).us);
    dialer_stop(&d);
    assert_true(instant_is_never(dialer_deadline(&d)));
}

/* A link that came up and failed does not make the pauses short again. */
static void pauses_grow_after_each_link_that_failed(void **state)
{
    (void)state;
    struct dialer d;
    struct address a = host(1);
    dialer_init(&d);
    (void)dialer_add(&d, &a, false);
    dialer_start(&d, at(0));
    assert_non_null(dialer_due(&d, at(0), 0));
    dialer_stop(&d);
    dialer_failed(&d, at(1000));
    assert_int_equal(dialer_deadline(&d).us, at(11000).us);
    assert_non_null(dialer_due(&d, at(11000), 0));
    dialer_stop(&d);
    dialer_succeeded(&d);
    dialer_failed(&d, at(40000));
    assert_int_equal(dialer_deadline(&d).us, at(45000).us);
}

static void starting_never_delays_what_is_due(void **state)
{
    (void)state;
    struct dialer d;
    struct address a = host(1);
    dialer_init(&d);
    (void)dialer_add(&d, &a, false);
    dialer_start(&d, at(100));
    dialer_start(&d, at(400));
    assert_int_equal(dialer_deadline(&d).us, at(100).us);
}

static void a_dial_that_was_put_off_continues_where_it_was(void **state)
{
    (void)state;
    struct dialer d;
    struct address a = host(1), b = host(2);
    dialer_init(&d);
    (void)dialer_add(&d, &a, false);
    (void)dialer_add(&d, &b, false);
    dialer_start(&d, at(0));
    assert_true(address_equal(dialer_due(&d, at(0), 0), &a));
    dialer_put_off(&d, at(500));
    assert_null(dialer_due(&d, at(499), 0));
    assert_true(address_equal(dialer_due(&d, at(500), 0), &b));
}

static void a_full_list_takes_only_a_first(void **state)
{
    (void)state;
    struct dialer d;
    dialer_init(&d);
    for (uint8_t i = 0; i < DIALER_ADDRESSES; i++) {
        struct address a = host(i);
        assert_true(dialer_add(&d, &a, false));
    }
    struct address more = host(100);
    assert_false(dialer_add(&d, &more, false));
    assert_true(dialer_add(&d, &more, true));
    dialer_start(&d, at(0));
    assert_true(address_equal(dialer_due(&d, at(0), 0), &more));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_tries_each_address_then_pauses_longer),
        cmocka_unit_test(pauses_grow_after_each_link_that_failed),
        cmocka_unit_test(starting_never_delays_what_is_due),
        cmocka_unit_test(a_dial_that_was_put_off_continues_where_it_was),
        cmocka_unit_test(a_full_list_takes_only_a_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
