#include "common/base/bytes.h"

#include "tests/unit/kit.h"

static void integers_are_little_endian_and_come_back(void **state)
{
    static const uint8_t expected[] = {0x01, 0x03, 0x02, 0x07, 0x06,
                                       0x05, 0x04, 0x0f, 0x0e, 0x0d,
                                       0x0c, 0x0b, 0x0a, 0x09, 0x08};
    uint8_t room[15];
    struct writer w = writer_of(room, sizeof(room));
    struct reader r;

    (void)state;
    write_u8(&w, 0x01);
    write_u16(&w, 0x0203);
    write_u32(&w, 0x04050607);
    write_u64(&w, 0x08090a0b0c0d0e0f);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_left(&w), 0);
    assert_memory_equal(room, expected, sizeof(expected));

    r = reader_of(writer_bytes(&w));
    assert_int_equal(read_u8(&r), 0x01);
    assert_int_equal(read_u16(&r), 0x0203);
    assert_int_equal(read_u32(&r), 0x04050607);
    assert_false(reader_done(&r));
    assert_true(read_u64(&r) == 0x08090a0b0c0d0e0f);
    assert_true(reader_done(&r));
}

static void a_failed_reader_stays_failed(void **state)
{
    static const uint8_t data[] = {1, 2, 3};
    struct reader r = reader_of(bytes_of(data, sizeof(data)));
    uint8_t copy[2] = {9, 9};

    (void)state;
    assert_int_equal(read_u32(&r), 0);
    assert_false(reader_ok(&r));
    assert_int_equal(read_u8(&r), 0);
    assert_int_equal(read_bytes(&r, 1).size, 0);
    read_copy(&r, copy, sizeof(copy));
    assert_int_equal(copy[0] + copy[1], 0);
    assert_int_equal(reader_left(&r), 0);
    assert_false(reader_done(&r));
}

static void a_failed_writer_stays_failed(void **state)
{
    uint8_t room[3] = {0};
    struct writer w = writer_of(room, sizeof(room));

    (void)state;
    write_u8(&w, 7);
    write_u32(&w, 1);
    write_u8(&w, 8);
    assert_false(writer_ok(&w));
    assert_int_equal(writer_bytes(&w).size, 1);
    assert_null(write_room(&w, 1));
    assert_int_equal(room[1], 0);
}

static void nothing_can_be_read_and_written(void **state)
{
    struct reader r = reader_of(bytes_of(NULL, 0));
    uint8_t room[1];
    struct writer w = writer_of(room, 0);

    (void)state;
    assert_true(reader_done(&r));
    read_copy(&r, NULL, 0);
    assert_int_equal(read_bytes(&r, 0).size, 0);
    assert_true(reader_done(&r));
    write_bytes(&w, bytes_of(NULL, 0));
    assert_true(writer_ok(&w));
    assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of_string("")));
    assert_false(bytes_equal(bytes_of_string("a"), bytes_of_string("b")));
    /* A size larger than any buffer must not overflow. */
    assert_int_equal(read_bytes(&r, SIZE_MAX).size, 0);
    assert_false(reader_ok(&r));
}

static void varints_come_back_at_all_sizes(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        const uint64_t around = (uint64_t)1 << bit;
        const uint64_t values[] = {around - 1, around, around + 1, ~around};

        for (size_t i = 0; i < COUNT_OF(values); i++) {
            uint8_t room[10];
            struct writer w = writer_of(room, sizeof(room));
            struct reader r;

            write_varint(&w, values[i]);
            assert_true(writer_ok(&w));
            assert_int_equal(writer_bytes(&w).size, varint_size(values[i]));
            r = reader_of(writer_bytes(&w));
            assert_true(read_varint(&r) == values[i]);
            assert_true(reader_done(&r));
        }
    }
}

static void bad_varints_are_refused(void **state)
{
    static const struct {
        uint8_t data[11];
        size_t size;
    } bad[] = {
        {{0x80, 0x00}, 2},       /* a longer form of 0 */
        {{0xff, 0x80, 0x00}, 3}, /* a longer form of 127 */
        {{0x80}, 1},             /* cut */
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 10},
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, 11},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct reader r = reader_of(bytes_of(bad[i].data, bad[i].size));

        assert_true(read_varint(&r) == 0);
        assert_false(reader_ok(&r));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_little_endian_and_come_back),
        cmocka_unit_test(a_failed_reader_stays_failed),
        cmocka_unit_test(a_failed_writer_stays_failed),
        cmocka_unit_test(nothing_can_be_read_and_written),
        cmocka_unit_test(varints_come_back_at_all_sizes),
        cmocka_unit_test(bad_varints_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
