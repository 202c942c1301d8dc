/* Carriers over a fake transport, which takes as many packets as the test says
 * and releases them when the test says. */
#include "tests/unit/kit.h"

#include "common/base/memory.h"
#include "common/io/carrier.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS = 3, TAKEN = 64, LARGE = 60000 };
enum { CREDIT = 4 * LARGE, QUEUE = 10 * LARGE };

struct connection {
    struct carrier carrier;
    int room; /* packets that it takes; less than 0: it is gone */
    int tries;
    bool closed;
    struct packet_ref taken[TAKEN];
    size_t count;
    size_t released; /* the number of released packets, from the first on */
};

static struct {
    struct carriers all;
    struct connection connections[CONNECTIONS];
    char heard[4096];  /* the events that the owner got, a letter and an id each
                        */
    uint64_t write_to; /* the id to write to within `closed` and `writable`; 0:
                          none */
} w;

/* ---- The transport */

static enum carrier_sent fake_send(struct carrier *c, struct packet_ref *packet)
{
    struct connection *to = c->connection;

    to->tries++;
    if (to->room < 0)
        return CARRIER_GONE;
    if (to->room == 0)
        return CARRIER_FULL;
    to->room--;
    assert_true(to->count < TAKEN);
    packet_ref_move(&to->taken[to->count++], packet);
    return CARRIER_SENT;
}

static void fake_close(struct carrier *c)
{
    struct connection *to = c->connection;

    assert_false(to->closed);
    to->closed = true;
}

static const struct carrier_transport transport = {.send = fake_send,
                                                   .close = fake_close};

static void release(struct connection *from, size_t count)
{
    while (count-- > 0)
        packet_ref_release(&from->taken[from->released++]);
}

/* The numbers of the packets that the transport took, in order. */
static void expect_taken(struct connection *from, const char *numbers)
{
    char text[512] = "";

    for (size_t i = from->released; i < from->count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%u",
                 *text != '\0' ? " " : "", *packet_ref_data(&from->taken[i]));
    assert_string_equal(text, numbers);
}

/* ---- The owner */

static void note(char what, const struct carrier *c)
{
    size_t size = strlen(w.heard);

    snprintf(w.heard + size, sizeof w.heard - size, "%s%c%u",
             size > 0 ? " " : "", what, (unsigned)c->id);
}

/* Expects these events since the last call. */
static void expect_heard(const char *what)
{
    assert_string_equal(w.heard, what);
    w.heard[0] = '\0';
}

static void write_to(uint64_t id, uint8_t number, size_t size)
{
    static uint8_t room[LARGE];
    struct packet_ref packet;

    room[0] = number;
    packet_ref_copy(&packet, bytes_of(room, size));
    carriers_write(&w.all, id, &packet);
    assert_int_equal(packet_ref_size(&packet),
                     0); /* the packet was sent or dropped */
}

static void on_opened(void *context, struct carrier *c)
{
    (void)context;
    note('o', c);
}

static void on_packet(void *context, struct carrier *c,
                      struct packet_ref *packet)
{
    (void)context;
    (void)packet;
    note('p', c);
}

static void on_blocked(void *context, struct carrier *c)
{
    (void)context;
    note('b', c);
}

static void write_meanwhile(void)
{
    uint64_t id = w.write_to;

    w.write_to = 0;
    if (id != 0)
        write_to(id, 99, 1);
}

static void on_writable(void *context, struct carrier *c)
{
    (void)context;
    note('w', c);
    write_meanwhile();
}

static void on_closed(void *context, struct carrier *c, enum carrier_end why)
{
    (void)context;
    note(why == CARRIER_OVERFULL ? 'f' : 'c', c);
    write_meanwhile();
}

/* ---- The test's world */

static struct connection *open_connection(uint64_t id)
{
    struct connection *to = &w.connections[id - 1];

    carrier_init(&to->carrier, &w.all, id, &transport, to);
    to->room = TAKEN;
    return to;
}

static struct connection *opened(uint64_t id)
{
    struct connection *to = open_connection(id);

    carrier_opened(&to->carrier, &(struct curve_key){{(uint8_t)id}},
                   &(struct address){.family = ADDRESS_V4, .port = 7});
    w.heard[0] = '\0';
    return to;
}

static int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    carriers_init(&w.all,
                  &(struct carriers_conf){.credit = CREDIT, .queue = QUEUE},
                  &(struct carrier_owner){.opened = on_opened,
                                          .packet = on_packet,
                                          .blocked = on_blocked,
                                          .writable = on_writable,
                                          .closed = on_closed});
    return 0;
}

/* With the sanitizers this also finds a packet that nobody released. */
static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < CONNECTIONS; i++) {
        struct connection *to = &w.connections[i];
        if (to->carrier.all != NULL)
            carrier_fini(&to->carrier);
        release(to, to->count - to->released);
    }
    assert_int_equal(w.all.blocked_count, 0);
    assert_null(w.all.first_blocked);
    carriers_close_all(&w.all);
    return 0;
}

/* ---- Tests */

static void events_go_up_and_packets_down(void **state)
{
    struct packet_ref packet;

    (void)state;
    struct connection *a = open_connection(1);
    packet_ref_init(&packet);
    write_to(1, 1, 8); /* not open yet */
    carrier_packet(&a->carrier, &packet);
    expect_heard("");
    carrier_opened(&a->carrier, &(struct curve_key){{5}},
                   &(struct address){.family = ADDRESS_V4, .port = 7});
    assert_int_equal(a->carrier.key.key[0], 5);
    assert_int_equal(a->carrier.address.port, 7);
    carrier_packet(&a->carrier, &packet);
    write_to(1, 2, 8);
    write_to(2, 3, 8); /* there is no such carrier */
    expect_taken(a, "2");
    carrier_ended(&a->carrier, CARRIER_BROKEN);
    expect_heard("o1 p1 c1");
}

static void a_carrier_that_never_opened_is_reported_closed(void **state)
{
    (void)state;
    struct connection *a = open_connection(1);
    carrier_ended(&a->carrier, CARRIER_UNREACHABLE);
    expect_heard("c1");
}

/* The transport takes no more packets, and tells when it takes them again. */
static void packets_wait_in_order_while_the_transport_is_full(void **state)
{
    (void)state;
    struct connection *a = opened(1);
    a->room = 2;
    for (uint8_t i = 1; i <= 30; i++)
        write_to(1, i, 8);
    expect_heard("b1"); /* told once */
    a->room = 3;
    carrier_retry(&a->carrier);
    expect_heard("");
    expect_taken(a, "1 2 3 4 5");
    release(a, 5);
    a->room = TAKEN;
    write_to(1, 31, 8); /* not before the packets that wait */
    expect_taken(a, "");
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("w1");
    expect_taken(a, "6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 "
                    "26 27 28 29 30 31");
    carriers_retry(&w.all, SIZE_MAX); /* no carrier is blocked */
    carrier_retry(&a->carrier);
    write_to(1, 32, 8);
    expect_heard("");
    expect_taken(a, "6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 "
                    "26 27 28 29 30 31 32");
}

/* The transport would take more packets than the credit allows. */
static void packets_beyond_the_credit_wait(void **state)
{
    (void)state;
    struct connection *a = opened(1);
    for (uint8_t i = 1; i <= 6; i++)
        write_to(1, i, LARGE);
    expect_heard("b1");
    expect_taken(a, "1 2 3 4");
    carriers_retry(&w.all, SIZE_MAX);
    expect_taken(a, "1 2 3 4");
    release(a, 1);
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("");
    expect_taken(a, "2 3 4 5");
    release(a, 3);
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("w1");
    expect_taken(a, "5 6");
}

static void packets_are_not_copied_and_refused_ones_do_not_count(void **state)
{
    static uint8_t room[LARGE];
    struct packet_ref packet, mine;

    (void)state;
    struct connection *a = opened(1);
    a->room = 0;
    packet_ref_copy(&packet, bytes_of(room, LARGE));
    packet_ref_share(&mine, &packet);
    carriers_write(&w.all, 1, &packet);
    for (int i = 0; i < 10; i++)
        carriers_retry(&w.all, SIZE_MAX);
    assert_int_equal(send_credit_bytes(a->carrier.credit), 0);
    a->room = 1;
    carriers_retry(&w.all, SIZE_MAX);
    assert_int_equal(send_credit_bytes(a->carrier.credit), LARGE);
    assert_ptr_equal(packet_ref_data(&a->taken[0]), packet_ref_data(&mine));
    packet_ref_release(&mine);
}

static void blocked_carriers_are_retried_in_turn(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= 3; id++) {
        opened(id)->room = 0;
        write_to(id, 1, 8);
    }
    w.heard[0] = '\0';
    carriers_retry(&w.all, 1); /* the first carrier, which is now the last */
    for (int i = 0; i < CONNECTIONS; i++)
        w.connections[i].room = 1;
    carriers_retry(&w.all, 1);
    expect_heard("w2");
    carriers_retry(&w.all, 5);
    expect_heard("w3 w1");
}

/* Each carrier is retried once, even if it blocks again in `writable`. */
static void a_carrier_that_blocks_again_is_not_retried_twice(void **state)
{
    (void)state;
    struct connection *a = opened(1);
    a->room = 0;
    write_to(1, 1, 8);
    a->room = 1;
    w.write_to = 1;
    a->tries = 0;
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("b1 w1 b1");
    assert_int_equal(
        a->tries, 2); /* the packet that waited, and the one that was written */
    assert_int_equal(w.all.blocked_count, 1);
    expect_taken(a, "1");
}

static void a_closed_one_is_deaf_and_sends_what_waited(void **state)
{
    struct packet_ref packet;

    (void)state;
    struct connection *a = opened(1);
    a->room = 0;
    write_to(1, 1, 8);
    expect_heard("b1");
    carriers_close(&w.all, 1);
    carriers_close(&w.all, 1); /* the transport is called once */
    carriers_close(&w.all, 2);
    assert_true(a->closed);
    packet_ref_init(&packet);
    carrier_packet(&a->carrier, &packet);
    write_to(1, 2, 8);
    a->room = TAKEN;
    carriers_retry(&w.all, SIZE_MAX);
    carrier_ended(&a->carrier, CARRIER_BROKEN);
    expect_heard("");
    expect_taken(a, "1");
}

/* The transport or the owner ends the carrier; the next one is retried all the
 * same. */
static void a_carrier_that_ends_drops_its_queue(void **state)
{
    (void)state;
    struct connection *a = opened(1), *b = opened(2);
    a->room = b->room = 0;
    for (uint8_t i = 1; i <= 20; i++)
        write_to(1, i, LARGE / 8);
    write_to(2, 1, 8);
    expect_heard("b1 b2");
    w.write_to = 1; /* is dropped: no event follows the end */
    carrier_ended(&a->carrier, CARRIER_BROKEN);
    carrier_fini(&a->carrier);
    a->carrier.all = NULL;
    expect_heard("c1");
    assert_null(carriers_find(&w.all, 1));
    b->room = 1;
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("w2");
    expect_taken(a, "");
}

/* The owner does not stop writing. The carrier ends, because packets are lost.
 */
static void a_full_queue_is_the_end(void **state)
{
    (void)state;
    struct connection *a = opened(1);
    a->room = 0;
    for (uint8_t i = 1; i <= 9; i++)
        write_to(1, i, LARGE);
    expect_heard("b1");
    assert_false(a->closed);
    write_to(1, 10, LARGE);
    expect_heard("f1");
    assert_true(a->closed);
    write_to(1, 11, LARGE);
    carrier_ended(&a->carrier, CARRIER_BROKEN);
    expect_heard("");
}

/* After the queue was emptied its whole limit is available again. */
static void the_limit_is_of_what_waits_now(void **state)
{
    (void)state;
    struct connection *a = opened(1);
    for (int round = 0; round < 4; round++) {
        a->room = 0;
        for (uint8_t i = 1; i <= (round == 0 ? 9 : 5); i++)
            write_to(1, i, LARGE);
        a->room = TAKEN;
        while (w.all.blocked_count > 0) {
            carriers_retry(&w.all, SIZE_MAX);
            release(a, a->count - a->released);
        }
        expect_heard("b1 w1");
        a->count = a->released = 0;
    }
}

/* The end will be reported; packets written until then are dropped. */
static void a_gone_connection_swallows_packets(void **state)
{
    (void)state;
    struct connection *a = opened(1);
    a->room = 0;
    write_to(1, 1, LARGE);
    write_to(1, 2, 8);
    a->room = -1;
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("b1 w1");
    write_to(1, 3, LARGE);
    expect_heard("");
    assert_int_equal(send_credit_bytes(a->carrier.credit), 0);
    assert_int_equal(a->count, 0);
}

/* ---- Memory that blocked ones share */

static void blocked_carriers_share_the_memory(void **state)
{
    (void)state;
    w.all.conf.memory = 4 * LARGE;
    w.all.conf.credit_least = LARGE;
    struct connection *a = opened(1), *b = opened(2);
    assert_int_equal(carriers_credit(&w.all), 4 * LARGE);
    for (uint8_t i = 1; i <= 5; i++)
        write_to(1, i, LARGE);
    expect_heard("b1");
    expect_taken(a, "1 2 3 4");
    for (uint8_t i = 1; i <= 3; i++)
        write_to(2, i, LARGE);
    expect_heard("b2");
    expect_taken(b, "1 2");
    release(a, 2); /* two are left, which is the share of the first */
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("");
    release(a, 1);
    carriers_retry(&w.all, SIZE_MAX);
    expect_heard("w1 w2"); /* the second has the whole credit again */
    expect_taken(a, "4 5");
    expect_taken(b, "1 2 3");
}

/* ---- The wakeup */

static void on_wakeup(void *context)
{
    (void)context;
    carriers_retry(&w.all, SIZE_MAX);
}

static void the_wakeup_comes_when_half_the_credit_is_back(void **state)
{
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    w.all.conf.wakeup = wakeup_open(&loop, on_wakeup, NULL);
    struct connection *a = opened(1);
    for (uint8_t i = 1; i <= 5; i++)
        write_to(1, i, LARGE);
    release(a, 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    expect_taken(a, "2 3 4");
    release(a, 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    expect_taken(a, "3 4 5");
    expect_heard("b1 w1");
    wakeup_close(&w.all.conf.wakeup);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_go_up_and_packets_down),
        TEST(a_carrier_that_never_opened_is_reported_closed),
        TEST(packets_wait_in_order_while_the_transport_is_full),
        TEST(packets_beyond_the_credit_wait),
        TEST(packets_are_not_copied_and_refused_ones_do_not_count),
        TEST(blocked_carriers_are_retried_in_turn),
        TEST(a_carrier_that_blocks_again_is_not_retried_twice),
        TEST(a_closed_one_is_deaf_and_sends_what_waited),
        TEST(a_carrier_that_ends_drops_its_queue),
        TEST(a_full_queue_is_the_end),
        TEST(the_limit_is_of_what_waits_now),
        TEST(a_gone_connection_swallows_packets),
        TEST(blocked_carriers_share_the_memory),
        TEST(the_wakeup_comes_when_half_the_credit_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
