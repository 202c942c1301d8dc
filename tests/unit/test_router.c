/*
 * The router with real connections over loopback: one ROUTER, and DEALERs that
 * connect to it. The limits in time are tested with times of the test's choice.
 */
#include "tests/unit/patience.h"

#include "common/io/clock.h"
#include "common/io/router.h"
#include "common/io/sockaddr.h"
#include "common/io/zap.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TURN_MS = 5,
    SOCKETS = 64,
    BUFFER = 16 * 1024,
    ID_STEP = 4,
    LIMIT = 3,
    READINGS = 3,
    LARGE = 60 * 1000,
    UNREAD_STRANGER = 1000,
    UNREAD_MEMBER = 1000 * 1000,
    CLIENTS = 8,
};

static struct {
    uv_loop_t loop;
    struct zloop zloop;
    uv_timer_t timer;
    void *context;
    struct zap *zap;
    struct zsocket *socket;
    struct unread unread;
    struct carriers carriers;
    struct router_conf conf;
    struct router *router;
    uint8_t public_key[32], secret_key[32];
    char endpoint[64];
    /* What the router and its carriers reported, a word for each event: a
     * letter, the id, and the number of a packet. */
    char heard[4096];
    char turned_away[256]; /* the first: "handshake_failed protocol", ... */
    uint32_t packets;      /* that the owner got */
    int rearmed;
    int accepted, disconnected;
    bool paused; /* the test calls router_read itself */
    bool enough; /* what the user's `enough` answers */
    struct curve_key key;
    struct address address;
    uint64_t received;      /* what the kernel reports for each connection */
    void *clients[CLIENTS]; /* their sockets, to close them after a failure */
    size_t client_count;
} w;

/* ---- The owner of the carriers, and the user of the router */

static void hear(char event, uint64_t id, uint32_t number)
{
    size_t size = strlen(w.heard);

    snprintf(w.heard + size, sizeof w.heard - size, "%s%c%u", size ? " " : "",
             event, (unsigned)id);
    size = strlen(w.heard);
    if (event == 'p')
        snprintf(w.heard + size, sizeof w.heard - size, ":%u", number);
}

static void on_opened(void *context, struct carrier *c)
{
    (void)context;
    w.key = c->key;
    w.address = c->address;
    hear('o', c->id, 0);
}

static void on_packet(void *context, struct carrier *c,
                      struct packet_ref *packet)
{
    uint32_t number = 0;

    (void)context;
    if (packet_ref_size(packet) >= sizeof number)
        memcpy(&number, packet_ref_data(packet), sizeof number);
    w.packets++;
    hear('p', c->id, number);
}

static void on_blocked(void *context, struct carrier *c)
{
    (void)context;
    hear('b', c->id, 0);
}

static void on_writable(void *context, struct carrier *c)
{
    (void)context;
    hear('w', c->id, 0);
}

static void on_closed(void *context, struct carrier *c, enum carrier_end why)
{
    (void)context;
    assert_int_equal(why, CARRIER_BROKEN);
    hear('c', c->id, 0);
}

static const struct carrier_owner owner = {
    .opened = on_opened,
    .packet = on_packet,
    .blocked = on_blocked,
    .writable = on_writable,
    .closed = on_closed,
};

static bool is_enough(void *context)
{
    (void)context;
    return w.enough;
}

static void on_event(void *context, const struct monitor_event *event)
{
    (void)context;
    w.accepted += event->kind == MONITOR_ACCEPTED;
    w.disconnected += event->kind == MONITOR_DISCONNECTED;
}

static void on_rearm(void *context)
{
    (void)context;
    w.rearmed++;
}

static void on_turned_away(void *context, const char *what,
                           const struct address *address, const char *reason)
{
    (void)context;
    w.address = *address;
    if (w.turned_away[0] == '\0')
        snprintf(w.turned_away, sizeof w.turned_away, "%s %s", what, reason);
}

static const struct router_user user = {
    .enough = is_enough,
    .heard = on_event,
    .rearm = on_rearm,
    .turned_away = on_turned_away,
};

static void on_ready(void *context, int events)
{
    (void)context;
    (void)events;
    if (w.router == NULL || w.paused)
        return;
    router_retry(w.router);
    router_tell_ends(w.router, router_read(w.router, SIZE_MAX));
}

/* ---- A world with one router */

static bool look(void *context, int fd, struct unread_seen *seen)
{
    (void)context;
    (void)fd;
    *seen = (struct unread_seen){.received = w.received};
    return true;
}

static uint64_t memory(void *context)
{
    (void)context;
    return 0;
}

static void give_back(void *context)
{
    (void)context;
}

/* libzmq may tell that a client is writable while another one is written to:
 * then the socket does not become ready for it. An edge's probes, which come
 * each second, have the blocked packets tried again. */
static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    if (w.router != NULL && !w.paused)
        router_retry(w.router);
}

static void open_socket(void)
{
    size_t size = sizeof w.endpoint;

    w.socket = zsocket_open(&w.zloop, w.context, ZMQ_ROUTER, on_ready, NULL);
    assert_non_null(w.socket);
    void *raw = zsocket_raw(w.socket);
    assert_int_equal(zmq_setsockopt(raw, ZMQ_CURVE_SECRETKEY, w.secret_key, 32),
                     0);
    assert_int_equal(zmq_setsockopt(raw, ZMQ_ZAP_DOMAIN, "test", 4), 0);
    assert_true(zsocket_set(w.socket, ZMQ_CURVE_SERVER, 1) &&
                zsocket_set(w.socket, ZAP_ENFORCE_DOMAIN, 1) &&
                zsocket_set(w.socket, ZMQ_ROUTER_MANDATORY, 1) &&
                zsocket_set(w.socket, ZMQ_SNDHWM, 2) &&
                zsocket_set(w.socket, ZMQ_SNDBUF, BUFFER));
    w.conf.socket = w.socket;
    w.router = router_open(&w.conf, &user);
    assert_non_null(w.router);
    assert_int_equal(zmq_bind(raw, "tcp://127.0.0.1:*"), 0);
    zsocket_touch(w.socket);
    assert_int_equal(zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, w.endpoint, &size),
                     0);
}

static void close_router(void)
{
    router_close(&w.router);
    zsocket_close(&w.socket);
}

/* Opens the router anew, with w.conf. */
static void reopen(void)
{
    close_router();
    open_socket();
}

static int setup(void **state)
{
    static const struct unread_world world = {
        .look = look, .memory = memory, .give_back = give_back};
    static const struct carriers_conf carriers = {.credit = 64 * 1024 * 1024,
                                                  .queue = 64 * 1024 * 1024};

    (void)state;
    memset(&w, 0, sizeof w);
    uv_loop_init(&w.loop);
    zloop_open(&w.zloop, &w.loop, NULL, NULL);
    uv_timer_init(&w.loop, &w.timer);
    uv_timer_start(&w.timer, on_timer, TURN_MS, TURN_MS);
    w.context = zcontext_open(SOCKETS);
    assert_non_null(w.context);
    w.zap = zap_open(&w.zloop, w.context, NULL, NULL);
    assert_non_null(w.zap);
    crypto_box_keypair(w.public_key, w.secret_key);
    unread_init(&w.unread, &world, 1024 * 1024 * 1024);
    carriers_init(&w.carriers, &carriers, &owner);
    w.conf = (struct router_conf){
        .zloop = &w.zloop,
        .zmq_context = w.context,
        .carriers = &w.carriers,
        .gate = {.sockets = 16,
                 .per_address = 16,
                 .hello = span_s(60),
                 .drop = span_s(60),
                 .unsent = BUFFER,
                 .unread_stranger = UNREAD_STRANGER,
                 .unread = UNREAD_MEMBER},
        .unread = &w.unread,
        .id_step = ID_STEP,
        .limit = LIMIT,
        .readings = READINGS,
    };
    open_socket();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_router();
    for (size_t i = 0; i < w.client_count; i++)
        if (w.clients[i] != NULL)
            zmq_close(w.clients[i]);
    carriers_close_all(&w.carriers);
    assert_true(instant_is_never(w.unread.look_at));
    zap_close(&w.zap);
    zloop_close(&w.zloop);
    uv_close((uv_handle_t *)&w.timer, NULL);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    zcontext_close(&w.context);
    return uv_loop_close(&w.loop);
}

static bool turn_before(struct instant end)
{
    uv_run(&w.loop, UV_RUN_ONCE);
    return !instant_reached(end, clock_now());
}

/* Runs the loop until the condition holds. */
#define RUN_UNTIL(condition)                                                   \
    do {                                                                       \
        struct instant run_end =                                               \
            instant_after(clock_now(), span_s(PATIENCE_S));                    \
        while (!(condition))                                                   \
            assert_true(turn_before(run_end));                                 \
    } while (0)

static void expect_heard(const char *what)
{
    assert_string_equal(w.heard, what);
    w.heard[0] = '\0';
}

/* ---- Clients */

struct router_client {
    void *socket;
    size_t place; /* in w.clients */
    uint8_t public_key[32];
};

static struct router_client open_client(const uint8_t server_key[32],
                                        const char *route)
{
    struct router_client c = {.socket = zmq_socket(w.context, ZMQ_DEALER)};
    uint8_t secret_key[32];
    int buffer = BUFFER, linger = 1000, one = 1;

    assert_non_null(c.socket);
    crypto_box_keypair(c.public_key, secret_key);
    zmq_setsockopt(c.socket, ZMQ_CURVE_SERVERKEY, server_key, 32);
    zmq_setsockopt(c.socket, ZMQ_CURVE_PUBLICKEY, c.public_key, 32);
    zmq_setsockopt(c.socket, ZMQ_CURVE_SECRETKEY, secret_key, 32);
    zmq_setsockopt(c.socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(c.socket, ZMQ_RCVBUF, &buffer, sizeof buffer);
    zmq_setsockopt(c.socket, ZMQ_RCVHWM, &one, sizeof one);
    if (route != NULL)
        zmq_setsockopt(c.socket, ZMQ_ROUTING_ID, route, strlen(route));
    assert_int_equal(zmq_connect(c.socket, w.endpoint), 0);
    assert_true(w.client_count < CLIENTS);
    c.place = w.client_count++;
    w.clients[c.place] = c.socket;
    return c;
}

static void close_client(struct router_client *c)
{
    zmq_close(c->socket);
    w.clients[c->place] = NULL;
}

static void send_frame(const struct router_client *c, uint32_t number,
                       int flags)
{
    assert_int_equal(zmq_send(c->socket, &number, sizeof number, flags),
                     sizeof number);
}

static void send_number(const struct router_client *c, uint32_t number)
{
    send_frame(c, number, 0);
}

/* Connects a client; its packet `number` makes it a carrier. */
static struct router_client join(uint32_t number)
{
    struct router_client c = open_client(w.public_key, NULL);
    uint32_t before = w.packets;

    send_number(&c, number);
    RUN_UNTIL(w.packets > before);
    return c;
}

/* Receives the next packet; returns its number. */
static uint32_t receive_number(const struct router_client *c)
{
    static uint8_t room[LARGE];
    uint32_t number;
    int size;

    struct instant end = instant_after(clock_now(), span_s(PATIENCE_S));
    while ((size = zmq_recv(c->socket, room, sizeof room, ZMQ_DONTWAIT)) < 0)
        assert_true(turn_before(end));
    assert_true(size >= (int)sizeof number);
    memcpy(&number, room, sizeof number);
    return number;
}

static void write_number(uint64_t id, uint32_t number, size_t size)
{
    struct packet_ref packet;

    packet_ref_room(&packet, size);
    memset(packet_ref_data(&packet), 0, size);
    memcpy(packet_ref_data(&packet), &number, sizeof number);
    carriers_write(&w.carriers, id, &packet);
    packet_ref_release(&packet);
}

/* A TCP connection without CURVE. */
static int connect_raw(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *port = strrchr(w.endpoint, ':');
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_non_null(port);
    at.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* ---- Packets */

static void the_first_packet_makes_a_carrier(void **state)
{
    (void)state;
    struct router_client a = join(1);
    assert_memory_equal(w.key.key, a.public_key, 32);
    assert_int_equal(w.address.family, ADDRESS_V4);
    assert_int_equal(w.address.ip[0], 127);
    assert_true(w.rearmed > 0);
    struct router_client b = join(2);
    assert_memory_equal(w.key.key, b.public_key, 32);
    send_number(&a, 3);
    RUN_UNTIL(w.packets == 3);
    expect_heard("o4 p4:1 o8 p8:2 p4:3");
    close_client(&a);
    close_client(&b);
}

static void packets_go_to_their_connection(void **state)
{
    (void)state;
    struct router_client a = join(1), b = join(2);
    for (uint32_t i = 0; i < 20; i++) {
        write_number(4, i, 8);
        write_number(8, 100 + i, 8);
    }
    for (uint32_t i = 0; i < 20; i++) {
        assert_int_equal(receive_number(&a), i);
        assert_int_equal(receive_number(&b), 100 + i);
    }
    close_client(&a);
    close_client(&b);
}

static void a_reading_has_a_limit(void **state)
{
    (void)state;
    struct router_client a = join(1);
    w.paused = true;
    for (uint32_t i = 2; i <= 5; i++)
        send_number(&a, i);
    w.enough = true;
    for (int i = 0; i < 20; i++) {
        uv_run(&w.loop, UV_RUN_ONCE);
        assert_false(router_read(w.router, SIZE_MAX));
    }
    expect_heard("o4 p4:1");
    w.enough = false;
    for (uint32_t i = 2; i <= 5; i++) {
        RUN_UNTIL(!router_read(w.router, 1));
        assert_int_equal(w.packets, i);
    }
    assert_true(router_read(w.router, SIZE_MAX));
    expect_heard("p4:2 p4:3 p4:4 p4:5");
    close_client(&a);
}

static void messages_of_several_frames_are_dropped(void **state)
{
    (void)state;
    struct router_client a = join(1);
    send_frame(&a, 2, ZMQ_SNDMORE);
    send_frame(&a, 3, ZMQ_SNDMORE);
    send_frame(&a, 4, 0);
    send_number(&a, 5);
    RUN_UNTIL(w.packets == 2);
    expect_heard("o4 p4:1 p4:5");
    close_client(&a);
}

/* "hello" is as long as the routing ids that libzmq makes. */
static void clients_that_chose_their_routing_id_are_dropped(void **state)
{
    (void)state;
    struct router_client a = open_client(w.public_key, "id");
    struct router_client b = open_client(w.public_key, "hello");
    send_number(&a, 1);
    send_number(&b, 2);
    RUN_UNTIL(w.accepted == 2);
    struct router_client c = join(3);
    for (int i = 0; i < 20; i++)
        uv_run(&w.loop, UV_RUN_ONCE);
    expect_heard("o4 p4:3");
    close_client(&a);
    close_client(&b);
    close_client(&c);
}

/* The client reads nothing, so the queues of both ends fill up. */
static void a_full_connection_blocks_until_it_is_read(void **state)
{
    (void)state;
    struct router_client a = join(1);
    uint32_t count = 0;
    while (strstr(w.heard, "b4") == NULL) {
        assert_true(count < 2000);
        write_number(4, count++, LARGE);
    }
    write_number(4, count++, LARGE);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(receive_number(&a), i);
    expect_heard("o4 p4:1 b4 w4");
    close_client(&a);
}

/* ---- The end of a connection */

static void the_end_follows_the_last_packet(void **state)
{
    (void)state;
    struct router_client a = join(1);
    w.paused = true;
    send_number(&a, 2);
    send_number(&a, 3);
    close_client(&a);
    RUN_UNTIL(w.disconnected == 1);
    assert_true(router_is_ending(w.router));
    bool dry = router_read(w.router, 1);
    assert_false(dry);
    router_tell_ends(w.router, dry);
    expect_heard("o4 p4:1 p4:2");
    dry = router_read(w.router, SIZE_MAX);
    assert_true(dry);
    router_tell_ends(w.router, dry);
    expect_heard("p4:3 c4");
    assert_false(router_is_ending(w.router));
    assert_null(carriers_find(&w.carriers, 4));
    write_number(4, 1, 8); /* It goes nowhere. */
}

/* Other connections may keep the socket from ever being dry. */
static void an_end_is_told_after_some_readings(void **state)
{
    (void)state;
    struct router_client a = join(1);
    w.paused = true;
    close_client(&a);
    RUN_UNTIL(w.disconnected == 1);
    for (int i = 1; i < READINGS; i++) {
        router_tell_ends(w.router, false);
        assert_true(router_is_ending(w.router));
    }
    expect_heard("o4 p4:1");
    router_tell_ends(w.router, false);
    expect_heard("c4");
}

static void the_owner_hears_nothing_of_a_carrier_that_it_closed(void **state)
{
    (void)state;
    struct router_client a = join(1);
    expect_heard("o4 p4:1");
    w.rearmed = 0;
    write_number(4, 7, 8);
    carriers_close(&w.carriers, 4);
    assert_true(w.rearmed > 0);
    assert_int_equal(receive_number(&a), 7); /* It was written before. */
    assert_int_equal(w.disconnected, 0);
    router_due(w.router, instant_after(clock_now(), w.conf.gate.drop));
    RUN_UNTIL(w.disconnected == 1 && !router_is_ending(w.router));
    assert_null(carriers_find(&w.carriers, 4));
    assert_string_equal(w.turned_away, "");
    expect_heard("");
    close_client(&a);
}

static void closing_the_router_ends_its_carriers(void **state)
{
    (void)state;
    struct router_client a = join(1), b = join(2);
    w.heard[0] = '\0';
    close_router();
    assert_int_equal(w.carriers.by_id.count, 0);
    expect_heard("");
    router_close(&w.router); /* There is none any more. */
    close_client(&a);
    close_client(&b);
}

/* ---- Connections that are turned away */

static void a_wrong_key_is_turned_away(void **state)
{
    uint8_t other_public[32], other_secret[32];

    (void)state;
    crypto_box_keypair(other_public, other_secret);
    struct router_client a = open_client(other_public, NULL);
    RUN_UNTIL(w.turned_away[0] != '\0');
    assert_string_equal(w.turned_away, "handshake_failed protocol");
    expect_heard("");
    close_client(&a);
}

static void a_silent_connection_is_cut_at_the_deadline(void **state)
{
    (void)state;
    assert_true(instant_is_never(router_deadline(w.router)));
    int fd = connect_raw();
    char greeting[64];
    RUN_UNTIL(w.accepted == 1);
    struct instant deadline = router_deadline(w.router);
    assert_false(instant_is_never(deadline));
    router_due(w.router, instant_after(deadline, span_ms(-1)));
    assert_string_equal(w.turned_away, "");
    router_due(w.router, deadline);
    assert_string_equal(w.turned_away, "connection_cut no_hello");
    RUN_UNTIL(recv(fd, greeting, sizeof greeting, MSG_DONTWAIT) == 0);
    close(fd);
}

static void connections_beyond_the_limit_become_no_carriers(void **state)
{
    struct router_client clients[LIMIT];

    (void)state;
    for (uint32_t i = 0; i < LIMIT; i++)
        clients[i] = join(i);
    w.heard[0] = '\0';
    struct router_client more = open_client(w.public_key, NULL);
    send_number(&more, 9);
    RUN_UNTIL(w.turned_away[0] != '\0');
    assert_string_equal(w.turned_away, "links_full ");
    expect_heard("");
    close_client(&clients[0]);
    RUN_UNTIL(strcmp(w.heard, "c4") == 0);
    send_number(&more, 10);
    RUN_UNTIL(w.packets == LIMIT + 1);
    expect_heard("c4 o16 p16:10");
    close_client(&more);
    for (uint32_t i = 1; i < LIMIT; i++)
        close_client(&clients[i]);
}

static void new_limits_are_for_new_connections(void **state)
{
    struct gate_conf gate = w.conf.gate;

    (void)state;
    struct router_client a = join(1);
    gate.sockets = 1;
    router_reconfigure(w.router, &gate);
    assert_string_equal(w.turned_away, "");
    int fd = connect_raw();
    RUN_UNTIL(w.turned_away[0] != '\0');
    assert_string_equal(w.turned_away, "connection_cut full");
    expect_heard("o4 p4:1");
    send_number(&a, 2);
    RUN_UNTIL(w.packets == 2);
    close(fd);
    close_client(&a);
}

/* Lets the kernel report `received` bytes for the only connection. */
static void check_unread(uint64_t received, const char *expected)
{
    w.received = received;
    unread_due(&w.unread, unread_deadline(&w.unread));
    assert_string_equal(w.turned_away, expected);
}

static void only_a_proved_connection_may_hold_much_unread(void **state)
{
    (void)state;
    w.conf.strangers = true;
    reopen();
    struct router_client a = join(1);
    check_unread(UNREAD_STRANGER, "");
    router_prove(w.router, 4);
    router_prove(w.router, 8); /* There is no such carrier. */
    check_unread(UNREAD_MEMBER, "");
    check_unread(UNREAD_MEMBER + 1000, "connection_cut unread");
    close_client(&a);
    RUN_UNTIL(w.disconnected == 1);

    w.turned_away[0] = '\0';
    w.received = 0;
    struct router_client b = join(1);
    check_unread(UNREAD_STRANGER + 1000, "connection_cut unread");
    close_client(&b);
}

static void where_only_members_know_the_key_a_packet_proves_one(void **state)
{
    (void)state;
    struct router_client a = join(1);
    check_unread(UNREAD_MEMBER, "");
    check_unread(UNREAD_MEMBER + 1000, "connection_cut unread");
    close_client(&a);
}

/* ---- Without help */

static void a_user_may_do_without_calls(void **state)
{
    static const struct router_user none;
    uint8_t other_public[32], other_secret[32];

    (void)state;
    router_close(&w.router);
    w.router = router_open(&w.conf, &none);
    assert_non_null(w.router);
    crypto_box_keypair(other_public, other_secret);
    struct router_client wrong = open_client(other_public, NULL);
    struct router_client a = join(1);
    close_client(&a);
    RUN_UNTIL(strstr(w.heard, "c4") != NULL);
    expect_heard("o4 p4:1 c4");
    close_client(&wrong);
}

static void without_a_socket_for_its_monitor_it_is_not_opened(void **state)
{
    /* A context of its own: the sockets of the other one that were closed may
     * still count. */
    void *context = zcontext_open(1);
    void *only = zmq_socket(context, ZMQ_PAIR);

    (void)state;
    assert_non_null(only);
    router_close(&w.router);
    w.conf.zmq_context = context;
    errno = 0;
    w.router = router_open(&w.conf, &user);
    int error = errno;
    zmq_close(only);
    zcontext_close(&context);
    assert_null(w.router);
    assert_int_equal(error, EMFILE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_packet_makes_a_carrier),
        TEST(packets_go_to_their_connection),
        TEST(a_reading_has_a_limit),
        TEST(messages_of_several_frames_are_dropped),
        TEST(clients_that_chose_their_routing_id_are_dropped),
        TEST(a_full_connection_blocks_until_it_is_read),
        TEST(the_end_follows_the_last_packet),
        TEST(an_end_is_told_after_some_readings),
        TEST(the_owner_hears_nothing_of_a_carrier_that_it_closed),
        TEST(closing_the_router_ends_its_carriers),
        TEST(a_wrong_key_is_turned_away),
        TEST(a_silent_connection_is_cut_at_the_deadline),
        TEST(connections_beyond_the_limit_become_no_carriers),
        TEST(new_limits_are_for_new_connections),
        TEST(only_a_proved_connection_may_hold_much_unread),
        TEST(where_only_members_know_the_key_a_packet_proves_one),
        TEST(a_user_may_do_without_calls),
        TEST(without_a_socket_for_its_monitor_it_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
