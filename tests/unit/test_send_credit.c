#include "kit.h"

#include "common/io/send_credit.h"

#include <stdbool.h>

#include "common/base/assert.h"

enum { PACKET = 60000, LIMIT = 1024 * 1024 };

static void make(struct packet_ref *m, size_t size)
{
    static uint8_t room[PACKET];
    memset(room, 0x5a, size);
    packet_ref_copy(m, bytes_of(room, size));
}

/* Sends packets of this size until there is no room; returns their number. */
static size_t fill(struct send_credit *h, struct packet_ref *packets,
                   size_t most, size_t size)
{
    size_t count = 0;
    while (count < most && send_credit_has_room(h)) {
        make(&packets[count], size);
        (void)send_credit_add(h, &packets[count++]);
    }
    return count;
}

static void the_credit_is_used_up_until_a_packet_comes_back(void **state)
{
    (void)state;
    static struct packet_ref packets[100];
    struct send_credit *h = send_credit_new(LIMIT, NULL);
    size_t count = fill(h, packets, COUNT_OF(packets), PACKET);
    assert_int_equal(count, LIMIT / PACKET + 1);
    assert_int_equal(packet_ref_size(&packets[0]), PACKET);
    assert_int_equal(*((const uint8_t *)packet_ref_data(&packets[0]) + 5),
                     0x5a);
    packet_ref_release(&packets[3]);
    assert_true(send_credit_has_room(h));
    make(&packets[3], PACKET);
    (void)send_credit_add(h, &packets[3]);
    assert_false(send_credit_has_room(h));
    for (size_t i = 0; i < count; i++)
        packet_ref_release(&packets[i]);
    assert_true(send_credit_has_room(h));
    send_credit_release(&h);
    send_credit_release(&h); /* of no credit */
}

static void small_packets_are_left_to_libzmq(void **state)
{
    (void)state;
    struct send_credit *h = send_credit_new(LIMIT, NULL);
    for (size_t i = 0; i < 2 * (size_t)LIMIT / SEND_CREDIT_PACKET; i++) {
        struct packet_ref m;
        make(&m, SEND_CREDIT_PACKET - 1);
        (void)send_credit_add(h, &m);
        assert_true(send_credit_has_room(h));
        packet_ref_release(&m);
    }
    send_credit_release(&h);
}

/* A packet for many connections: each counts it, although the bytes are shared.
 */
static void shared_bytes_count_for_each(void **state)
{
    (void)state;
    enum { CONNS = 3 };
    static struct packet_ref packets[100];
    struct send_credit *held[CONNS];
    struct packet_ref packet, copies[CONNS];
    make(&packet, PACKET);
    for (int i = 0; i < CONNS; i++) {
        held[i] = send_credit_new(LIMIT, NULL);
        packet_ref_share(&copies[i], &packet);
        (void)send_credit_add(held[i], &copies[i]);
        assert_ptr_equal(packet_ref_data(&copies[i]), packet_ref_data(&packet));
    }
    packet_ref_release(&packet);
    packet_ref_release(&copies[0]);
    assert_int_equal(*(const uint8_t *)packet_ref_data(&copies[1]), 0x5a);
    for (int i = 0; i < CONNS; i++) {
        size_t count = fill(held[i], packets, COUNT_OF(packets), PACKET);
        assert_int_equal(count, LIMIT / PACKET + (i == 0));
        for (size_t n = 0; n < count; n++)
            packet_ref_release(&packets[n]);
        send_credit_release(&held[i]);
    }
    packet_ref_release(&copies[1]);
    packet_ref_release(&copies[2]);
}

/* With a real socket, whose threads give the packets back. Packets that never
 * left come back when the socket closes, after the credit was released. */
static void libzmq_gives_the_packets_back(void **state)
{
    (void)state;
    static struct packet_ref packets[100];
    char endpoint[64];
    size_t size = sizeof endpoint;
    int none = 0;
    void *zmq = zmq_ctx_new();
    void *a = zmq_socket(zmq, ZMQ_PAIR);
    void *b = zmq_socket(zmq, ZMQ_PAIR);
    struct send_credit *h = send_credit_new(LIMIT, NULL);
    zmq_setsockopt(a, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_bind(a, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(a, ZMQ_LAST_ENDPOINT, endpoint, &size);
    assert_int_equal(zmq_connect(b, endpoint), 0);
    for (int round = 0; round < 10; round++) {
        size_t count = fill(h, packets, COUNT_OF(packets), PACKET);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(zmq_msg_send(&packets[i].message, a, 0), PACKET);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(zmq_recv(b, NULL, 0, 0), PACKET);
    }
    zmq_close(b);
    size_t left = fill(h, packets, COUNT_OF(packets), PACKET);
    assert_true(left > 0);
    for (size_t i = 0; i < left; i++) {
        if (zmq_msg_send(&packets[i].message, a, ZMQ_DONTWAIT) < 0)
            packet_ref_release(&packets[i]);
    }
    send_credit_release(&h);
    zmq_close(a);
    zmq_ctx_term(zmq);
}

/* ---- The wakeup */

static int wakeups;

static void on_wakeup(void *context)
{
    (void)context;
    wakeups++;
}

static void close_some(void *packets)
{
    struct packet_ref *at = packets;

    for (size_t i = 0; i < LIMIT / 2 / PACKET + 2; i++)
        packet_ref_release(&at[i]);
}

/* Another thread releases the packets, as libzmq does. */
static void half_of_the_credit_back_sends_one_wakeup(void **state)
{
    (void)state;
    static struct packet_ref packets[100];
    uv_loop_t loop;
    uv_thread_t thread;
    uv_loop_init(&loop);
    wakeups = 0;
    struct wakeup *wakeup = wakeup_open(&loop, on_wakeup, NULL);
    assert_non_null(wakeup);
    struct send_credit *h = send_credit_new(LIMIT, wakeup);
    size_t count = fill(h, packets, COUNT_OF(packets), PACKET);
    packet_ref_release(&packets[--count]);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(wakeups, 0);
    assert_int_equal(uv_thread_create(&thread, close_some, packets), 0);
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(wakeups, 1);
    uv_thread_join(&thread);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(wakeups, 1);
    wakeup_close(&wakeup);
    uv_run(&loop, UV_RUN_DEFAULT);
    /* Packets that come back later send no wakeup. */
    for (size_t i = LIMIT / 2 / PACKET + 2; i < count; i++)
        packet_ref_release(&packets[i]);
    send_credit_release(&h);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void without_a_waiting_owner_there_is_no_wakeup(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct packet_ref m;
    uv_loop_init(&loop);
    wakeups = 0;
    struct wakeup *wakeup = wakeup_open(&loop, on_wakeup, NULL);
    struct send_credit *h = send_credit_new(LIMIT, wakeup);
    assert_true(send_credit_has_room(h));
    make(&m, PACKET);
    (void)send_credit_add(h, &m);
    packet_ref_release(&m);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(wakeups, 0);
    send_credit_release(&h);
    wakeup_close(&wakeup);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* The packet is unchanged. */
static void a_packet_that_is_not_sent_does_not_count(void **state)
{
    (void)state;
    struct packet_ref m;
    struct send_credit *h = send_credit_new(PACKET, NULL);
    make(&m, PACKET);
    const uint8_t *data = packet_ref_data(&m);
    for (int i = 0; i < 3; i++) {
        struct send_credit_note *note = send_credit_add(h, &m);
        assert_non_null(note);
        assert_false(send_credit_has_room(h));
        assert_int_equal(send_credit_bytes(h), PACKET);
        send_credit_undo(note, &m);
        assert_int_equal(packet_ref_size(&m), PACKET);
        assert_ptr_equal(packet_ref_data(&m), data);
        assert_int_equal(*data, 0x5a);
        assert_true(send_credit_has_room(h));
        assert_int_equal(send_credit_bytes(h), 0);
    }
    packet_ref_release(&m);
    make(&m, 1);
    assert_null(send_credit_add(h, &m));
    send_credit_undo(NULL, &m);
    assert_int_equal(packet_ref_size(&m), 1);
    packet_ref_release(&m);
    send_credit_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_credit_is_used_up_until_a_packet_comes_back),
        cmocka_unit_test(small_packets_are_left_to_libzmq),
        cmocka_unit_test(shared_bytes_count_for_each),
        cmocka_unit_test(libzmq_gives_the_packets_back),
        cmocka_unit_test(half_of_the_credit_back_sends_one_wakeup),
        cmocka_unit_test(without_a_waiting_owner_there_is_no_wakeup),
        cmocka_unit_test(a_packet_that_is_not_sent_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
