/* Packets on a stream of bytes. */
#include "common/wire/framing.h"
#include "tests/unit/kit.h"

enum { MOST = 300 };

struct read_back {
    uint8_t bytes[4096];
    size_t size, packets;
};

/* Reads the stream `step` bytes at a time. False: a packet was too large. */
static bool read_stream(struct bytes stream, size_t step,
                        struct read_back *heard)
{
    struct framing f = {0};
    struct framing_piece piece;
    enum framing_step what = FRAMING_EMPTY;

    *heard = (struct read_back){.size = 0};
    for (size_t at = 0; at < stream.size; at += step) {
        size_t left = stream.size - at;
        struct bytes input =
            bytes_of(stream.data + at, left < step ? left : step);

        while ((what = framing_next(&f, &input, MOST, &piece)) ==
               FRAMING_PIECE) {
            memcpy(heard->bytes + heard->size, piece.bytes.data,
                   piece.bytes.size);
            heard->size += piece.bytes.size;
            heard->packets += piece.last;
        }
        if (what == FRAMING_TOO_LARGE)
            return false;
        assert_int_equal(input.size, 0);
    }
    return true;
}

static void packets_come_whole_however_the_stream_is_cut(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 4, 5, MOST, 0, 17};
    uint8_t stream[1024], expected[1024];
    size_t written = 0, bytes = 0;
    struct read_back heard;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        framing_header(stream + written, sizes[i]);
        written += FRAMING_HEADER_SIZE;
        for (size_t k = 0; k < sizes[i]; k++)
            expected[bytes++] = stream[written++] = (uint8_t)(i + k);
    }
    for (size_t step = 1; step <= written; step++) {
        assert_true(read_stream(bytes_of(stream, written), step, &heard));
        assert_int_equal(heard.packets, COUNT_OF(sizes));
        assert_int_equal(heard.size, bytes);
        assert_memory_equal(heard.bytes, expected, bytes);
    }
}

static void the_length_is_little_endian(void **state)
{
    uint8_t header[FRAMING_HEADER_SIZE];
    (void)state;

    framing_header(header, 0x01020304);
    assert_memory_equal(header, "\4\3\2\1", 4);
}

static void a_packet_that_is_too_large_ends_the_stream(void **state)
{
    uint8_t stream[8] = {0};
    struct read_back heard;
    (void)state;

    framing_header(stream, MOST + 1);
    assert_false(read_stream(bytes_of(stream, sizeof stream), 3, &heard));
    assert_int_equal(heard.size, 0);
    framing_header(stream, UINT32_MAX);
    assert_false(read_stream(bytes_of(stream, sizeof stream), 8, &heard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_come_whole_however_the_stream_is_cut),
        cmocka_unit_test(the_length_is_little_endian),
        cmocka_unit_test(a_packet_that_is_too_large_ends_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
