#include "common/base/heap.h"

#include "tests/unit/kit.h"

enum { TIMERS = 500 };

static struct instant at(int64_t us)
{
    return (struct instant){us};
}

static void an_empty_heap_is_never_due(void **state)
{
    struct heap h = {0};
    struct timer t = {0};

    (void)state;
    assert_true(instant_is_never(heap_deadline(&h)));
    assert_null(heap_due(&h, at(INT64_MAX - 1)));
    heap_remove(&h, &t);
    heap_close(&h);
}

static void timers_come_due_in_order(void **state)
{
    struct heap h = {0};
    struct timer timers[TIMERS] = {0};
    int64_t last = 0;
    uint32_t random = 1;

    (void)state;
    for (size_t i = 0; i < TIMERS; i++) {
        random = random * 1664525 + 1013904223;
        heap_set(&h, &timers[i], at(random >> 16));
    }
    for (size_t i = 0; i < TIMERS;
         i += 3) /* moved to an earlier or a later time */
        heap_set(&h, &timers[i], at((int64_t)(i * 77 % 65536)));
    for (size_t i = 1; i < TIMERS; i += 3)
        heap_remove(&h, &timers[i]);
    for (size_t left = h.count; left > 0; left--) {
        struct instant deadline = heap_deadline(&h);
        struct timer *t;

        assert_null(heap_due(&h, at(deadline.us - 1)));
        t = heap_due(&h, deadline);
        assert_non_null(t);
        assert_true(t->at.us >= last);
        assert_int_equal(t->place, 0);
        assert_int_not_equal((t - timers) % 3, 1);
        last = t->at.us;
    }
    assert_true(instant_is_never(heap_deadline(&h)));
    heap_close(&h);
}

static void never_disarms(void **state)
{
    struct heap h = {0};
    struct timer a = {0}, b = {0};

    (void)state;
    heap_set(&h, &a, at(1));
    heap_set(&h, &b, at(2));
    heap_set(&h, &a, INSTANT_NEVER);
    assert_int_equal(a.place, 0);
    assert_int_equal(heap_deadline(&h).us, 2);
    heap_close(&h);
    assert_int_equal(b.place, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_is_never_due),
        cmocka_unit_test(timers_come_due_in_order),
        cmocka_unit_test(never_disarms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
