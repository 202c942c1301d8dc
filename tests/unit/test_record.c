#include "common/wire/record.h"

#include "tests/unit/wire_kit.h"

static uint8_t room[4096], again[4096];

static struct bytes encoded(const struct record *r, uint8_t *to)
{
    struct writer w = writer_of(to, sizeof(room));

    record_encode(r, &w);
    assert_true(writer_ok(&w));
    return writer_bytes(&w);
}

static bool decodes(struct bytes bytes, const void *context)
{
    struct record_reader r = record_reader_of(bytes);
    struct record record;

    (void)context;
    return record_next(&r, &record) && record_reader_done(&r);
}

static struct record data(uint64_t sequence, bool first, bool last,
                          uint64_t total, const char *fragment)
{
    return (struct record){.type = RECORD_DATA,
                           .data = {.sequence = sequence,
                                    .first = first,
                                    .last = last,
                                    .total = total,
                                    .fragment = bytes_of_string(fragment)}};
}

static struct record ack(uint64_t cumulative, uint8_t count, struct ack_range a,
                         struct ack_range b)
{
    return (struct record){.type = RECORD_ACK,
                           .ack = {cumulative, 65536, count, {a, b}}};
}

static void each_record_comes_back(void **state)
{
    const struct record records[] = {
        data(1, true, true, 3, "abc"),
        data(UINT64_MAX, true, false, 1000000, "abc"),
        data(300, false, false, 0, ""),
        data(301, false, true, 0, "z"),
        ack(0, 0, (struct ack_range){0, 0}, (struct ack_range){0, 0}),
        ack(5, 2, (struct ack_range){7, 7}, (struct ack_range){9, 400}),
        ack(5, 1, (struct ack_range){7, UINT64_MAX}, (struct ack_range){0, 0}),
        {.type = RECORD_PING, .token = 1},
        {.type = RECORD_PONG, .token = UINT64_MAX},
        {.type = RECORD_CLOSE, .reason = 2},
        {.type = RECORD_GROUP_ACK,
         .group_ack = {.tag = {1, 2, 3},
                       .stream = 77,
                       .cumulative = 300,
                       .state = GROUP_ACK_MISSING}},
        {.type = RECORD_PUNCH, .punch = bytes_of_string("round")},
        {.type = RECORD_PUNCH, .punch = bytes_of_string("")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct bytes bytes = encoded(&records[i], room);
        struct record_reader r = record_reader_of(bytes);
        struct record back;

        assert_true(record_next(&r, &back));
        assert_int_equal(back.type, records[i].type);
        assert_true(bytes_equal(encoded(&back, again), bytes));
        assert_false(record_next(&r, &back));
        assert_true(record_reader_done(&r));
        assert_all_cuts_refused(bytes, decodes, NULL);
    }
}

static void fields_of_data_come_back(void **state)
{
    struct record first = data(7, true, false, 99, "abc"), back;
    struct record whole = data(8, true, true, 0, "abc");
    struct record_reader r = record_reader_of(encoded(&first, room));

    (void)state;
    assert_true(record_next(&r, &back));
    assert_int_equal(back.data.sequence, 7);
    assert_true(back.data.first && !back.data.last);
    assert_int_equal(back.data.total, 99);
    r = record_reader_of(encoded(&whole, room));
    assert_true(record_next(&r, &back));
    assert_true(back.data.first && back.data.last);
    assert_int_equal(back.data.total, 3);
}

static void fields_of_ack_come_back(void **state)
{
    struct record a =
        ack(5, 2, (struct ack_range){7, 7}, (struct ack_range){9, 400});
    struct record back;
    struct record_reader r = record_reader_of(encoded(&a, room));

    (void)state;
    assert_true(record_next(&r, &back));
    assert_int_equal(back.ack.cumulative, 5);
    assert_int_equal(back.ack.window, 65536);
    assert_int_equal(back.ack.range_count, 2);
    assert_int_equal(back.ack.ranges[0].from, 7);
    assert_int_equal(back.ack.ranges[0].to, 7);
    assert_int_equal(back.ack.ranges[1].from, 9);
    assert_int_equal(back.ack.ranges[1].to, 400);
}

static void bad_records_are_refused(void **state)
{
    static const struct {
        const char *why;
        struct bytes bytes;
    } bad[] = {
#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}
        {"type 0", BYTES("\0")},
        {"type 7", BYTES("\7\0\0\0\0\0\0\0\0")},
        {"DATA's old type", BYTES("\1\1\3\1a")},
        {"sequence 0", BYTES("\x83\0\1a")},
        {"a sequence longer than needed", BYTES("\x83\x81\0\1a")},
        {"the fourth flag", BYTES("\x8b\1\1a")},
        {"the fifth", BYTES("\x93\1\1a")},
        {"the sixth", BYTES("\xa3\1\1a")},
        {"the seventh", BYTES("\xc3\1\1a")},
        {"flags without a type", BYTES("\3\1\1a")},
        {"next to nothing", BYTES("\x87\1a")},
        {"next to an ACK alone", BYTES("\2\1\1\0\x87\1a")},
        {"a number that is the next", BYTES("\x83\1\1a\x83\2\1a")},
        {"next to the last number",
         BYTES("\x83\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1a\x87\1a")},
        {"more than there is", BYTES("\x83\1\2a")},
        {"a size of 2^64 - 1",
         BYTES("\x83\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1a")},
        {"33 ranges", BYTES("\2\1\1\41")},
        {"gap 0", BYTES("\2\1\1\1\0\1")},
        {"length 0", BYTES("\2\1\1\1\1\0")},
        {"a gap past the end",
         BYTES("\2\1\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1")},
        {"a length past the end",
         BYTES("\2\1\1\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1")},
#undef BYTES
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct record_reader r = record_reader_of(bad[i].bytes);
        struct record record;

        while (record_next(&r, &record))
            ;
        if (record_reader_done(&r))
            fail_msg("accepted: %s", bad[i].why);
    }
}

/* Only the first DATA record of a packet states its number, whatever records
 * are in between. A record that does not follow the one before states its
 * number again. */
static void numbers_follow(void **state)
{
    static const uint8_t packet[] = {
        0x83, 0xac, 0x02, 1,   'a', /* 300 */
        0x02, 5,    1,    0,        /* ACK */
        0x87, 1,    'b',            /* 301 */
        0x85, 9,    2,    'c', 'd', /* 302, of 9 bytes */
        0x82, 0x07, 1,    'e',      /* 7 */
        0x84, 1,    'f',            /* 8 */
    };
    static const uint64_t expected[] = {300, 301, 302, 7, 8};
    struct record_reader r = record_reader_of(bytes_of(packet, sizeof(packet)));
    struct writer w = writer_of(room, sizeof(room));
    struct record record;
    size_t i = 0;

    (void)state;
    while (record_next(&r, &record)) {
        if (record.type == RECORD_DATA)
            assert_int_equal(record.data.sequence, expected[i++]);
        record_encode(&record, &w);
    }
    assert_true(record_reader_done(&r));
    assert_int_equal(i, COUNT_OF(expected));
    assert_int_equal(writer_bytes(&w).size, sizeof(packet));
    assert_memory_equal(room, packet, sizeof(packet));
}

static struct message sample(enum message_kind kind, const char *group)
{
    bool refers = kind == MESSAGE_REQUEST || kind == MESSAGE_REPLY;

    return (struct message){kind,
                            ENCODING_JSON,
                            refers ? 0x0102030405060708 : 0,
                            bytes_of_string("t\xc3\xa4xt"),
                            bytes_of_string(group),
                            bytes_of_string("{}")};
}

static struct bytes message_bytes(const struct message *m)
{
    struct writer w = writer_of(room, sizeof(room));

    message_encode(m, &w);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_bytes(&w).size, message_size(m));
    return writer_bytes(&w);
}

static void each_message_comes_back(void **state)
{
    (void)state;
    for (int kind = MESSAGE_SEND; kind <= MESSAGE_START; kind++) {
        struct message m =
            sample((enum message_kind)kind, kind == MESSAGE_EVENT ? "lab" : "");
        struct message back;

        assert_true(message_decode(message_bytes(&m), &back));
        assert_int_equal(back.kind, m.kind);
        assert_int_equal(back.encoding, m.encoding);
        assert_true(back.reference == m.reference);
        assert_true(bytes_equal(back.type, m.type));
        assert_true(bytes_equal(back.group, m.group));
        assert_true(bytes_equal(back.data, m.data));
    }
}

/* What a message of 64 B costs on the wire [P-6.4, P-6.5]. */
static void a_small_message_has_five_bytes_around_it(void **state)
{
    struct message m = {.kind = MESSAGE_SEND,
                        .encoding = ENCODING_BYTES,
                        .type = bytes_of_string("t"),
                        .data = bytes_of(again, 64)};
    struct data_record record = {
        .sequence = 1000000, .next = true, .first = true, .last = true};
    struct writer w = writer_of(room, sizeof(room));

    (void)state;
    data_record_begin(&record, message_size(&m), &w);
    message_encode(&m, &w);
    assert_int_equal(writer_bytes(&w).size, 64 + 5);
    assert_memory_equal(room, "\x87\x43\x21\1t", 5);
}

/* A message that is cut anywhere after its header is put together again. */
static void parts_make_up_the_message(void **state)
{
    (void)state;
    for (int kind = MESSAGE_SEND; kind <= MESSAGE_START; kind++) {
        struct message m =
            sample((enum message_kind)kind, kind == MESSAGE_EVENT ? "lab" : "");
        struct bytes whole = message_bytes(&m);
        size_t header = whole.size - m.data.size;

        for (size_t cut = header; cut <= whole.size; cut++) {
            struct writer w = writer_of(again, sizeof(again));
            message_encode_part(&m, 0, cut, &w);
            if (cut < whole.size)
                message_encode_part(&m, cut, whole.size - cut, &w);
            assert_true(bytes_equal(writer_bytes(&w), whole));
        }
    }
}

/* The data is the rest of the message, so only a cut header is an error. */
static void a_cut_header_is_refused(void **state)
{
    struct message m = sample(MESSAGE_EVENT, "lab"), back;
    struct bytes bytes = message_bytes(&m);

    (void)state;
    for (size_t size = 0; size < bytes.size - m.data.size; size++)
        assert_false(message_decode(bytes_of(bytes.data, size), &back));
    assert_true(
        message_decode(bytes_of(bytes.data, bytes.size - m.data.size), &back));
    assert_int_equal(back.data.size, 0);
}

static void bad_messages_are_refused(void **state)
{
    struct message m = sample(MESSAGE_EVENT, "lab"), back;
    struct bytes bytes = message_bytes(&m);
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {{0, 0x10}, {0, 0x16}, {0, 0x04}, {0, 0x34}, {0, 0x54},
               {1, 0},    {1, 255},  {8, '/'},  {7, 64}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint8_t was = room[bad[i].at];

        room[bad[i].at] = bad[i].value;
        if (message_decode(bytes, &back))
            fail_msg("byte %zu accepted as %d", bad[i].at, bad[i].value);
        room[bad[i].at] = was;
    }
    assert_true(message_decode(bytes, &back));
}

static void a_type_is_utf8(void **state)
{
    static const struct {
        const char *type;
        bool good;
    } cases[] = {
        {"plain", true},
        {"\xc2\x80", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},             /* a tail without a head */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"a\xc3", false}, /* cut */
        {"\xe2\x82", false},
        {"\xe2\x28\xa1", false},
        {"\xe2\x82(", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message m = sample(MESSAGE_SEND, ""), back;

        m.type = bytes_of_string(cases[i].type);
        if (message_decode(message_bytes(&m), &back) != cases[i].good)
            fail_msg("case %zu", i);
    }
}

static void a_value_that_cannot_be_encoded_fails_the_writer(void **state)
{
    static uint8_t long_type[256];
    struct message m = sample(MESSAGE_SEND, "");
    struct writer w = writer_of(room, sizeof(room));

    (void)state;
    m.type = bytes_of(long_type, sizeof(long_type));
    message_encode(&m, &w);
    assert_false(writer_ok(&w));
    m.type.size = 0;
    w = writer_of(room, sizeof(room));
    message_encode(&m, &w);
    assert_false(writer_ok(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_comes_back),
        cmocka_unit_test(fields_of_data_come_back),
        cmocka_unit_test(fields_of_ack_come_back),
        cmocka_unit_test(bad_records_are_refused),
        cmocka_unit_test(numbers_follow),
        cmocka_unit_test(each_message_comes_back),
        cmocka_unit_test(a_small_message_has_five_bytes_around_it),
        cmocka_unit_test(parts_make_up_the_message),
        cmocka_unit_test(a_cut_header_is_refused),
        cmocka_unit_test(bad_messages_are_refused),
        cmocka_unit_test(a_type_is_utf8),
        cmocka_unit_test(a_value_that_cannot_be_encoded_fails_the_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
