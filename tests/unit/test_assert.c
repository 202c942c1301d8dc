#include "common/base/assert.h"

#include "tests/unit/kit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_true_condition_is_nothing(void **state)
{
    (void)state;
    ASSERT(1 + 1 == 2);
}

static void a_false_condition_is_told_and_aborts(void **state)
{
    char told[256] = {0};
    int ends[2];
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        ASSERT(told[0] == 'x');
        _exit(0);
    }
    close(ends[1]);
    assert_true(read(ends[0], told, sizeof(told) - 1) > 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(told, "told[0] == 'x'"));
    assert_non_null(strstr(told, "test_assert.c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_true_condition_is_nothing),
        cmocka_unit_test(a_false_condition_is_told_and_aborts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
