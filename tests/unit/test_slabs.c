#include "kit.h"

#include "common/core/slabs.h"

#include <string.h>

static void a_returned_slab_is_taken_again(void **state)
{
    (void)state;
    struct slabs s = {0};
    struct slab *first = slabs_take(&s);
    first->used = SLAB_FRONT + 7;
    first->records = 1;
    slabs_give(&s, first);
    assert_int_equal(s.count, 1);
    struct slab *again = slabs_take(&s);
    assert_ptr_equal(again, first);
    assert_int_equal(again->used, SLAB_FRONT);
    assert_int_equal(again->records, 0);
    assert_null(again->newer);
    assert_int_equal(s.count, 0);
    slabs_give(&s, again);
    slabs_close(&s);
    assert_int_equal(s.count, 0);
}

static void the_pool_keeps_a_limited_number(void **state)
{
    (void)state;
    struct slabs s = {0};
    struct slab *taken[SLABS_SPARE + 3];
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        taken[i] = slabs_take(&s);
    for (size_t i = 0; i < COUNT_OF(taken); i++)
        slabs_give(&s, taken[i]);
    assert_int_equal(s.count, SLABS_SPARE);
    slabs_close(&s);
    assert_null(s.spare);
}

static void a_slab_that_others_hold_is_not_taken_again(void **state)
{
    (void)state;
    struct slabs s = {0};
    struct slab *slab = slabs_take(&s);
    block_hold(&slab->block);
    memset(slab->bytes, 7, sizeof slab->bytes);
    slabs_give(&s, slab);
    assert_int_equal(s.count, 0);
    struct slab *other = slabs_take(&s);
    assert_ptr_not_equal(other, slab);
    memset(other->bytes, 8, sizeof other->bytes);
    slabs_give(&s, other);
    slabs_close(&s);
    assert_int_equal(slab->bytes[SLAB_END - 1], 7);
    block_release(&slab->block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_returned_slab_is_taken_again),
        cmocka_unit_test(the_pool_keeps_a_limited_number),
        cmocka_unit_test(a_slab_that_others_hold_is_not_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
