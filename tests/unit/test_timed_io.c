#include "kit.h"

#include "common/io/clock.h"
#include "common/io/sockaddr.h"
#include "edge/shell/timed_io.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct io_limit endless = {{INT64_MAX}, -1};

static struct io_limit passed(void)
{
    return (struct io_limit){clock_now(), -1};
}

static void bytes_pass_and_the_end_is_told(void **state)
{
    (void)state;
    int ends[2];
    char got[8];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_true(io_send(&endless, ends[0], bytes_of_string("hello")));
    assert_int_equal(io_receive(&endless, ends[1], got, sizeof got), 5);
    assert_memory_equal(got, "hello", 5);
    close(ends[0]);
    assert_int_equal(io_receive(&endless, ends[1], got, sizeof got), 0);
    assert_false(io_send(&endless, ends[1], bytes_of_string("x")));
    close(ends[1]);
}

static void a_limit_that_is_reached_ends_each_wait(void **state)
{
    (void)state;
    int ends[2];
    char got[8];
    struct io_limit limit = passed();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_true(io_is_over(&limit));
    assert_false(io_wait(&limit, ends[0], POLLIN));
    assert_int_equal(io_receive(&limit, ends[0], got, sizeof got), -1);
    limit = io_limit_within(&endless, span_ms(10));
    assert_false(io_is_over(&endless));
    assert_false(io_wait(&limit, ends[0], POLLIN));
    assert_true(io_is_over(&limit));
    close(ends[0]);
    close(ends[1]);
}

static void a_cancelled_wait_ends_even_if_data_is_there(void **state)
{
    (void)state;
    int ends[2];
    struct io_limit limit = {INSTANT_NEVER, eventfd(0, EFD_NONBLOCK)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_true(io_send(&limit, ends[0], bytes_of_string("hello")));
    assert_true(io_wait(&limit, ends[1], POLLIN));
    assert_false(io_is_over(&limit));
    assert_int_equal(eventfd_write(limit.cancel, 1), 0);
    assert_false(io_wait(&limit, ends[1], POLLIN));
    assert_true(io_is_over(&limit));
    close(limit.cancel);
    close(ends[0]);
    close(ends[1]);
}

static void connections_succeed_or_fail(void **state)
{
    (void)state;
    struct address to = {.family = ADDRESS_V4, .ip = {127, 0, 0, 1}};
    struct sockaddr_storage at;
    socklen_t size = sockaddr_of_address(&to, &at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    size = sizeof at;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    to = address_of_sockaddr((struct sockaddr *)&at);
    assert_int_equal(io_connect(&endless, &to),
                     -1); /* The socket does not listen. */
    assert_int_equal(listen(listener, 1), 0);
    int fd = io_connect(&endless, &to);
    assert_true(fd >= 0);
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_and_the_end_is_told),
        cmocka_unit_test(a_limit_that_is_reached_ends_each_wait),
        cmocka_unit_test(a_cancelled_wait_ends_even_if_data_is_there),
        cmocka_unit_test(connections_succeed_or_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
