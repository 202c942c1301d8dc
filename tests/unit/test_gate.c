/*
 * The gate with real connections over loopback, in virtual time.
 */
#include "common/io/gate.h"

#include <arpa/inet.h>
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
                             .drop = span_ms(300),
                             .unsent = 256 * 1024,
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

static void a_silent_connection_is_cut_in_time(void **state)
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

/* A load balancer's connections are counted for their clients only. */
static void a_client_behind_a_proxy_counts_once_it_is_named(void **state)
{
    struct address client, other, told;
    int first[2], second[2];
    (void)state;

    assert_true(address_of_ip("203.0.113.1", 5, &client));
    assert_true(address_of_ip("203.0.113.2", 5, &other));
    struct gate_conf conf = {
        .sockets = 10, .per_address = 1, .hello = span_s(5)};
    gate_reconfigure(gate, &conf);
    connect_pair(&first[0], &first[1]);
    connect_pair(&second[0], &second[1]);
    gate_accepted_proxy(gate, here, now);
    gate_accepted_proxy(gate, first[0], now);
    gate_accepted_proxy(gate, second[0], now);
    assert_false(gate_is_cut(gate, here) || gate_is_cut(gate, first[0]) ||
                 gate_is_cut(gate, second[0]));
    gate_client(gate, here, &client, now);
    gate_client(gate, first[0], &other, now);
    assert_false(gate_is_cut(gate, here) || gate_is_cut(gate, first[0]));
    gate_client(gate, second[0], &client, now);
    assert_true(gate_is_cut(gate, here)); /* the oldest of that client */
    assert_false(gate_is_cut(gate, second[0]));
    assert_string_equal(last_cut, "full_address");
    (void)gate_closed(gate, second[0], &told);
    assert_true(address_equal(&told, &client));
    assert_int_equal(closed(first[0]), 0);
    assert_int_equal(closed(here), 0);
    assert_int_equal(gate_count(gate), 0);
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
}

static void other_protocols_may_take_longer(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    gate_allow(gate, here, instant_after(now, span_s(14)));
    pass(span_s(13));
    assert_false(is_shut(there));
    pass(span_s(2));
    assert_true(is_shut(there));
    assert_int_equal(closed(here), 0);
}

static void a_held_connection_stays(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(hold(here, 7));
    pass(span_s(1000));
    assert_false(is_shut(there));
    assert_int_equal(closed(here), 7);
}

/* libzmq's threads may report the first packet before the accept. */
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

static void a_connection_that_is_gone_is_not_held(void **state)
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

static void a_dropped_connection_is_cut_in_a_moment(void **state)
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

/* ---- More than one ------------------------------------------------------ */

enum { CROWD = 8 };

static int accepted[CROWD];
static int clients[CROWD];

static int setup_crowd(void **state)
{
    setup(state);
    for (int i = 0; i < CROWD; i++)
        connect_pair(&accepted[i], &clients[i]);
    return 0;
}

static int teardown_crowd(void **state)
{
    teardown(state);
    for (int i = 0; i < CROWD; i++) {
        close(accepted[i]);
        close(clients[i]);
    }
    return 0;
}

static void reconfigure(const struct gate_conf *conf)
{
    struct gate_conf all = *conf;
    all.hello = span_s(5);
    all.unread_stranger = 32 * 1024;
    all.unread = 4 * 1024 * 1024;
    gate_reconfigure(gate, &all);
}

static void enter(int i)
{
    gate_accepted(gate, accepted[i], now);
    gate_due(gate, now);
}

static void a_full_gate_gives_the_oldest_strangers_place(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        enter(i);
    assert_true(is_shut(clients[0]));
    assert_false(is_shut(clients[1]));
    assert_false(is_shut(clients[2]));
    assert_string_equal(last_cut, "full");
}

static void a_connection_with_a_packet_makes_no_room(void **state)
{
    (void)state;
    reconfigure(&(struct gate_conf){.sockets = 3, .per_address = 10});
    for (int i = 0; i < 3; i++)
        enter(i);
    assert_true(hold(accepted[0], 7));
    enter(3);
    assert_false(is_shut(clients[0]));
    assert_true(is_shut(clients[1]));
    assert_int_equal(closed(accepted[1]), 0);
    assert_true(hold(accepted[2], 8));
    assert_true(hold(accepted[3], 9));
    enter(4); /* no stranger is left to make room */
    assert_true(is_shut(clients[4]));
    assert_int_equal(closed(accepted[4]), 0);
    gate_drop(gate, accepted[2], 8,
              now); /* except a dropped connection, which ends anyway */
    enter(5);
    assert_true(is_shut(clients[2]));
    assert_false(is_shut(clients[5]));
    assert_false(is_shut(clients[3]));
}

static void strangers_are_limited_by_themselves(void **state)
{
    (void)state;
    reconfigure(
        &(struct gate_conf){.sockets = 100, .strangers = 2, .per_address = 10});
    enter(0);
    assert_true(hold(accepted[0], 7));
    for (int i = 1; i < 4; i++)
        enter(i);
    assert_false(is_shut(clients[0]));
    assert_true(is_shut(clients[1]));
    assert_false(is_shut(clients[2]));
    assert_false(is_shut(clients[3]));
    assert_string_equal(last_cut, "full");
}

static void a_full_address_makes_its_own_room(void **state)
{
    (void)state;
    reconfigure(&(struct gate_conf){.sockets = 100, .per_address = 2});
    for (int i = 0; i < 3; i++)
        enter(i);
    assert_true(is_shut(clients[0]));
    assert_false(is_shut(clients[1]));
    assert_false(is_shut(clients[2]));
    assert_string_equal(last_cut, "full_address");
}

/* 16 a second: 2 from a network of strangers, 8 from a member's; 8 at once. */
static void too_many_handshakes_are_cut_at_once(void **state)
{
    (void)state;
    reconfigure(&(struct gate_conf){
        .sockets = 100, .per_address = 4, .handshakes = 16});
    enter(0);
    assert_true(hold(accepted[0], 7));
    for (int i = 0; i < 7; i++) {
        enter(1);
        assert_int_equal(closed(accepted[1]), 0);
    }
    assert_string_equal(last_cut, "");
    enter(2);
    assert_true(is_shut(clients[2]));
    assert_string_equal(last_cut, "rate");
    gate_prove(gate, accepted[0], 8); /* not the holder */
    pass(span_ms(130));
    enter(3);
    assert_true(is_shut(clients[3]));
    gate_prove(gate, accepted[0], 7);
    for (int i = 4; i < 6; i++) {
        assert_int_equal(closed(accepted[i - 2]), 0);
        enter(i);
        assert_false(is_shut(clients[i]));
    }
    assert_false(is_shut(clients[0]));
    assert_false(is_shut(clients[1]));
}

static void out_of_descriptors_the_oldest_stranger_makes_room(void **state)
{
    (void)state;
    reconfigure(&(struct gate_conf){.sockets = 100, .per_address = 10});
    enter(0);
    assert_true(hold(accepted[0], 7));
    enter(1);
    enter(2);
    gate_accept_failed(gate, ECONNABORTED,
                       now); /* this error is no lack of descriptors */
    assert_false(is_shut(clients[1]));
    gate_accept_failed(gate, EMFILE, now);
    gate_accept_failed(gate, EMFILE, now); /* one connection at a time */
    assert_false(is_shut(clients[0]));
    assert_true(is_shut(clients[1]));
    assert_false(is_shut(clients[2]));
    pass(span_ms(50));
    gate_accept_failed(gate, ENFILE, now);
    assert_true(is_shut(clients[2]));
    pass(span_ms(50));
    gate_accept_failed(gate, EMFILE, now); /* no stranger is left */
    assert_false(is_shut(clients[0]));
}

static bool connects_to(const struct sockaddr_in *to, const char *from)
{
    struct sockaddr_in me = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, from, &me.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof me), 0);
    int rc = connect(fd, (const struct sockaddr *)to, sizeof *to);
    assert_true(rc == 0 || errno == EINPROGRESS);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    /* The system repeats a dropped SYN after a second. */
    bool done = poll(&p, 1, 300) == 1;
    close(fd);
    return done;
}

/* The kernel ignores connections that the gate would have to cut. */
static void connections_that_come_too_fast_are_kept_out(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 8), 0);
    getsockname(listener, (struct sockaddr *)&at, &size);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    reconfigure(&(struct gate_conf){
        .sockets = 100, .per_address = 1, .handshakes = 16});
    gate_listening(gate, listener);
    for (int i = 0; i < 2; i++) { /* all of them come from 127.0.0.1 */
        enter(i);
        assert_int_equal(closed(accepted[i]), 0);
    }
    assert_true(connects_to(&at, "127.0.0.1"));
    enter(2);
    assert_string_equal(last_cut, "rate");
    assert_false(connects_to(&at, "127.0.0.1"));
    assert_true(connects_to(&at, "127.0.0.2"));
    assert_false(instant_is_never(gate_deadline(gate)));
    pass(span_s(1));
    assert_true(connects_to(&at, "127.0.0.1"));
    close(listener);
}

/* Each connection cost tens of KiB in libzmq; their memory goes back to the
 * system. */
static void many_closed_connections_return_their_memory(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        gate_accepted(gate, here, now);
        assert_int_equal(closed(here), 0);
    }
    gate_due(gate, now);
    assert_true(instant_is_never(unread.give_back_at));
    for (int i = 0; i < 200; i++) {
        gate_accepted(gate, here, now);
        assert_int_equal(closed(here), 0);
    }
    assert_true(instant_reached(gate_deadline(gate), now));
    gate_due(gate, now);
    assert_false(instant_reached(gate_deadline(gate), now));
    assert_false(instant_is_never(unread.give_back_at));
}

static void another_connection_with_the_descriptor_is_spared(void **state)
{
    (void)state;
    int other;
    int client;
    gate_accepted(gate, here, now);
    connect_pair(&other, &client);
    assert_int_equal(dup2(other, here),
                     here); /* reused before the end was reported */
    pass(span_s(6));
    assert_string_equal(last_cut, "no_hello");
    assert_false(is_shut(client));
    close(other);
    close(client);
}

/* Lets `count` packets arrive, which libzmq takes from the kernel. */
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

static void a_connection_with_much_unread_is_cut(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(hold(here, 7));
    gate_prove(gate, here, 7);
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

/* A first packet does not prove a member: a revoked node can send one as well.
 */
static void a_connection_that_is_not_proved_may_send_little(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(hold(here, 7));
    gate_prove(gate, here, 8); /* not the holder either */
    gate_drop(gate, here, 7, now);
    arrive(2);
    pass(span_ms(50));
    assert_true(is_shut(there));
}

static void before_its_first_packet_a_connection_may_send_little(void **state)
{
    (void)state;
    gate_accepted(gate, here, now);
    arrive(2);
    pass(span_ms(500));
    assert_true(is_shut(there));
    assert_string_equal(last_cut, "unread");
}

/* Bytes in the kernel's buffer cost libzmq no memory. */
static void bytes_in_the_kernel_are_not_counted(void **state)
{
    static char bytes[64 * 1024];
    (void)state;
    gate_accepted(gate, here, now);
    assert_true(send(there, bytes, sizeof bytes, 0) > 0);
    pass(span_ms(500));
    assert_string_equal(last_cut, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CROWD_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, setup_crowd, teardown_crowd)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_silent_connection_is_cut_in_time),
        TEST(a_client_behind_a_proxy_counts_once_it_is_named),
        TEST(other_protocols_may_take_longer),
        TEST(a_held_connection_stays),
        TEST(a_packet_may_come_before_its_accept),
        TEST(a_connection_that_is_gone_is_not_held),
        TEST(a_dropped_connection_is_cut_in_a_moment),
        CROWD_TEST(a_full_gate_gives_the_oldest_strangers_place),
        CROWD_TEST(a_connection_with_a_packet_makes_no_room),
        CROWD_TEST(strangers_are_limited_by_themselves),
        CROWD_TEST(a_full_address_makes_its_own_room),
        CROWD_TEST(too_many_handshakes_are_cut_at_once),
        CROWD_TEST(out_of_descriptors_the_oldest_stranger_makes_room),
        CROWD_TEST(connections_that_come_too_fast_are_kept_out),
        TEST(many_closed_connections_return_their_memory),
        TEST(another_connection_with_the_descriptor_is_spared),
        TEST(a_connection_with_much_unread_is_cut),
        TEST(before_its_first_packet_a_connection_may_send_little),
        TEST(a_connection_that_is_not_proved_may_send_little),
        TEST(bytes_in_the_kernel_are_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
