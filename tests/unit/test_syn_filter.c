/*
 * The kernel's filter, tested with many addresses of loopback.
 */
#include "common/io/syn_filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/io/sockaddr.h"

/* The system repeats a dropped SYN after a second, so none is answered before.
 * On loopback all others are answered within the call. */
enum { UNANSWERED_MS = 300, WAIT_MS = 10000 };

static int listener;
static struct address at; /* where the listener is */
static struct bars bars;

static struct address parsed(const char *text)
{
    struct address a;

    assert_true(address_parse(text, &a));
    return a;
}

/* IPv4 and IPv6 on one socket, as at the relay. */
static int setup(void **state)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    socklen_t size = sizeof any;
    int no = 0;

    (void)state;
    memset(&bars, 0, sizeof bars);
    listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    assert_int_equal(bind(listener, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(listener, 64), 0);
    getsockname(listener, (struct sockaddr *)&any, &size);
    at = (struct address){.port = ntohs(any.sin6_port)};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(listener);
    return 0;
}

static bool connects(const char *from_text, int wait_ms)
{
    struct address from = parsed(from_text);
    struct address to = from;
    struct sockaddr_storage s;
    int error = 0;
    socklen_t size = sizeof error;

    int fd = socket(from.family == ADDRESS_V4 ? AF_INET : AF_INET6,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t n = sockaddr_of_address(&from, &s);
    assert_int_equal(bind(fd, (struct sockaddr *)&s, n), 0);
    to.port = at.port;
    if (to.family == ADDRESS_V4)
        to.ip[3] = 1;
    n = sockaddr_of_address(&to, &s);
    if (connect(fd, (struct sockaddr *)&s, n) != 0)
        assert_int_equal(errno, EINPROGRESS);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    bool done = poll(&p, 1, wait_ms) == 1;
    if (done)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    assert_int_equal(error, 0);
    close(fd);
    return done;
}

static void expect_taken(const char *from)
{
    assert_true(connects(from, WAIT_MS));
}

static void expect_ignored(const char *from)
{
    assert_false(connects(from, UNANSWERED_MS));
}

static void bar(const char *text)
{
    bars.barred[bars.barred_count++] = parsed(text);
}

static void a_barred_network_is_ignored(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        bar("192.0.2.1:0");
    bar("127.0.0.2:0");
    bar("[2001:db8::]:0");
    assert_true(syn_filter_set(listener, &bars));
    expect_ignored("127.0.0.2:0");
    expect_taken("127.0.0.3:0");
    expect_taken("[::1]:0");
    bar("[::]:0"); /* the network of ::1 */
    assert_true(syn_filter_set(listener, &bars));
    expect_ignored("[::1]:0");
    expect_taken("127.0.0.3:0");
    syn_filter_clear(listener);
    expect_taken("127.0.0.2:0");
    expect_taken("[::1]:0");
}

static void members_come_in_where_strangers_do_not(void **state)
{
    (void)state;
    bars.strangers = true;
    bars.members[bars.member_count++] = parsed("127.0.0.2:0");
    bars.members[bars.member_count++] = parsed("[2001:db8::]:0");
    bars.members[bars.member_count++] = parsed("[::]:0");
    bars.members[bars.member_count++] = parsed("127.0.0.4:0");
    bar("127.0.0.4:0"); /* a member's network, but itself too fast */
    assert_true(syn_filter_set(listener, &bars));
    expect_taken("127.0.0.2:0");
    expect_ignored("127.0.0.3:0");
    expect_ignored("127.0.0.4:0");
    expect_taken("[::1]:0");
    bars.member_count = 2;
    assert_true(syn_filter_set(listener, &bars));
    expect_ignored("[::1]:0");
}

static void everyone_can_be_ignored(void **state)
{
    (void)state;
    bars.everyone = true;
    bars.members[bars.member_count++] = parsed("127.0.0.2:0");
    assert_true(syn_filter_set(listener, &bars));
    expect_ignored("127.0.0.2:0");
    expect_ignored("[::1]:0");
}

/* An open connection continues, whatever its address. */
static void a_connection_is_not_touched(void **state)
{
    struct sockaddr_storage to;
    char byte = 0;

    (void)state;
    bars.everyone = true;
    struct address server = parsed("127.0.0.1:0");
    server.port = at.port;
    socklen_t size = sockaddr_of_address(&server, &to);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&to, size), 0);
    assert_true(syn_filter_set(listener, &bars));
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    assert_true(syn_filter_set(accepted, &bars));
    assert_int_equal(send(client, "x", 1, 0), 1);
    assert_int_equal(recv(accepted, &byte, 1, 0), 1);
    assert_int_equal(byte, 'x');
    close(client);
    close(accepted);
}

static void the_longest_program_is_taken(void **state)
{
    (void)state;
    bars.strangers = true;
    for (uint8_t i = 0; i < SOURCES_BARS; i++) {
        bars.barred[i] = parsed("[2001:db8::]:0");
        bars.members[i] = parsed("[2001:db9::]:0");
        bars.barred[i].ip[7] = bars.members[i].ip[7] = i;
    }
    bars.barred_count = bars.member_count = SOURCES_BARS;
    bars.members[SOURCES_BARS - 1] = parsed("[::]:0");
    assert_true(syn_filter_set(listener, &bars));
    assert_true(syn_filter_set(listener, &bars)); /* while the old one is set */
    expect_taken("[::1]:0");
    expect_ignored("127.0.0.2:0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_barred_network_is_ignored),
        TEST(members_come_in_where_strangers_do_not),
        TEST(everyone_can_be_ignored),
        TEST(a_connection_is_not_touched),
        TEST(the_longest_program_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
