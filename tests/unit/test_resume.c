#include "kit.h"

#include "edge/shell/resume.h"

static void only_a_jump_of_the_clocks_is_sleep(void **state)
{
    (void)state;
    assert_int_equal(resume_slept(span_s(7), span_s(7)).us, 0);
    assert_int_equal(resume_slept(span_s(7), span_ms(7200)).us, 0);
    assert_int_equal(resume_slept(span_s(7), span_ms(6800)).us, 0);
    assert_int_equal(resume_slept(span_s(7), span_s(607)).us, 600000000);
}

static void nobody_woke(void *context, struct span slept)
{
    (void)slept;
    ++*(int *)context;
}

/* The timer runs, but on a host that is awake it reports nothing. */
static void a_host_that_is_awake_causes_no_call(void **state)
{
    (void)state;
    uv_loop_t loop;
    int woken = 0;
    uv_loop_init(&loop);
    struct resume *w = resume_open(&loop, nobody_woke, &woken);
    assert_non_null(w);
    assert_int_equal(uv_run(&loop, UV_RUN_ONCE), 1); /* in a second */
    assert_int_equal(woken, 0);
    resume_close(&w);
    assert_null(w);
    resume_close(&w);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_jump_of_the_clocks_is_sleep),
        cmocka_unit_test(a_host_that_is_awake_causes_no_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
