/* A TCP connection to a host with several addresses, some of them dead. */
#include "tests/unit/patience.h"

#include "common/io/sockaddr.h"
#include "edge/shell/host_lookup.h"
#include "edge/shell/tcp_pipe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENERS = 4, TURN_MS = 5 };

static struct {
    uv_loop_t loop;
    uv_timer_t timer;
    struct byte_pipe *pipe;
    /* What the pipe told. */
    int opened, ready, ended;
    enum link_failure why;
    uint64_t opened_at;
    bool within; /* a call of the user's is running */
    /* What the name has for addresses. */
    struct address found[HOST_LOOKUP_ADDRESSES];
    size_t count;
    int fds[LISTENERS + 2];
    size_t fd_count;
} w;

/* ---- A resolver that answers what the test wants, at once */

void host_lookup_start(struct host_lookup **lookup, uv_loop_t *loop,
                       const char *host, uint16_t port, host_lookup_done *done,
                       void *context)
{
    (void)loop;
    (void)host;
    (void)port;
    *lookup = NULL;
    done(context, w.found, w.count, "unknown");
}

void host_lookup_cancel(struct host_lookup **lookup)
{
    *lookup = NULL;
}

/* ---- Listeners */

static int keep(int fd)
{
    assert_true(fd >= 0);
    w.fds[w.fd_count++] = fd;
    return fd;
}

/* Listens at an address of loopback of its own. */
static int listen_at(uint8_t host, int backlog, struct address *address)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0x7f000000u | host)};
    socklen_t size = sizeof at;
    int fd = keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *address = address_of_sockaddr((struct sockaddr *)&at);
    return fd;
}

/* Its queue is full, so the kernel drops each further SYN: nobody answers. */
static void listen_dead(uint8_t host, struct address *address)
{
    struct sockaddr_storage to;

    listen_at(host, 0, address);
    socklen_t size = sockaddr_of_address(address, &to);
    int fd = keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, size), 0);
}

/* Nobody listens there. */
static void close_at(uint8_t host, struct address *address)
{
    close(listen_at(host, 1, address));
    w.fd_count--;
}

/* ---- The pipe's user */

static void on_opened(void *context)
{
    assert_ptr_equal(context, &w);
    assert_false(w.within);
    w.opened++;
    w.opened_at = uv_now(&w.loop);
}

static void on_ready(void *context)
{
    assert_ptr_equal(context, &w);
    assert_false(w.within);
    w.ready++;
}

static void on_ended(void *context, enum link_failure why)
{
    assert_ptr_equal(context, &w);
    assert_false(w.within);
    w.ended++;
    w.why = why;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

static int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    uv_loop_init(&w.loop);
    uv_timer_init(&w.loop, &w.timer);
    uv_timer_start(&w.timer, on_timer, TURN_MS, TURN_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (w.pipe != NULL)
        byte_pipe_close(w.pipe);
    uv_close((uv_handle_t *)&w.timer, NULL);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    while (w.fd_count > 0)
        close(w.fds[--w.fd_count]);
    return uv_loop_close(&w.loop);
}

static void open_pipe(void)
{
    struct byte_pipe_user user = {.context = &w,
                                  .opened = on_opened,
                                  .ready = on_ready,
                                  .ended = on_ended};

    uv_update_time(&w.loop);
    w.within = true;
    w.pipe = tcp_pipe_open(&w.loop, "host", 1, &user);
    w.within = false;
}

#define until(condition) PATIENCE_UNTIL(condition, uv_run(&w.loop, UV_RUN_ONCE))

/* ---- Which address wins */

static void the_first_address_wins(void **state)
{
    (void)state;
    w.count = 2;
    listen_at(1, 8, &w.found[0]);
    listen_at(2, 8, &w.found[1]);
    open_pipe();
    assert_int_equal(w.opened, 0);
    assert_int_equal(tcp_pipe_fd(w.pipe), -1);
    until(w.opened);
    assert_true(address_equal(&w.pipe->peer, &w.found[0]));
    assert_true(tcp_pipe_fd(w.pipe) >= 0);
    assert_int_equal(w.ended, 0);
}

/* A dead address costs the delay between two attempts, not its own time-out. */
static void a_dead_first_address_costs_a_delay(void **state)
{
    (void)state;
    w.count = 3;
    listen_dead(1, &w.found[0]);
    listen_dead(2, &w.found[1]);
    listen_at(3, 8, &w.found[2]);
    open_pipe();
    uint64_t began = uv_now(&w.loop);
    until(w.opened);
    assert_true(address_equal(&w.pipe->peer, &w.found[2]));
    assert_true(w.opened_at - began >= 500);
}

/* The one that lost is closed: its server sees the end. */
static void the_others_are_closed(void **state)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    char byte;

    (void)state;
    w.count = 2;
    listen_dead(1, &w.found[0]);
    int good = listen_at(2, 8, &w.found[1]);
    open_pipe();
    until(w.opened);
    int late =
        keep(accept4(good, (struct sockaddr *)&from, &size, SOCK_CLOEXEC));
    assert_int_equal(recv(late, &byte, 1, MSG_DONTWAIT), -1);
    /* Room in the queue: a SYN that is sent again would connect now. */
    int first =
        keep(accept4(w.fds[0], (struct sockaddr *)&from, &size, SOCK_CLOEXEC));
    (void)first;
    struct timeval patience = {.tv_sec = 1, .tv_usec = 500 * 1000};
    setsockopt(w.fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(
        accept4(w.fds[0], (struct sockaddr *)&from, &size, SOCK_CLOEXEC), -1);
}

/* The other family is next after a dead address, whatever the name's order. */
static void the_other_family_is_next(void **state)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof at;

    (void)state;
    w.count = 3;
    listen_dead(1, &w.found[0]);
    listen_at(2, 8, &w.found[1]);
    int fd = keep(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(fd, (struct sockaddr *)&at, size) != 0)
        skip(); /* This host has no IPv6. */
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    w.found[2] = address_of_sockaddr((struct sockaddr *)&at);
    open_pipe();
    until(w.opened);
    assert_int_equal(w.pipe->peer.family, ADDRESS_V6);
}

static void one_that_refuses_costs_nothing(void **state)
{
    (void)state;
    w.count = 2;
    close_at(1, &w.found[0]);
    listen_at(2, 8, &w.found[1]);
    open_pipe();
    until(w.opened);
    assert_true(address_equal(&w.pipe->peer, &w.found[1]));
}

/* ---- None wins */

static void all_that_refuse_are_refused(void **state)
{
    (void)state;
    w.count = 2;
    close_at(1, &w.found[0]);
    close_at(2, &w.found[1]);
    open_pipe();
    assert_int_equal(w.ended, 0);
    until(w.ended);
    assert_int_equal(w.why, LINK_REFUSED);
    assert_int_equal(w.opened, 0);
}

static void no_address_is_nameless(void **state)
{
    (void)state;
    open_pipe();
    assert_int_equal(w.ended, 0);
    until(w.ended);
    assert_int_equal(w.why, LINK_NAMELESS);
}

/* Multicast: connect itself fails. */
static void an_address_that_cannot_be_is_unreachable(void **state)
{
    (void)state;
    w.count = 1;
    assert_true(address_of_ip("224.0.0.9", 9, &w.found[0]));
    open_pipe();
    assert_int_equal(w.ended, 0);
    until(w.ended);
    assert_int_equal(w.why, LINK_UNREACHABLE);
}

/* A host that refuses at one address is there. */
static void refused_tells_more_than_unreachable(void **state)
{
    (void)state;
    w.count = 2;
    assert_true(address_of_ip("224.0.0.9", 9, &w.found[0]));
    close_at(1, &w.found[1]);
    open_pipe();
    until(w.ended);
    assert_int_equal(w.why, LINK_REFUSED);
}

static void nobody_answers_is_a_timeout(void **state)
{
    (void)state;
    w.count = 2;
    listen_dead(1, &w.found[0]);
    listen_dead(2, &w.found[1]);
    open_pipe();
    until(w.ended);
    assert_int_equal(w.why, LINK_TIMEOUT);
    assert_int_equal(w.opened, 0);
}

static void it_can_be_closed_at_any_time(void **state)
{
    (void)state;
    w.count = 2;
    listen_dead(1, &w.found[0]);
    listen_dead(2, &w.found[1]);
    open_pipe();
    byte_pipe_close(w.pipe);
    open_pipe();
    for (int i = 0; i < 70; i++) /* The second attempt is under way. */
        uv_run(&w.loop, UV_RUN_ONCE);
    byte_pipe_close(w.pipe);
    w.pipe = NULL;
    assert_int_equal(w.opened + w.ended, 0);
}

/* ---- Bytes */

static int accept_one(int listener)
{
    int fd = keep(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    return fd;
}

static int open_to_one(void)
{
    w.count = 1;
    int listener = listen_at(1, 8, &w.found[0]);
    open_pipe();
    until(w.opened);
    return accept_one(listener);
}

static int option(int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;

    assert_int_equal(
        getsockopt(tcp_pipe_fd(w.pipe), level, name, &value, &size), 0);
    return value;
}

static void small_packets_leave_at_once_and_a_dead_host_ends(void **state)
{
    (void)state;
    open_to_one();
    assert_int_equal(option(IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    assert_int_equal(option(IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 * 1024);
}

static void bytes_pass_both_ways(void **state)
{
    uint8_t room[16];

    (void)state;
    int fd = open_to_one();
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), 0);
    assert_int_equal(byte_pipe_write(w.pipe, (const uint8_t *)"there", 5), 5);
    assert_int_equal(recv(fd, room, sizeof room, 0), 5);
    assert_memory_equal(room, "there", 5);
    int before = w.ready;
    assert_int_equal(send(fd, "here and", 8, 0), 8);
    until(w.ready > before);
    assert_int_equal(byte_pipe_read(w.pipe, room, 4), 4);
    assert_int_equal(byte_pipe_read(w.pipe, room + 4, 12), 4);
    assert_memory_equal(room, "here and", 8);
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), 0);
}

static void the_last_bytes_come_before_the_end(void **state)
{
    uint8_t room[16];

    (void)state;
    int fd = open_to_one();
    assert_int_equal(send(fd, "bye", 3, 0), 3);
    shutdown(fd, SHUT_WR);
    until(w.ready);
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), 3);
    int before = w.ready;
    until(w.ready > before);
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), -1);
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), -1);
}

/* The other end closes while bytes to it are unread there: a reset. */
static void a_reset_is_an_end(void **state)
{
    uint8_t room[16];

    (void)state;
    int fd = open_to_one();
    byte_pipe_write(w.pipe, (const uint8_t *)"unread", 6);
    assert_int_equal(recv(fd, room, 1, MSG_PEEK), 1);
    close(fd);
    w.fd_count--;
    ssize_t n = 0;
    until(w.ended || (n = byte_pipe_read(w.pipe, room, sizeof room)) < 0);
    assert_true(n < 0 || w.why == LINK_BROKEN);
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), -1);
}

static void a_full_pipe_tells_when_it_takes_more(void **state)
{
    static uint8_t data[1 << 20];
    size_t sent = 0, got = 0, took;

    (void)state;
    int fd = open_to_one();
    do {
        took = byte_pipe_write(w.pipe, data, sizeof data);
        sent += took;
    } while (took > 0);
    int before = w.ready;
    while (w.ready == before && got < sent) {
        ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);
        got += n > 0 ? (size_t)n : 0;
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    assert_true(w.ready > before);
    assert_true(byte_pipe_write(w.pipe, data, sizeof data) > 0);
}

static void a_paused_pipe_tells_and_reads_nothing(void **state)
{
    uint8_t room[16];

    (void)state;
    int fd = open_to_one();
    byte_pipe_pause(w.pipe, true);
    int before = w.ready;
    assert_int_equal(send(fd, "wait", 4, 0), 4);
    for (int i = 0; i < 20; i++)
        uv_run(&w.loop, UV_RUN_ONCE);
    assert_int_equal(w.ready, before);
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), 0);
    byte_pipe_pause(w.pipe, false);
    until(w.ready > before);
    assert_int_equal(byte_pipe_read(w.pipe, room, sizeof room), 4);
}

/* ---- The order */

static void families_take_turns(void **state)
{
    static const struct {
        const char *found, *tried; /* families, and which of them */
    } cases[] = {
        {"", ""},
        {"6a", "6a"},
        {"4a4b4c", "4a4b4c"},
        {"6a6b4a4b", "6a4a6b4b"},
        {"4a4b6a6b6c", "4a6a4b6b6c"},
        {"6a6b6c6d4a", "6a4a6b6c6d"},
        {"4a6a4b6b", "4a6a4b6b"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct address list[HOST_LOOKUP_ADDRESSES] = {{0}};
        char tried[32] = "";
        size_t count = strlen(cases[i].found) / 2;
        for (size_t k = 0; k < count; k++) {
            list[k].family =
                cases[i].found[2 * k] == '4' ? ADDRESS_V4 : ADDRESS_V6;
            list[k].port = (uint8_t)cases[i].found[2 * k + 1];
        }
        tcp_pipe_order(list, count);
        for (size_t k = 0; k < count; k++) {
            tried[2 * k] = list[k].family == ADDRESS_V4 ? '4' : '6';
            tried[2 * k + 1] = (char)list[k].port;
        }
        assert_string_equal(tried, cases[i].tried);
    }
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(the_first_address_wins),
        LIVE(a_dead_first_address_costs_a_delay),
        LIVE(the_others_are_closed),
        LIVE(the_other_family_is_next),
        LIVE(one_that_refuses_costs_nothing),
        LIVE(all_that_refuse_are_refused),
        LIVE(no_address_is_nameless),
        LIVE(an_address_that_cannot_be_is_unreachable),
        LIVE(refused_tells_more_than_unreachable),
        LIVE(nobody_answers_is_a_timeout),
        LIVE(it_can_be_closed_at_any_time),
        LIVE(small_packets_leave_at_once_and_a_dead_host_ends),
        LIVE(bytes_pass_both_ways),
        LIVE(the_last_bytes_come_before_the_end),
        LIVE(a_reset_is_an_end),
        LIVE(a_full_pipe_tells_when_it_takes_more),
        LIVE(a_paused_pipe_tells_and_reads_nothing),
        cmocka_unit_test(families_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
