#include "kit.h"

#include "common/core/outbox.h"

#include <stdlib.h>

static void put(struct outbox *o, size_t size, uint64_t ref)
{
    memset(outbox_reserve(o, size), (int)ref, size);
    outbox_commit(o, size, ref);
}

static uint64_t take(struct outbox *o, bool *again)
{
    struct data_record r;
    if (!outbox_next(o, 1 << 20, 1 << 20, &r, again))
        return 0;
    return r.sequence;
}

static void records_go_in_order_and_stay_until_acknowledged(void **state)
{
    (void)state;
    struct outbox o;
    bool again;
    uint64_t ref;
    outbox_init(&o, 1000);
    for (uint64_t i = 1; i <= 3; i++)
        put(&o, 10, i);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(take(&o, &again), i);
        assert_false(again);
    }
    assert_int_equal(take(&o, &again), 0);
    assert_int_equal(o.bytes, 30);
    assert_true(outbox_acknowledge(&o, 2, &ref));
    assert_int_equal(ref, 1);
    assert_true(outbox_acknowledge(&o, 2, &ref));
    assert_int_equal(ref, 2);
    assert_false(outbox_acknowledge(&o, 2, &ref));
    assert_int_equal(o.bytes, 10);
    outbox_rewind(&o);
    assert_int_equal(take(&o, &again), 3);
    assert_true(again);
    outbox_close(&o);
}

static void what_was_never_sent_cannot_be_acknowledged(void **state)
{
    (void)state;
    struct outbox o;
    uint64_t ref;
    outbox_init(&o, 1000);
    put(&o, 10, 1);
    assert_false(outbox_acknowledge(&o, UINT64_MAX, &ref));
    assert_int_equal(o.bytes, 10);
    outbox_close(&o);
}

static void a_large_message_is_cut_and_whole_again(void **state)
{
    (void)state;
    struct outbox o;
    outbox_init(&o, 1 << 20);
    size_t size = 3 * OUTBOX_FRAGMENT_SIZE + 5, sum = 0;
    put(&o, size, 9);
    struct data_record r;
    bool again;
    int count = 0;
    while (outbox_next(&o, 1 << 20, 1 << 20, &r, &again)) {
        assert_int_equal(r.first, count == 0);
        assert_int_equal(r.total, size);
        sum += r.fragment.size;
        count++;
        assert_int_equal(r.last, sum == size);
    }
    assert_int_equal(count, 4);
    assert_int_equal(sum, size);
    uint64_t ref;
    assert_false(outbox_acknowledge(&o, 3, &ref));
    assert_true(outbox_acknowledge(&o, 4, &ref));
    assert_int_equal(o.bytes, 0);
    outbox_close(&o);
}

static void the_limit_holds_but_for_one_large_message(void **state)
{
    (void)state;
    struct outbox o;
    outbox_init(&o, 100);
    assert_true(outbox_has_room(&o, 5000));
    put(&o, 60, 1);
    assert_true(outbox_has_room(&o, 40));
    assert_false(outbox_has_room(&o, 41));
    outbox_close(&o);
}

static void the_window_bounds_what_flies(void **state)
{
    (void)state;
    struct outbox o;
    struct data_record r;
    bool again;
    uint64_t ref;
    outbox_init(&o, 1000);
    for (uint64_t i = 1; i <= 4; i++)
        put(&o, 100, i);
    assert_true(outbox_next(&o, 1000, 150, &r, &again));
    assert_false(outbox_next(&o, 1000, 150, &r, &again));
    assert_true(outbox_acknowledge(&o, 1, &ref));
    assert_true(outbox_next(&o, 1000, 50, &r, &again)); /* One always may. */
    outbox_close(&o);
}

static void forgetting_keeps_whole_messages_not_yet_sent(void **state)
{
    (void)state;
    struct outbox o;
    bool again;
    uint64_t ref;
    struct data_record r;
    outbox_init(&o, 1 << 20);
    put(&o, 2 * OUTBOX_FRAGMENT_SIZE, 1); /* the first half goes out */
    put(&o, 10, 2);
    assert_true(outbox_next(&o, 1 << 20, 1 << 20, &r, &again));
    assert_true(outbox_forget(&o, false, &ref));
    assert_int_equal(ref, 1);
    assert_false(outbox_forget(&o, false, &ref));
    outbox_renumber(&o);
    assert_true(outbox_next(&o, 1 << 20, 1 << 20, &r, &again));
    assert_int_equal(r.sequence, 1);
    assert_int_equal(r.fragment.data[0], 2);
    assert_true(outbox_forget(&o, true, &ref));
    assert_int_equal(ref, 2);
    assert_int_equal(o.bytes, 0);
    outbox_close(&o);
}

static void random_traffic_neither_loses_nor_leaks(void **state)
{
    (void)state;
    struct outbox o;
    outbox_init(&o, 300000);
    srand(1);
    uint64_t put_ref = 0, got_ref = 0, ref, top = 0;
    for (int i = 0; i < 20000; i++) {
        size_t size =
            (size_t)(rand() % 3 ? 1 + rand() % 300 : 1 + rand() % 100000);
        if (outbox_has_room(&o, size))
            put(&o, size, ++put_ref);
        struct data_record r;
        bool again;
        for (int k = rand() % 4; k > 0; k--)
            if (outbox_next(&o, 1 << 20, 200000, &r, &again))
                top = r.sequence > top ? r.sequence : top;
        if (rand() % 10 == 0)
            outbox_rewind(&o);
        uint64_t upto = o.base + (uint64_t)(rand() % 8);
        while (outbox_acknowledge(&o, upto < top ? upto : top, &ref))
            assert_int_equal(ref, ++got_ref);
        assert_true(o.bytes <= 300000);
    }
    assert_true(got_ref > 1000);
    outbox_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_go_in_order_and_stay_until_acknowledged),
        cmocka_unit_test(what_was_never_sent_cannot_be_acknowledged),
        cmocka_unit_test(a_large_message_is_cut_and_whole_again),
        cmocka_unit_test(the_limit_holds_but_for_one_large_message),
        cmocka_unit_test(the_window_bounds_what_flies),
        cmocka_unit_test(forgetting_keeps_whole_messages_not_yet_sent),
        cmocka_unit_test(random_traffic_neither_loses_nor_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
