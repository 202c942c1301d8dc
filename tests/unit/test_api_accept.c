/*
 * The local API's listener when the process has no descriptor left: a local
 * program waits a little and then gets the reason; the loop sleeps meanwhile.
 */
#include "tests/unit/api_kit.h"

#include "common/io/log.h"
#include "edge/shell/api.h"

#include <errno.h>
#include <sys/resource.h>

enum { FILES = 256 };

static int fillers[FILES];
static int filled;
static struct rlimit before;
static int refusals; /* lines in the log */

static void on_line(void *context, enum log_level level, const char *event,
                    const char *details)
{
    (void)context;
    (void)level;
    refusals += strcmp(event, "api_refused") == 0 &&
                strstr(details, "reason=full") != NULL;
}

static const struct log_sink sink = {.level = LOG_WARN, .line = on_line};

static int setup_accept(void **state)
{
    filled = refusals = 0;
    log_divert(&sink);
    getrlimit(RLIMIT_NOFILE, &before);
    return setup(state);
}

/* Opens files until no descriptor is free. */
static void fill(void)
{
    struct rlimit few = {.rlim_cur = FILES, .rlim_max = before.rlim_max};
    int fd;

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        fillers[filled++] = fd;
    assert_int_equal(errno, EMFILE);
    assert_true(filled > 10);
}

static void empty(void)
{
    while (filled > 0)
        close(fillers[--filled]);
    setrlimit(RLIMIT_NOFILE, &before);
}

static int teardown_accept(void **state)
{
    empty();
    log_divert(NULL);
    return teardown(state);
}

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    return fd;
}

static void begin_connect(int fd)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    snprintf(to.sun_path, sizeof to.sun_path, "%s", w.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
}

static void on_passed(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

/* Lets time pass, for the API as well; returns the number of the loop's turns.
 */
static int pass(int ms)
{
    uv_timer_t timer;
    int turns = 0;

    fake.now = instant_after(fake.now, span_ms(ms));
    uv_timer_init(&w.loop, &timer);
    uv_update_time(&w.loop);
    uv_timer_start(&timer, on_passed, (uint64_t)ms, 0);
    for (; !uv_is_closing((uv_handle_t *)&timer); turns++)
        uv_run(&w.loop, UV_RUN_ONCE);
    turn(); /* The client is closed. */
    return turns;
}

static void expect_status(int fd)
{
    say(fd, "{\"op\":\"status\",\"ref\":1}");
    const char *heard = hear(fd);
    assert_non_null(heard);
    assert_non_null(strstr(heard, "\"ok\":true"));
}

static void a_client_waits_while_a_shortage_is_short(void **state)
{
    (void)state;
    int fd = new_socket();
    fill();
    begin_connect(fd);
    turn();
    pass(100);
    expect_silence(fd);
    assert_false(is_ended(fd));
    empty();
    pass(100);
    expect_status(fd);
    assert_int_equal(refusals, 0);
    close(fd);
}

static void a_client_is_told_of_a_long_shortage(void **state)
{
    int fds[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        fds[i] = new_socket();
    fill();
    for (int i = 0; i < 8; i++)
        begin_connect(fds[i]);
    turn();
    pass(600);
    pass(100);
    for (int i = 0; i < 8; i++) {
        expect_error(fds[i], "full");
        assert_true(is_ended(fds[i]));
    }
    assert_int_equal(refusals, 1); /* one line a minute, for all clients */
    empty();
    pass(100);
    int fd = connect_to(w.path);
    expect_status(fd);
    close(fd);
    for (int i = 0; i < 8; i++)
        close(fds[i]);
}

static void the_loop_sleeps_while_no_descriptor_is_free(void **state)
{
    (void)state;
    int fd = new_socket();
    fill();
    begin_connect(fd);
    assert_true(pass(400) < 40);
    close(fd);
}

static void more_clients_than_allowed_are_told(void **state)
{
    char error[API_ERROR_SIZE] = "";
    char path[160];
    int fds[3];

    (void)state;
    snprintf(path, sizeof path, "%s.few", w.path);
    struct api *few = api_open(
        &fake,
        &(struct api_conf){.socket = path, .message_limit = 1000, .clients = 2},
        error);
    assert_non_null(few);
    for (int i = 0; i < 3; i++)
        fds[i] = connect_to(path);
    expect_error(fds[2], "full");
    expect_status(fds[1]);
    api_close(few);
    turn();
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

#define LIVE(name)                                                             \
    cmocka_unit_test_setup_teardown(name, setup_accept, teardown_accept)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_client_waits_while_a_shortage_is_short),
        LIVE(a_client_is_told_of_a_long_shortage),
        LIVE(the_loop_sleeps_while_no_descriptor_is_free),
        LIVE(more_clients_than_allowed_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
