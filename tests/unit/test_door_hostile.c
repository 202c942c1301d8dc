/*
 * The door against strangers and members that are silent, slow, rude or many.
 */
#include "door_kit.h"
#include "relay/shell/door.h"

#include <sys/resource.h>

/* ---- Strangers --------------------------------------------------------- */

static void expect_away(const char *text)
{
    assert_string_equal(kit.away, text);
}

static void the_silent_are_cut_in_time(void **state)
{
    enum { MANY = 100 };
    int fds[MANY];
    (void)state;

    for (int i = 0; i < MANY; i++)
        fds[i] = kit_connect();
    kit_until(door_count(kit.door) == MANY);
    struct instant limit = instant_after(clock_now(), span_s(2));
    assert_true(instant_reached(door_deadline(kit.door), limit));
    kit.later = span_ms(1000);
    kit_turn();
    assert_int_equal(door_count(kit.door), MANY);
    kit.later = span_ms(2000);
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.turned_away, MANY);
    expect_away("handshake_failed timeout 127.0.0.1");
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    assert_int_equal(kit.closed, 0); /* The owner never heard of them. */
}

/* Begins a stage with the first `part` bytes of what is due. */
static struct door_client *stop_at(enum kit_stage stage, size_t part)
{
    struct door_client *c = kit_client(2);
    kit_go(c, stage);
    kit_send(c, c->reply.bytes, part < c->reply.size ? part : c->reply.size);
    for (int i = 0; i < 20; i++)
        kit_turn();
    return c;
}

static const size_t parts[] = {0, 1, 9, 11, 63, 64, 201, 202, 320};

static void half_a_handshake_is_cut_in_time(void **state)
{
    (void)state;
    for (int stage = KIT_GREETING; stage < KIT_READY; stage++) {
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            struct door_client *c = stop_at((enum kit_stage)stage, parts[i]);
            assert_int_equal(door_count(kit.door), 1);
            bool done = stage == KIT_INITIATE && parts[i] >= c->reply.size;
            kit.later = span_s(done ? 5 : 2);
            kit_until(door_count(kit.door) == 0);
            expect_away(done ? "connection_cut no_hello 127.0.0.1"
                             : "handshake_failed timeout 127.0.0.1");
            kit_until(kit_is_ended(c));
            kit_free(c);
            kit.later = span_ms(0);
        }
    }
    assert_int_equal(kit.turned_away, 3 * COUNT_OF(parts));
    assert_int_equal(kit.door->partial_bytes, 0);
}

/* Bytes that keep coming slowly do not make the time longer. */
static void a_slow_handshake_is_cut_in_time(void **state)
{
    struct door_client *c = kit_client(2);
    (void)state;

    for (size_t i = 0; i < 20; i++) {
        kit_send(c, c->reply.bytes + i, 1);
        kit.later = span_ms((int64_t)i * 100);
        kit_turn();
        assert_int_equal(door_count(kit.door), 1);
    }
    kit.later = span_s(2);
    kit_until(door_count(kit.door) == 0);
    kit_free(c);
}

static void an_unknown_protocol_ends_at_its_first_bytes(void **state)
{
    static const char *const first[] = {"SSH-2.0-x\r\n", "\x16\x02",
                                        "\x05\x01",      "\xff:0000000000",
                                        "get /",         "\r\n\r\nx"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(first); i++) {
        struct door_client *c = kit_client(2);
        kit_send(c, first[i], strlen(first[i]));
        kit_until(kit.turned_away == i + 1);
        expect_away("handshake_failed unknown_protocol 127.0.0.1");
        kit_until(kit_is_ended(c));
        kit_free(c);
    }
    assert_int_equal(door_count(kit.door), 0);
    assert_int_equal(kit.door->partial_bytes, 0);
}

/* Nothing is spent, and nothing is said, before ZMTP is told from others. */
static void the_greeting_waits_for_the_first_bytes(void **state)
{
    struct door_client *c = kit_client(2);
    uint8_t byte;
    (void)state;

    for (size_t at = 0; at < 10; at++) {
        kit_send(c, c->reply.bytes + at, 1);
        for (int i = 0; i < 10; i++)
            kit_turn();
        assert_int_equal(recv(c->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK),
                         at < 9 ? -1 : 1);
    }
    kit_send(c, c->reply.bytes + 10, c->reply.size - 10);
    assert_int_equal(kit_next(c), ZMTP_NEXT);
    kit_free(c);
}

static void garbage_at_each_stage_ends_the_connection(void **state)
{
    (void)state;
    for (int stage = KIT_GREETING; stage <= KIT_READY; stage++) {
        struct door_client *c = kit_client(2);
        size_t before = kit.turned_away;
        kit_go(c, (enum kit_stage)stage);
        for (int i = 0; i < 100; i++) {
            uint8_t byte = (uint8_t)(i * 37 + 0x55);
            (void)!send(c->fd, &byte, 1, MSG_NOSIGNAL);
        }
        kit_until(kit.turned_away == before + 1);
        kit_free(c);
    }
    assert_int_equal(door_count(kit.door), 0);
    assert_int_equal(kit.packets, 0);
}

static void a_wrong_key_is_told(void **state)
{
    struct door_client *c = kit_client(2);
    (void)state;

    memcpy(c->z.conf.server.key, c->keys.public_key, KEY_SIZE);
    kit_go(c, KIT_HELLO);
    kit_reply(c);
    kit_until(kit.turned_away == 1);
    expect_away("handshake_failed wrong_key 127.0.0.1");
    kit_free(c);
}

/* ---- Frames ------------------------------------------------------------- */

static void send_head(struct door_client *c, uint8_t flags, size_t body)
{
    uint8_t head[FRAME_HEAD_SIZE];
    size_t size = frame_head_write(head, 0, body);
    head[0] |= flags;
    kit_send(c, head, size);
}

static struct door_client *member(uint8_t number)
{
    struct door_client *c = kit_joined(number);
    size_t before = kit.packets;
    kit_say(c, kit_make('-', 0, 0, 10));
    kit_until(kit.packets == before + 1);
    door_prove(kit.door, kit.last_conn);
    return c;
}

/* By its head, before a byte of it is kept. */
static void a_frame_beyond_the_limit_ends_the_connection(void **state)
{
    (void)state;
    struct door_client *c = member(2);
    send_head(c, 0, PACKET_SIZE + 33);
    for (int i = 0; i < 20; i++)
        kit_turn();
    assert_int_equal(kit.turned_away, 0);
    kit_free(c);
    kit_until(kit.closed == 1);

    c = member(3);
    send_head(c, 0, PACKET_SIZE + 34);
    kit_until(kit.closed == 2);
    expect_away("connection_cut too_long 127.0.0.1");
    kit_free(c);
}

static void a_strangers_frame_is_small(void **state)
{
    struct door_client *c = kit_joined(2);
    (void)state;

    send_head(c, 0, 32 * 1024);
    kit_until(kit.turned_away == 1);
    expect_away("connection_cut unread 127.0.0.1");
    kit_free(c);
}

static void a_message_of_more_frames_ends_the_connection(void **state)
{
    struct door_client *c = member(2);
    (void)state;

    send_head(c, FRAME_MORE, 100);
    kit_until(kit.closed == 1);
    expect_away("connection_cut more_frames 127.0.0.1");
    kit_free(c);
}

/* Members that begin frames and do not end them: the oldest goes first. */
static void frames_without_end_are_limited_in_all(void **state)
{
    enum { MANY = 8 };
    static uint8_t zeros[40000];
    struct door_client *c[MANY];
    (void)state;

    kit.conf.memory_unread = 200 * 1024;
    door_reconfigure(kit.door, &kit.conf);
    for (uint8_t i = 0; i < MANY; i++) {
        c[i] = member((uint8_t)(i + 2));
        send_head(c[i], 0, 60000);
        kit_send(c[i], zeros, sizeof zeros);
        for (int n = 0; n < 20; n++)
            kit_turn();
        assert_true(kit.door->partial_bytes <= 200 * 1024);
    }
    kit_until(kit.closed >= MANY / 2);
    expect_away("connection_cut memory 127.0.0.1");
    assert_true(kit_is_ended(c[0]));
    assert_false(kit_is_ended(c[MANY - 1]));
    for (int i = 0; i < MANY; i++)
        kit_free(c[i]);
}

/* Fills `out` with PINGs; returns their size. */
static size_t make_pings(struct door_client *c, uint8_t out[static KIT_ROOM])
{
    size_t size = 0;
    while (size < KIT_ROOM - ZMTP_REPLY_SIZE) {
        zmtp_ping(&c->z, 0, bytes_of("0123456789abcdef", 16), &c->reply);
        memcpy(out + size, c->reply.bytes, c->reply.size);
        size += c->reply.size;
    }
    return size;
}

/* Answers that nobody reads are not kept, and the connection stays of use. */
static void pongs_that_nobody_reads_are_dropped(void **state)
{
    enum { FLOOD = 16 * 1024 * 1024 };
    struct door_client *c = member(2);
    static uint8_t out[KIT_ROOM];
    (void)state;

    const struct door_conn *conn = kit.door->lists[DOOR_ALL].first;
    for (size_t sent = 0; sent < FLOOD;) {
        size_t size = make_pings(c, out);
        for (size_t done = 0; done < size;) {
            ssize_t n;
            kit_until((n = send(c->fd, out + done, size - done,
                                MSG_DONTWAIT | MSG_NOSIGNAL)) > 0);
            done += (size_t)n;
            kit_turn();
            assert_in_range(door_conn_unsent(conn), 0, 8 * 1024);
        }
        sent += size;
    }
    kit_say(c, kit_make('e', 0, 1, 1000));
    kit_until(kit_read(c) == ZMTP_PACKET);
    assert_true(bytes_equal(c->item.packet, kit_make('e', 0, 1, 1000)));
    kit_free(c);
}

/* Whatever makes bytes for an end that reads nothing: they have a bound. */
static void an_end_with_too_much_to_read_is_not_read(void **state)
{
    enum { MUCH = 12 * 1024 * 1024 };
    struct door_client *c = member(2);
    static uint8_t away[64 * 1024];
    (void)state;

    struct door_conn *conn = kit.door->lists[DOOR_ALL].first;
    memset(door_queue_reserve(kit.door, &conn->out, MUCH), 0, MUCH);
    door_queue_added(conn, &conn->out, MUCH);
    for (int i = 0; i < 10; i++)
        kit_turn();
    assert_true(door_conn_unsent(conn) > 2 * DOOR_CREDIT);
    kit_say(c, kit_make('-', 0, 1, 10));
    for (int i = 0; i < 50; i++)
        kit_turn();
    assert_int_equal(kit.packets, 1);
    kit_until((recv(c->fd, away, sizeof away, MSG_DONTWAIT), kit.packets == 2));
    kit_free(c);
}

/* ---- Many ---------------------------------------------------------------- */

static void an_address_has_its_limit(void **state)
{
    int fds[10];
    (void)state;

    kit.conf.gate.per_address = 4;
    door_reconfigure(kit.door, &kit.conf);
    struct door_client *c = member(2);
    for (int i = 0; i < 10; i++) {
        fds[i] = kit_connect();
        kit_until(kit.turned_away == (i < 3 ? 0 : (size_t)i - 2) &&
                  door_count(kit.door) == (i < 3 ? (size_t)i + 2 : 4));
    }
    expect_away("connection_cut full_address 127.0.0.1");
    assert_int_equal(kit.closed, 0); /* The member stayed. */
    for (int i = 0; i < 10; i++)
        close(fds[i]);
    kit_free(c);
}

/* Beyond the rate there is no work on the curve. */
static void handshakes_are_limited(void **state)
{
    int fds[60];
    (void)state;

    kit.conf.gate.handshakes = 64; /* An eighth for one network. */
    kit.conf.gate.per_address = 4;
    door_reconfigure(kit.door, &kit.conf);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_port = htons(kit.port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        (void)!connect(fds[i], (struct sockaddr *)&at, sizeof at);
        kit_turn();
    }
    assert_non_null(strstr(kit.aways, "connection_cut rate 127.0.0.1"));
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
}

static rlim_t files_open(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return (rlim_t)fd;
}

/* The door stops to accept for a moment, and makes room. */
static void descriptors_run_out(void **state)
{
    struct rlimit before, few;
    int fds[8];
    (void)state;

    struct door_client *c = member(2);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){files_open() + 2, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_port = htons(kit.port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        assert_int_equal(connect(fds[i], (struct sockaddr *)&at, sizeof at), 0);
    }
    kit_until(strstr(kit.aways, "accept_failed EMFILE") != NULL);
    assert_false(instant_is_never(kit.door->accept_at));
    assert_false(uv_is_active((uv_handle_t *)&kit.door->listeners->poll));
    kit_say(c, kit_make('e', 0, 1, 1000));
    kit_hears(c, kit_make('e', 0, 1, 1000));
    assert_non_null(strstr(kit.aways, "connection_cut no_descriptors"));
    setrlimit(RLIMIT_NOFILE, &before);
    /* All that still wait are accepted by and by. */
    kit.later = span_s(1);
    kit_until(door_count(kit.door) + kit.turned_away >= 1 + COUNT_OF(fds));
    kit_until(instant_is_never(kit.door->accept_at));
    assert_true(uv_is_active((uv_handle_t *)&kit.door->listeners->poll));
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    kit_say(c, kit_make('e', 0, 2, 1000));
    kit_hears(c, kit_make('e', 0, 2, 1000));
    kit_free(c);
    /* The kernel lets nobody in for a second. */
    kit.later = span_ms(1100);
    kit_until(instant_is_never(door_deadline(kit.door)));
    kit.later = span_ms(0);
    struct door_client *d = member(3);
    kit_free(d);
}

/* ---- Ends ---------------------------------------------------------------- */

static void a_client_may_end_at_each_stage(void **state)
{
    (void)state;
    for (int stage = KIT_GREETING; stage <= KIT_READY; stage++) {
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            struct door_client *c =
                stage < KIT_READY ? stop_at((enum kit_stage)stage, parts[i])
                                  : kit_joined(2);
            if (stage == KIT_READY)
                send_head(c, 0, parts[i] + 1);
            kit_free(c);
            kit_until(door_count(kit.door) == 0);
        }
    }
    assert_int_equal(kit.door->partial_bytes, 0);
    assert_int_equal(kit.door->kept_bytes, 0);
    assert_int_equal(kit.closed, 0);
}

static void the_door_may_close_at_each_stage(void **state)
{
    (void)state;
    for (int stage = KIT_GREETING; stage <= KIT_READY; stage++) {
        struct door_client *c[COUNT_OF(parts)];
        for (size_t i = 0; i < COUNT_OF(parts); i++)
            c[i] = stage < KIT_READY ? stop_at((enum kit_stage)stage, parts[i])
                                     : member((uint8_t)(i + 2));
        if (stage == KIT_READY) {
            kit_say(c[0], kit_make('d', 0, 0, 10));
            send_head(c[1], 0, 1000);
            kit_until(kit.packets == COUNT_OF(parts) + 1);
        }
        door_close(&kit.door);
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            kit_until(kit_is_ended(c[i]));
            kit_free(c[i]);
        }
        kit_open();
        kit_listen("127.0.0.1:0");
    }
    assert_int_equal(kit.closed, 0); /* The owner is not told. */
}

#define WITH_DOOR(test)                                                        \
    cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DOOR(the_silent_are_cut_in_time),
        WITH_DOOR(half_a_handshake_is_cut_in_time),
        WITH_DOOR(a_slow_handshake_is_cut_in_time),
        WITH_DOOR(an_unknown_protocol_ends_at_its_first_bytes),
        WITH_DOOR(the_greeting_waits_for_the_first_bytes),
        WITH_DOOR(garbage_at_each_stage_ends_the_connection),
        WITH_DOOR(a_wrong_key_is_told),
        WITH_DOOR(a_frame_beyond_the_limit_ends_the_connection),
        WITH_DOOR(a_strangers_frame_is_small),
        WITH_DOOR(a_message_of_more_frames_ends_the_connection),
        WITH_DOOR(frames_without_end_are_limited_in_all),
        WITH_DOOR(pongs_that_nobody_reads_are_dropped),
        WITH_DOOR(an_end_with_too_much_to_read_is_not_read),
        WITH_DOOR(an_address_has_its_limit),
        WITH_DOOR(handshakes_are_limited),
        WITH_DOOR(descriptors_run_out),
        WITH_DOOR(a_client_may_end_at_each_stage),
        WITH_DOOR(the_door_may_close_at_each_stage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
