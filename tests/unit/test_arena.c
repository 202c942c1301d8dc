#include "common/base/arena.h"

#include "tests/unit/kit.h"

#include <stdalign.h>

/* Blocks of all sizes do not overlap, and keep their content. */
static void blocks_are_apart_and_aligned(void **state)
{
    struct arena a = {0};
    uint8_t *rooms[400];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(rooms); i++) {
            rooms[i] = arena_take(&a, i * 7);
            assert_non_null(rooms[i]);
            assert_int_equal((uintptr_t)rooms[i] % alignof(max_align_t), 0);
            memset(rooms[i], (int)i, i * 7);
        }
        for (size_t i = 0; i < COUNT_OF(rooms); i++)
            for (size_t k = 0; k < i * 7; k++)
                assert_int_equal(rooms[i][k], (uint8_t)i);
        arena_clear(&a);
    }
    arena_close(&a);
}

static void a_warm_arena_uses_its_room_again(void **state)
{
    struct arena a = {0};
    void *small, *large;

    (void)state;
    small = arena_take(&a, 10);
    large = arena_take(&a, 1000000);
    arena_clear(&a);
    assert_ptr_equal(arena_take(&a, 10), small);
    assert_ptr_equal(arena_take(&a, 1000000), large);
    arena_close(&a);
    assert_null(a.first);
}

static void surplus_room_goes_back(void **state)
{
    struct arena a = {0};
    uint8_t *first, *second;

    (void)state;
    first = arena_take(&a, 10000);
    arena_trim(&a, first, 10000, 5);
    second = arena_take(&a, 1);
    assert_true(second > first && second - first < 64);
    arena_trim(&a, second, 1, 0);
    assert_ptr_equal(arena_take(&a, 3), second);
    arena_close(&a);
}

static void a_held_block_outlives_clear_and_close(void **state)
{
    struct arena a = {0};

    (void)state;
    uint8_t *first = arena_take(&a, 10);
    assert_null(arena_block_of(&a, "elsewhere"));
    struct block *held = arena_block_of(&a, first);
    assert_non_null(held);
    block_hold(held);
    memset(first, 7, 10);
    uint8_t *large = arena_take(&a, 1000000);
    assert_null(arena_block_of(&a, first)); /* not the last one any more */
    assert_non_null(arena_block_of(&a, large + 999999));
    arena_clear(&a);
    assert_ptr_equal(
        arena_take(&a, 1000000),
        large); /* the block is used again, since nobody holds it */
    memset(arena_take(&a, 10), 8, 10);
    assert_int_equal(first[0], 7);
    assert_int_equal(first[9], 7);
    arena_close(&a);
    assert_int_equal(first[9], 7);
    block_release(held);
}

static void copies_are_equal_and_may_be_empty(void **state)
{
    struct arena a = {0};
    struct bytes hello = arena_copy(&a, bytes_of_string("hello"));

    (void)state;
    assert_int_equal(arena_copy(&a, bytes_of(NULL, 0)).size, 0);
    assert_true(bytes_equal(hello, bytes_of_string("hello")));
    arena_clear(&a);
    arena_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_apart_and_aligned),
        cmocka_unit_test(a_warm_arena_uses_its_room_again),
        cmocka_unit_test(surplus_room_goes_back),
        cmocka_unit_test(a_held_block_outlives_clear_and_close),
        cmocka_unit_test(copies_are_equal_and_may_be_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
