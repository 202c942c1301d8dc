#include "kit.h"

#include "relay/shell/held.h"

#include <stdbool.h>

#include "common/base/assert.h"

enum { PACKET = 60000 };

static void make(zmq_msg_t *m, size_t size)
{
    assert_int_equal(zmq_msg_init_size(m, size), 0);
    memset(zmq_msg_data(m), 0x5a, size);
}

/* So many packets of a size until there is no room. */
static size_t fill(struct held *h, zmq_msg_t *packets, size_t most, size_t size)
{
    size_t count = 0;
    while (count < most && held_has_room(h)) {
        make(&packets[count], size);
        held_add(h, &packets[count++]);
    }
    return count;
}

static void it_is_full_until_one_comes_back(void **state)
{
    (void)state;
    static zmq_msg_t packets[100];
    struct held *h = held_new();
    size_t count = fill(h, packets, COUNT_OF(packets), PACKET);
    assert_int_equal(count, HELD_BYTES / PACKET + 1);
    assert_int_equal(zmq_msg_size(&packets[0]), PACKET);
    assert_int_equal(*((const uint8_t *)zmq_msg_data(&packets[0]) + 5), 0x5a);
    zmq_msg_close(&packets[3]);
    assert_true(held_has_room(h));
    make(&packets[3], PACKET);
    held_add(h, &packets[3]);
    assert_false(held_has_room(h));
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&packets[i]);
    assert_true(held_has_room(h));
    held_release(&h);
    held_release(&h); /* of nothing */
}

static void small_ones_are_left_to_libzmq(void **state)
{
    (void)state;
    struct held *h = held_new();
    for (size_t i = 0; i < 2 * (size_t)HELD_BYTES / HELD_PACKET; i++) {
        zmq_msg_t m;
        make(&m, HELD_PACKET - 1);
        held_add(h, &m);
        assert_true(held_has_room(h));
        zmq_msg_close(&m);
    }
    held_release(&h);
}

/* One packet for many: each connection counts it, the bytes are the same. */
static void shared_bytes_count_for_each(void **state)
{
    (void)state;
    enum { CONNS = 3 };
    static zmq_msg_t packets[100];
    struct held *held[CONNS];
    zmq_msg_t packet, copies[CONNS];
    make(&packet, PACKET);
    for (int i = 0; i < CONNS; i++) {
        held[i] = held_new();
        zmq_msg_init(&copies[i]);
        zmq_msg_copy(&copies[i], &packet);
        held_add(held[i], &copies[i]);
        assert_ptr_equal(zmq_msg_data(&copies[i]), zmq_msg_data(&packet));
    }
    zmq_msg_close(&packet);
    zmq_msg_close(&copies[0]);
    assert_int_equal(*(const uint8_t *)zmq_msg_data(&copies[1]), 0x5a);
    for (int i = 0; i < CONNS; i++) {
        size_t count = fill(held[i], packets, COUNT_OF(packets), PACKET);
        assert_int_equal(count, HELD_BYTES / PACKET + (i == 0));
        for (size_t n = 0; n < count; n++)
            zmq_msg_close(&packets[n]);
        held_release(&held[i]);
    }
    zmq_msg_close(&copies[1]);
    zmq_msg_close(&copies[2]);
}

/* By a real socket, whose threads give the notes back; those that never got
 * out come back with the socket, after the connection was forgotten. */
static void libzmq_gives_them_back(void **state)
{
    (void)state;
    static zmq_msg_t packets[100];
    char endpoint[64];
    size_t size = sizeof endpoint;
    int none = 0;
    void *zmq = zmq_ctx_new();
    void *a = zmq_socket(zmq, ZMQ_PAIR);
    void *b = zmq_socket(zmq, ZMQ_PAIR);
    struct held *h = held_new();
    zmq_setsockopt(a, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_bind(a, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(a, ZMQ_LAST_ENDPOINT, endpoint, &size);
    assert_int_equal(zmq_connect(b, endpoint), 0);
    for (int round = 0; round < 10; round++) {
        size_t count = fill(h, packets, COUNT_OF(packets), PACKET);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(zmq_msg_send(&packets[i], a, 0), PACKET);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(zmq_recv(b, NULL, 0, 0), PACKET);
    }
    zmq_close(b);
    size_t left = fill(h, packets, COUNT_OF(packets), PACKET);
    assert_true(left > 0);
    for (size_t i = 0; i < left; i++) {
        if (zmq_msg_send(&packets[i], a, ZMQ_DONTWAIT) < 0)
            zmq_msg_close(&packets[i]);
    }
    held_release(&h);
    zmq_close(a);
    zmq_ctx_term(zmq);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_full_until_one_comes_back),
        cmocka_unit_test(small_ones_are_left_to_libzmq),
        cmocka_unit_test(shared_bytes_count_for_each),
        cmocka_unit_test(libzmq_gives_them_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
