#include "common/base/memory.h"

#include "tests/unit/kit.h"

#include <stdlib.h>

static void new_memory_is_zeroed(void **state)
{
    uint8_t *p = memory_new(100);
    uint32_t *array = memory_array(10, sizeof(*array));

    (void)state;
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(array[i], 0);
    free(p);
    free(array);
}

static void copies_are_equal(void **state)
{
    char *text = memory_string("hello");
    char *part = memory_copy("hello", 3);

    (void)state;
    assert_string_equal(text, "hello");
    assert_memory_equal(part, "hel", 3);
    text = memory_resize(text, 100, 1);
    assert_string_equal(text, "hello");
    free(text);
    free(part);
}

static void nothing_is_something_that_can_be_freed(void **state)
{
    void *p[] = {memory_new(0), memory_array(0, 8), memory_resize(NULL, 0, 8),
                 memory_copy(NULL, 0)};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(p); i++) {
        assert_non_null(p[i]);
        free(p[i]);
    }
}

static void a_reserve_is_filled_again(void **state)
{
    struct reserve *r = reserve_new(RESERVE_OF_CALL);

    (void)state;
    assert_non_null(r);
    assert_null(memory_use(r));
    assert_true(memory_is_sound());
    assert_false(memory_did_lack());
    void *p = memory_new(200);
    free(p);
    assert_true(memory_is_sound());
    /* An allocation that failed makes the memory unsound for good. */
    p = memory_try(NULL, 8, 8);
    assert_non_null(p);
    free(p);
    assert_true(memory_is_sound());
    memory_lacks();
    assert_true(memory_did_lack());
    assert_false(memory_is_sound());
    assert_ptr_equal(memory_use(NULL), r);
    assert_true(memory_is_sound());
    reserve_free(&r);
    assert_null(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed),
        cmocka_unit_test(copies_are_equal),
        cmocka_unit_test(nothing_is_something_that_can_be_freed),
        cmocka_unit_test(a_reserve_is_filled_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
