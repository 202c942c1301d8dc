#include "common/base/block.h"

#include "kit.h"

#include "common/base/memory.h"

#include <pthread.h>

struct block_thing {
    struct block block;
    int value;
};

static void the_last_holder_frees_the_block(void **state)
{
    (void)state;
    struct block_thing *t = memory_new(sizeof *t);
    block_init(&t->block);
    assert_false(block_is_shared(&t->block));
    block_hold(&t->block);
    block_hold(&t->block);
    block_release(&t->block);
    assert_true(block_is_shared(&t->block));
    block_release(&t->block);
    assert_false(block_is_shared(&t->block));
    t->value = 7; /* still there */
    block_release(&t->block);
}

static void *read_and_release(void *t)
{
    struct block_thing *thing = t;
    int value = thing->value;
    block_release(&thing->block);
    return value == 1 ? NULL : t;
}

/* One thread reads the block and releases it; then the other thread, now the
 * only holder, may write. The thread sanitizer checks the order. */
static void a_release_in_a_thread_goes_before_what_follows_here(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct block_thing *t = memory_new(sizeof *t);
        pthread_t reader;
        void *wrong;
        block_init(&t->block);
        t->value = 1;
        block_hold(&t->block);
        assert_int_equal(pthread_create(&reader, NULL, read_and_release, t), 0);
        while (block_is_shared(&t->block))
            ;
        t->value = 2;
        assert_int_equal(pthread_join(reader, &wrong), 0);
        assert_null(wrong);
        block_release(&t->block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_holder_frees_the_block),
        cmocka_unit_test(a_release_in_a_thread_goes_before_what_follows_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
