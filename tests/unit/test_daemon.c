/* Signals: the loop handles each, and SIGTERM ends the process even if the loop
 * hangs. Each test is a process of its own. */
#include "tests/unit/patience.h"

#include "common/io/daemon.h"
#include "common/io/stdfds.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TURNS_FOR_EVER = 3, WAITS_FOR_EVER, ENDS_AT_SECOND };

static uv_loop_t loop;
static int ready[2];
static int mode;
static int stops;

static void on_stop(void *context)
{
    (void)context;
    stops++;
    if (mode == ENDS_AT_SECOND && stops == 2)
        _exit(42);
    if (mode == ENDS_AT_SECOND && write(ready[1], "1", 1) != 1)
        _exit(1);
}

static void on_reload(void *context)
{
    (void)context;
    if (write(ready[1], "r", 1) != 1)
        _exit(1);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    if (write(ready[1], "b", 1) != 1)
        _exit(1);
    for (;;)
        if (mode == WAITS_FOR_EVER)
            pause();
}

static int child(void)
{
    struct daemon d = {.stop = on_stop, .reload = on_reload};
    uv_timer_t timer;
    uv_idle_t idle;

    uv_loop_init(&loop);
    if (!daemon_open(&d, &loop))
        return 1;
    uv_timer_init(&loop, &timer);
    uv_idle_init(&loop, &idle);
    if (mode == ENDS_AT_SECOND) {
        uv_idle_start(&idle, on_idle);
        if (write(ready[1], "b", 1) != 1)
            return 1;
    } else {
        uv_timer_start(&timer, on_timer, 0, 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    return 1;
}

static pid_t start(int in_mode)
{
    assert_int_equal(pipe(ready), 0);
    mode = in_mode;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(child());
    close(ready[1]); /* So that the child's end is the end of the pipe. */
    return pid;
}

/* False if the child has ended. */
static bool hears(char word)
{
    char c = '\0';

    if (read(ready[0], &c, 1) != 1)
        return false;
    assert_int_equal(c, word);
    return true;
}

static int code_of(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(ready[0]);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* tests/cli/unread.sh checks how long that takes. */
static void a_loop_that_does_not_end_is_ended(void **state)
{
    static const int modes[] = {TURNS_FOR_EVER, WAITS_FOR_EVER};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        pid_t pid = start(modes[i]);
        assert_true(hears('b'));
        kill(pid, SIGTERM);
        assert_int_equal(code_of(pid), 0);
    }
}

static void the_loop_hears_each_signal(void **state)
{
    (void)state;
    int64_t took;
    int code;
    do {
        pid_t pid = start(ENDS_AT_SECOND);
        assert_true(hears('b'));
        kill(pid, SIGHUP);
        assert_true(hears('r'));
        int64_t began = patience_now_ms();
        kill(pid, SIGTERM);
        (void)!hears('1');
        kill(pid, SIGINT);
        code = code_of(pid);
        took = patience_now_ms() - began;
        /* On a machine that was so late the process ended in time. */
    } while (code == 0 && took >= DAEMON_STOP_MS);
    assert_int_equal(code, 42);
}

static void a_closed_descriptor_is_no_sockets(void **state)
{
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ready[1]);
        close(0);
        close(2);
        stdfds_hold();
        int next = dup(ready[0]);
        _exit(next > 2 && write(2, "x", 1) < 0 && fcntl(1, F_GETFD) >= 0 ? 7
                                                                         : 1);
    }
    close(ready[1]);
    assert_int_equal(code_of(pid), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_that_does_not_end_is_ended),
        cmocka_unit_test(the_loop_hears_each_signal),
        cmocka_unit_test(a_closed_descriptor_is_no_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
