/* Packets on a stream that is sent, acknowledged and received in pieces. */
#include "edge/shell/packet_stream.h"
#include "common/wire/packet.h"
#include "tests/unit/kit.h"

#include <stdlib.h>

enum { PACKETS = 3000, PART_MOST = 1452 };

static uint64_t random_state;

static size_t random_below(size_t bound)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (size_t)((z ^ z >> 31) % bound);
}

/* Mostly small sizes, and each size at a limit. */
static size_t size_of(size_t number)
{
    static const size_t odd[] = {
        1, STREAM_LARGE - 1, STREAM_LARGE, STREAM_LARGE + 1, 8192, PACKET_SIZE};

    if (number % 7 == 3)
        return odd[number / 7 % COUNT_OF(odd)];
    return 1 + number * 31 % 200;
}

static const uint8_t *bytes_of_packet(size_t number)
{
    static uint8_t bytes[PACKET_SIZE + 256];

    if (bytes[1] == 0)
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(i * 11 + i / 256);
    return bytes + number % 256;
}

struct ends {
    struct stream_out out;
    struct stream_in in;
    size_t pushed, got, released;
    uint64_t sent;
};

static void on_packet(void *context, struct packet_ref *packet)
{
    struct ends *e = context;

    assert_int_equal(packet_ref_size(packet), size_of(e->got));
    assert_memory_equal(packet_ref_data(packet), bytes_of_packet(e->got),
                        size_of(e->got));
    e->got++;
}

static void push(struct ends *e)
{
    struct packet_ref packet;

    packet_ref_copy(&packet,
                    bytes_of(bytes_of_packet(e->pushed), size_of(e->pushed)));
    assert_true(stream_out_push(&e->out, &packet));
    assert_int_equal(packet_ref_size(&packet), 0);
    packet_ref_release(&packet);
    e->pushed++;
}

/* Moves one datagram's bytes from one end to the other. */
static void move(struct ends *e)
{
    struct bytes parts[STREAM_PARTS];
    size_t left = 1 + random_below(PART_MOST);
    size_t count = stream_out_peek(&e->out, left, parts), moved = 0;

    assert_int_equal(count == 0, e->out.unsent == 0);
    for (size_t i = 0; i < count; i++) {
        struct bytes part = parts[i];

        if (part.size > left - moved)
            part.size = left - moved;
        moved += part.size;
        assert_true(stream_in_take(&e->in, part, on_packet, e));
    }
    stream_out_sent(&e->out, moved);
    e->sent += moved;
}

static void acknowledge(struct ends *e)
{
    size_t flying = (size_t)(e->sent - e->out.acked);

    e->released +=
        stream_out_acked(&e->out, e->out.acked + random_below(flying + 1));
}

static void packets_pass_whatever_comes_when(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct ends e = {.pushed = 0};
        size_t bytes = 0;

        random_state = seed;
        while (e.got < PACKETS) {
            size_t what = random_below(seed % 2 == 0 ? 10 : 60);

            if (what == 0 && e.pushed < PACKETS)
                push(&e);
            else if (what % 2 == 0)
                move(&e);
            else
                acknowledge(&e);
        }
        assert_int_equal(e.out.unsent, 0);
        e.released += stream_out_acked(&e.out, e.sent);
        for (size_t i = 0; i < PACKETS; i++)
            bytes += size_of(i);
        assert_int_equal(e.released, bytes);
        assert_int_equal(e.out.held, 0);
        stream_out_close(&e.out);
        stream_in_close(&e.in);
    }
}

/* A datagram's bytes are in few pieces, however small the packets are. */
static void small_packets_lie_together(void **state)
{
    struct ends e = {.pushed = 0};
    struct bytes parts[STREAM_PARTS];
    (void)state;

    for (size_t i = 0; i < 100; i++) {
        struct packet_ref packet;

        packet_ref_copy(&packet, bytes_of("x", 1));
        assert_true(stream_out_push(&e.out, &packet));
    }
    assert_int_equal(stream_out_peek(&e.out, PART_MOST, parts), 1);
    assert_int_equal(parts[0].size, 500);
    stream_out_close(&e.out);
}

/* Bytes that were handed out stay in place until they are acknowledged. */
static void bytes_do_not_move(void **state)
{
    struct ends e = {.pushed = 0};
    struct bytes first[STREAM_PARTS], part[STREAM_PARTS];
    (void)state;

    for (size_t i = 0; i < 8; i++)
        push(&e);
    assert_true(stream_out_peek(&e.out, 100, first) > 0);
    for (size_t i = 0; i < PACKETS; i++)
        push(&e);
    assert_true(stream_out_peek(&e.out, 100, part) > 0);
    assert_ptr_equal(first[0].data, part[0].data);
    stream_out_close(&e.out);
}

static void a_packet_that_is_too_large_is_not_kept(void **state)
{
    uint8_t header[FRAMING_HEADER_SIZE];
    struct ends e = {.pushed = 0};
    (void)state;

    framing_header(header, PACKET_SIZE + 1);
    assert_false(
        stream_in_take(&e.in, bytes_of(header, sizeof header), on_packet, &e));
    assert_false(e.in.partial);
    stream_in_close(&e.in);
}

static void an_incomplete_packet_is_freed(void **state)
{
    static const uint8_t begun[] = {200, 0, 0, 0, 'a', 'b'};
    struct ends e = {.pushed = 0};
    (void)state;

    assert_true(
        stream_in_take(&e.in, bytes_of(begun, sizeof begun), on_packet, &e));
    assert_true(e.in.partial);
    stream_in_close(&e.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_pass_whatever_comes_when),
        cmocka_unit_test(small_packets_lie_together),
        cmocka_unit_test(bytes_do_not_move),
        cmocka_unit_test(a_packet_that_is_too_large_is_not_kept),
        cmocka_unit_test(an_incomplete_packet_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
