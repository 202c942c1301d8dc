/* Frames of a WebSocket: whole, in any pieces, and invalid ones, which close
 * it. */
#include "common/wire/websocket.h"
#include "tests/unit/kit.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 70000 };

/* A client's frame; returns its size. `first` has the opcode and all bits. */
static size_t put_frame(uint8_t *to, unsigned first, const void *payload,
                        size_t size)
{
    static const uint8_t mask[] = {0x11, 0xa2, 0x33, 0xf4};
    const uint8_t *data = payload;
    size_t head =
        websocket_head(to, (enum websocket_opcode)(first & 0xf), false, size);

    to[0] = (uint8_t)first;
    to[1] |= 0x80;
    memcpy(to + head, mask, 4);
    for (size_t i = 0; i < size; i++)
        to[head + 4 + i] = data[i] ^ mask[i % 4];
    return head + 4 + size;
}

/* The result of reading: the items as text, with the pieces of a message
 * joined. */
struct websocket_story {
    char text[512];
    size_t payload; /* bytes of text messages */
    uint8_t last;   /* of them */
};

static void tell(struct websocket_story *s, const char *what, struct bytes data)
{
    size_t size = strlen(s->text);

    if (size > 256) { /* the end of it is enough */
        memmove(s->text, s->text + size - 128, 129);
        size = 128;
    }
    snprintf(s->text + size, sizeof s->text - size, "%s%.*s", what,
             data.size < 60 ? (int)data.size : 60, (const char *)data.data);
}

/* False once nothing more is read. */
static bool read_all(struct websocket_reader *r, uint8_t *data, size_t size,
                     struct websocket_story *s)
{
    struct websocket_item item = {0};
    uint8_t *at = data;
    char code[32];

    for (;;) {
        switch (websocket_read(r, &at, data + size, &item)) {
        case WEBSOCKET_MORE:
            assert_ptr_equal(at, data + size);
            return true;
        case WEBSOCKET_PIECE:
            s->payload += item.data.size;
            if (item.data.size > 0)
                s->last = item.data.data[item.data.size - 1];
            tell(s, "", item.data);
            if (item.last)
                tell(s, ".", (struct bytes){0});
            break;
        case WEBSOCKET_PINGED:
            tell(s, " ping:", item.data);
            break;
        case WEBSOCKET_PONGED:
            tell(s, " pong:", item.data);
            break;
        case WEBSOCKET_CLOSED:
            snprintf(code, sizeof code, " closed %d", item.code);
            tell(s, code, (struct bytes){0});
            return false;
        case WEBSOCKET_WRONG:
            assert_non_null(item.why);
            snprintf(code, sizeof code, " wrong %d", item.code);
            tell(s, code, (struct bytes){0});
            return false;
        }
    }
}

static enum websocket_opcode messages = WEBSOCKET_TEXT;

static void read_in_steps(const uint8_t *data, size_t size, size_t step,
                          struct websocket_story *s)
{
    static uint8_t copy[2 * LIMIT];
    struct websocket_reader r;

    *s = (struct websocket_story){0};
    websocket_reader_init(&r, messages, LIMIT);
    memcpy(copy, data, size);
    for (size_t at = 0; at < size; at += step)
        if (!read_all(&r, copy + at, step < size - at ? step : size - at, s))
            break;
}

static const struct websocket_row {
    const char *bytes; /* frames in hexadecimal, masked with zeros */
    const char *story;
} rows[] = {
    {"81 82 00000000 6869", "hi."},
    {"81 80 00000000", "."},
    {"01 81 00000000 61 80 81 00000000 62", "ab."},
    {"01 80 00000000 00 81 00000000 62 80 80 00000000", "b."},
    /* A character in two frames, a ping between them. */
    {"01 81 00000000 c3 89 82 00000000 7071 80 81 00000000 a9",
     "\xc3 ping:pq\xa9."},
    {"8a 80 00000000", " pong:"},
    {"88 80 00000000", " closed 1000"},
    {"88 82 00000000 03e8", " closed 1000"},
    {"88 84 00000000 0fa0 6869", " closed 4000"},
    {"81 fe 00000000 0000", " wrong 1002"}, /* 0 in two bytes */
    {"81 ff 00000000 0000007e 00000000", " wrong 1002"},
    {"81 ff 80000000 00000000 00000000", " wrong 1002"},
    {"81 ff 7fffffff ffffffff 00000000", " wrong 1009"},
    {"81 ff 00000000 00011171 00000000", " wrong 1009"},
    /* Not masked [5.1]. */
    {"81 02 6869", " wrong 1002"},
    {"89 00", " wrong 1002"},
    {"88 02 03e8", " wrong 1002"},
    {"80 00", " wrong 1002"},
    /* Reserved bits, unknown opcodes [5.2]. */
    {"c1 80", " wrong 1002"},
    {"a1 80", " wrong 1002"},
    {"91 80", " wrong 1002"},
    {"c9 80", " wrong 1002"},
    {"83 80", " wrong 1002"},
    {"87 80", " wrong 1002"},
    {"8b 80", " wrong 1002"},
    {"8f 80", " wrong 1002"},
    {"82 81 00000000 00", " wrong 1003"},
    /* Messages in pieces [5.4]. */
    {"80 80 00000000", " wrong 1002"},
    {"00 80 00000000", " wrong 1002"},
    {"01 80 00000000 81 80 00000000", " wrong 1002"},
    {"01 80 00000000 82 80 00000000", " wrong 1002"},
    {"81 80 00000000 80 80 00000000", ". wrong 1002"},
    /* Control frames [5.5]. */
    {"09 80 00000000", " wrong 1002"},
    {"08 80 00000000", " wrong 1002"},
    {"0a 80 00000000", " wrong 1002"},
    {"89 fe 007e 00000000", " wrong 1002"},
    {"88 ff 00000000 00010000 00000000", " wrong 1002"},
    /* Codes to close with [7.4]. */
    {"88 81 00000000 03", " wrong 1002"},
    {"88 82 00000000 0000", " wrong 1002"},
    {"88 82 00000000 03e7", " wrong 1002"},
    {"88 82 00000000 03ec", " wrong 1002"},
    {"88 82 00000000 03ed", " wrong 1002"},
    {"88 82 00000000 03ee", " wrong 1002"},
    {"88 82 00000000 03f7", " wrong 1002"},
    {"88 82 00000000 07d0", " wrong 1002"},
    {"88 82 00000000 1388", " wrong 1002"},
    {"88 83 00000000 03e8 ff", " wrong 1007"},
    {"88 83 00000000 03e8 c3", " wrong 1007"},
    /* Text that is not UTF-8 [8.1], refused at the first wrong byte. */
    {"81 ff 00000000 00010000 00000000 ff", " wrong 1007"},
    {"81 81 00000000 c3", " wrong 1007"},
    {"81 82 00000000 c080", " wrong 1007"},
    {"81 83 00000000 eda080", " wrong 1007"},
    {"81 83 00000000 e08080", " wrong 1007"},
    {"81 84 00000000 f4908080", " wrong 1007"},
    {"81 84 00000000 f0808080", " wrong 1007"},
    {"81 81 00000000 80", " wrong 1007"},
    {"81 81 00000000 f8", " wrong 1007"},
    {"01 81 00000000 c3 80 81 00000000 41", "\xc3 wrong 1007"},
    {"01 81 00000000 c3 80 80 00000000", "\xc3 wrong 1007"},
    /* Nothing is read after the end. */
    {"88 80 00000000 81 81 00000000 61", " closed 1000"},
    {"c1 80 00000000 81 81 00000000 61", " wrong 1002"},
};

static size_t unhex(const char *text, uint8_t *to)
{
    size_t size = 0;
    char *end;

    for (; *text; text += 2) {
        if (*text == ' ')
            text++;
        const char digits[] = {text[0], text[1], '\0'};
        to[size++] = (uint8_t)strtoul(digits, &end, 16);
        assert_ptr_equal(end, digits + 2);
    }
    return size;
}

/* Pieces of a text may come before the part that is wrong. */
static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), most = strlen(end);

    return size >= most && strcmp(text + size - most, end) == 0 &&
           (size == most || end[0] == '.' || strstr(end, "wrong") != NULL);
}

static void each_frame_gets_its_answer(void **state)
{
    static const size_t steps[] = {1, 2, 3, 5, 1000};
    uint8_t data[128];
    struct websocket_story s;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t size = unhex(rows[i].bytes, data);
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            read_in_steps(data, size, steps[k], &s);
            if (!ends_with(s.text, rows[i].story))
                fail_msg("%s in steps of %zu: %s", rows[i].bytes, steps[k],
                         s.text);
        }
    }
}

static void lengths_of_each_form_are_unmasked(void **state)
{
    static const size_t sizes[] = {1, 125, 126, 127, 65535, 65536, LIMIT};
    static const size_t steps[] = {1, 7, 4096, 2 * LIMIT};
    static uint8_t payload[LIMIT], frame[LIMIT + 64];
    struct websocket_story s;
    (void)state;

    memset(payload, 'x', sizeof payload);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        payload[sizes[i] - 1] = 'e';
        size_t size = put_frame(frame, 0x81, payload, sizes[i]);
        for (size_t k = 0; k < COUNT_OF(steps); k++) {
            read_in_steps(frame, size, steps[k], &s);
            assert_int_equal(s.payload, sizes[i]);
            assert_int_equal(s.last, 'e');
            assert_true(ends_with(s.text, "."));
        }
        payload[sizes[i] - 1] = 'x';
    }
}

static void binary_messages_are_read_where_they_are_asked_for(void **state)
{
    static const struct websocket_row binary[] = {
        {"82 82 00000000 ff00", "\xff"},
        {"02 81 00000000 c3 80 80 00000000", "\xc3."},
        {"82 80 00000000", "."},
        {"81 81 00000000 61", " wrong 1003"},
        {"01 80 00000000", " wrong 1003"},
        {"02 80 00000000 82 80 00000000", " wrong 1002"},
        {"82 01 61", " wrong 1002"},
    };
    struct websocket_story s;
    uint8_t data[64];
    (void)state;

    messages = WEBSOCKET_BINARY;
    for (size_t i = 0; i < COUNT_OF(binary); i++) {
        size_t size = unhex(binary[i].bytes, data);
        for (size_t step = 1; step < 20; step += 6) {
            read_in_steps(data, size, step, &s);
            assert_int_equal(
                strncmp(s.text, binary[i].story, strlen(binary[i].story)), 0);
        }
    }
    messages = WEBSOCKET_TEXT;
}

/* From each place of the mask on, with any number of bytes. */
static void each_byte_is_unmasked(void **state)
{
    enum { SIZE = 300 };
    uint8_t payload[SIZE], frame[SIZE + 16];
    (void)state;

    for (size_t i = 0; i < SIZE; i++)
        payload[i] = (uint8_t)(i * 7);
    size_t size = put_frame(frame, 0x82, payload, SIZE);
    for (size_t step = 1; step <= size; step++) {
        struct websocket_reader r;
        struct websocket_item item;
        uint8_t copy[sizeof frame], got[SIZE];
        size_t count = 0;
        websocket_reader_init(&r, WEBSOCKET_BINARY, LIMIT);
        memcpy(copy, frame, size);
        for (size_t at = 0; at < size; at += step) {
            uint8_t *next = copy + at;
            uint8_t *end = copy + (step < size - at ? at + step : size);
            while (websocket_read(&r, &next, end, &item) == WEBSOCKET_PIECE) {
                memcpy(got + count, item.data.data, item.data.size);
                count += item.data.size;
            }
        }
        assert_int_equal(count, SIZE);
        assert_memory_equal(got, payload, SIZE);
    }
}

/* In one frame, or in many. */
static void a_message_over_the_limit_is_refused(void **state)
{
    static uint8_t payload[LIMIT], frames[2 * LIMIT];
    struct websocket_story s;
    (void)state;

    memset(payload, 'x', sizeof payload);
    size_t size = put_frame(frames, 0x01, payload, LIMIT - 1);
    size += put_frame(frames + size, 0x80, "yz", 2);
    read_in_steps(frames, size, 1000, &s);
    assert_non_null(strstr(s.text, "wrong 1009"));
    size = put_frame(frames, 0x01, payload, LIMIT - 1);
    size += put_frame(frames + size, 0x80, "y", 1);
    size += put_frame(frames + size, 0x81, "z", 1);
    read_in_steps(frames, size, 1000, &s);
    assert_non_null(strstr(s.text, "y.z."));
}

static void heads_are_written_as_short_as_can_be(void **state)
{
    static const uint8_t lengths[][10] = {
        {0x81, 125},
        {0x81, 126, 0, 126},
        {0x81, 126, 0xff, 0xff},
        {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0},
    };
    static const size_t sizes[] = {125, 126, 65535, 65536};
    static const size_t heads[] = {2, 4, 4, 10};
    uint8_t room[WEBSOCKET_HEAD_SIZE];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_int_equal(websocket_head(room, WEBSOCKET_TEXT, true, sizes[i]),
                         heads[i]);
        assert_memory_equal(room, lengths[i], heads[i]);
    }
    assert_int_equal(websocket_head(room, WEBSOCKET_CONTINUATION, false, 0), 2);
    assert_memory_equal(room, "\0\0", 2);
}

static void a_key_is_16_bytes_in_base64(void **state)
{
    static const char *const wrong[] = {
        "",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ= ",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhl-HNhbXBsZSBub25jZQ==",
    };
    (void)state;

    assert_true(
        websocket_key_valid(bytes_of_string("dGhlIHNhbXBsZSBub25jZQ==")));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(websocket_key_valid(bytes_of_string(wrong[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_frame_gets_its_answer),
        cmocka_unit_test(lengths_of_each_form_are_unmasked),
        cmocka_unit_test(binary_messages_are_read_where_they_are_asked_for),
        cmocka_unit_test(each_byte_is_unmasked),
        cmocka_unit_test(a_message_over_the_limit_is_refused),
        cmocka_unit_test(heads_are_written_as_short_as_can_be),
        cmocka_unit_test(a_key_is_16_bytes_in_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
