/*
 * The gate on real connections of the loopback, in a time of the test's own.
 */
#include "common/io/gate.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

static struct gate *gate;
static struct unread unread;
static struct instant now;
static char last_cut[32];
static int here;  /* the accepted end */
static int there; /* the client's end */

static void on_cut(void *context, const struct address *address,
                   const char *reason)
{
    (void)context;
    (void)address;
    strncpy(last_cut, reason, sizeof last_cut - 1);
}

static void connect_pair(int *accepted, int *client)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&at, &size);
    *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*client, (struct sockaddr *)&at, sizeof at), 0);
    *accepted = accept(listener, NULL, NULL);
    assert_true(*accepted >= 0);
    close(listener);
}

static bool is_shut(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static int setup(void **state)
{
    (void)state;
    assert_true(sodium_init() >= 0);
    struct gate_conf conf = {.sockets = 2,
                             .per_address = 10,
                             .hello = span_s(5),
                             .unread_stranger = 32 * 1024,
                             .unread = 4 * 1024 * 1024};
    struct unread_world world = unread_world_open();
    unread_init(&unread, &world, 1024 * 1024 * 1024);
    gate = gate_new(&conf, &unread, on_cut, NULL);
    now = (struct instant){1000000};
    last_cut[0] = '\0';
    connect_pair(&here, &there);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gate_free(gate);
    assert_true(instant_is_never(unread.look_at));
    unread_world_close(&unread.world);
    close(here);
    close(there);
    return 0;
}

static bool hold(int fd, uint64_t conn)
{
    struct address address;
    uint64_t before;
    return gate_hold(gate, fd, conn, now, &address, &before) &&
           address.family == ADDRESS_V4 && before == 0;
}

static uint64_t closed(int fd)
{
    struct address address;
    return gate_closed(gate, fd, &address);
}

static void pass(struct span span)
{
    now = instant_after(now, span);
    gate_due(gate, now);
    unread_due(&unread, now);
}

static void who_says_nothing_is_cut_in_time(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    pass(span_ms(4900));
    assert_false(is_shut(there));
    pass(span_ms(200));
    assert_true(is_shut(there));
    assert_string_equal(last_cut, "no_hello");
    assert_int_equal(closed(here), 0);
    assert_int_equal(gate_count(gate), 0);
}

static void who_is_held_stays(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(hold(here, 7));
    pass(span_s(1000));
    assert_false(is_shut(there));
    assert_int_equal(closed(here), 7);
}

/* libzmq's threads may tell of the first packet before the accept. */
static void a_packet_may_come_before_its_accept(void **state)
{
    (void)state;
    assert_true(hold(here, 7));
    gate_accepted(gate, here, now);
    pass(span_s(1000));
    assert_false(is_shut(there));
    assert_int_equal(gate_count(gate), 1);
    assert_int_equal(closed(here), 7);
}

static void what_is_gone_is_not_held(void **state)
{
    (void)state;
    int fd = here;
    gate_accepted(gate, here, now);
    assert_int_equal(closed(here), 0);
    close(here);
    here = -1;
    assert_false(hold(fd, 7));
    gate_accepted(gate, fd, now);
    assert_int_equal(gate_count(gate), 0);
    assert_false(hold(-1, 7));
    assert_false(hold(1 << 30, 7));
}

static void a_dropped_one_is_cut_in_a_moment(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(hold(here, 7));
    gate_drop(gate, here, 8, now); /* not the holder */
    pass(span_s(10));
    assert_false(is_shut(there));
    gate_drop(gate, here, 7, now);
    gate_due(gate, now);
    assert_false(is_shut(there));
    pass(span_s(1));
    assert_true(is_shut(there));
    assert_string_equal(last_cut, "");
}

static void one_too_many_is_cut_at_once(void **state)
{
    (void)state;
    int accepted[2];
    int client[2];
    gate_accepted(gate, here, now);
    for (int i = 0; i < 2; i++) {
        connect_pair(&accepted[i], &client[i]);
        gate_accepted(gate, accepted[i], now);
        gate_due(gate, now);
    }
    assert_false(is_shut(client[0]));
    assert_true(is_shut(client[1]));
    assert_string_equal(last_cut, "full");
    for (int i = 0; i < 2; i++) {
        close(accepted[i]);
        close(client[i]);
    }
}

static void another_connection_with_the_descriptor_is_spared(void **state)
{
    (void)state;
    int accepted;
    int client;
    gate_accepted(gate, here, now);
    connect_pair(&accepted, &client);
    assert_int_equal(dup2(accepted, here), here); /* used again, unheard */
    pass(span_s(6));
    assert_string_equal(last_cut, "no_hello");
    assert_false(is_shut(client));
    close(accepted);
    close(client);
}

/* So many packets arrive, and libzmq takes them. */
static void arrive(int count)
{
    static char packet[32 * 1024 + 33 + 9];
    char sink[64 * 1024];
    for (int i = 0; i < count; i++) {
        size_t sent = 0;
        while (sent < sizeof packet) {
            ssize_t size =
                send(there, packet + sent, sizeof packet - sent, MSG_DONTWAIT);
            if (size > 0)
                sent += (size_t)size;
            while (recv(here, sink, sizeof sink, MSG_DONTWAIT) > 0)
                ;
        }
    }
}

static void read_packets(int count)
{
    for (int i = 0; i < count; i++)
        gate_read(gate, here, 32 * 1024);
}

static void who_is_not_read_is_cut(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(hold(here, 7));
    arrive(256);
    read_packets(256);
    arrive(127);
    pass(span_ms(500));
    assert_string_equal(last_cut, "");
    arrive(2);
    pass(span_ms(500));
    assert_true(is_shut(there));
    assert_string_equal(last_cut, "unread");
    assert_int_equal(closed(here), 7);
}

static void before_its_first_packet_it_may_send_little(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    arrive(2);
    pass(span_ms(500));
    assert_true(is_shut(there));
    assert_string_equal(last_cut, "unread");
}

/* The kernel's buffer is not libzmq's memory. */
static void what_waits_in_the_kernel_is_not_counted(void **state)
{
    static char bytes[64 * 1024];
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(send(there, bytes, sizeof bytes, 0) > 0);
    pass(span_ms(500));
    assert_string_equal(last_cut, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_says_nothing_is_cut_in_time),
        TEST(who_is_held_stays),
        TEST(a_packet_may_come_before_its_accept),
        TEST(what_is_gone_is_not_held),
        TEST(a_dropped_one_is_cut_in_a_moment),
        TEST(one_too_many_is_cut_at_once),
        TEST(another_connection_with_the_descriptor_is_spared),
        TEST(who_is_not_read_is_cut),
        TEST(before_its_first_packet_it_may_send_little),
        TEST(what_waits_in_the_kernel_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
