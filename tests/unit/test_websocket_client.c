#include "kit.h"

#include "common/wire/websocket_client.h"

#include <stdio.h>
#include <stdlib.h>

static void tell(size_t *used, char text[1000], enum websocket_kind kind,
                 const struct websocket_item *item)
{
    char *to = text + *used;
    size_t room = 1000 - *used;
    int size = (int)item->data.size, wrote = 0;

    if (kind == WEBSOCKET_PIECE)
        wrote = snprintf(to, room, "%.*s", size, item->data.data);
    else if (kind == WEBSOCKET_PINGED)
        wrote = snprintf(to, room, "<ping %.*s>", size, item->data.data);
    else if (kind == WEBSOCKET_PONGED)
        wrote = snprintf(to, room, "<pong %.*s>", size, item->data.data);
    else
        wrote =
            snprintf(to, room, "<%s %d>",
                     kind == WEBSOCKET_CLOSED ? "closed" : "wrong", item->code);
    *used += (size_t)wrote;
}

/* All that a reader tells of `in`, given in pieces of `step` bytes: the data,
 * "<ping>", "<pong>", "<closed 1000>" and "<wrong 1002>". */
static const char *told(struct bytes in, size_t step, char text[1000])
{
    struct websocket_client w = {.over = false};
    struct websocket_item item;
    size_t used = 0;

    for (size_t at = 0; at < in.size; at += step) {
        const uint8_t *next = in.data + at;
        const uint8_t *end =
            in.data + (step < in.size - at ? at + step : in.size);
        enum websocket_kind kind;
        while ((kind = websocket_client_read(&w, &next, end, &item)) !=
               WEBSOCKET_MORE) {
            tell(&used, text, kind, &item);
        }
    }
    text[used] = '\0';
    return text;
}

#define ROW(in, out)                                                           \
    {                                                                          \
        bytes_of(in, sizeof(in) - 1), out                                      \
    }

static void frames_mean_the_same_in_whatever_pieces(void **state)
{
    const struct {
        struct bytes in;
        const char *out;
    } rows[] = {
        ROW("\x82\x05Hello", "Hello"),
        ROW("\x82\x02He\x82\0\x82\x03llo", "Hello"),
        ROW("\x02\x02He\x80\x03llo\x82\x01!", "Hello!"),
        ROW("\x02\0\0\x01H\x89\x01p\0\x02\x65l\x80\x02lo", "H<ping p>ello"),
        ROW("\x8a\0\x89\0\x88\0\x82\x01x", "<pong ><ping ><closed 1000>"),
        ROW("\x88\x05\x03\xe9"
            "bye",
            "<closed 1001>"),
        ROW("\x88\x01\x03", "<wrong 1002>"),
        ROW("\x81\x01x\x82\x01y", "<wrong 1003>"),
        ROW("\x82\x81\0\0\0\0x", "<wrong 1002>"),
        ROW("\xc2\x01x", "<wrong 1002>"),
        ROW("\x83\x01x", "<wrong 1002>"),
        ROW("\x8b\x01x", "<wrong 1002>"),
        ROW("\x80\x01x", "<wrong 1002>"),
        ROW("\x02\x01x\x82\x01y", "x<wrong 1002>"),
        ROW("\x09\0", "<wrong 1002>"),
        ROW("\x89\x7e\0\x7e", "<wrong 1002>"),
        ROW("\x82\x7e\0\x7d", "<wrong 1002>"),
        ROW("\x82\x7f\0\0\0\0\0\0\xff\xff", "<wrong 1002>"),
        ROW("\x82\x7f\x80\0\0\0\0\0\0\0", "<wrong 1002>"),
        ROW("\x82\x7f\0\0\xff\xff\xff\xff\xff\xffgoes on", "goes on"),
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t step = 1; step <= rows[i].in.size; step++) {
            char text[1000];
            if (strcmp(told(rows[i].in, step, text), rows[i].out) != 0)
                fail_msg("row %zu in steps of %zu: %s", i, step, text);
        }
}

static void long_frames_are_read(void **state)
{
    static const size_t sizes[] = {125, 126, 65535, 65536, 70000};
    static uint8_t frame[80000];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct websocket_client w = {.over = false};
        struct websocket_item item;
        size_t head = websocket_head(frame, WEBSOCKET_BINARY, true, sizes[i]);
        const uint8_t *at = frame, *end = frame + head + sizes[i];
        assert_int_equal(websocket_client_read(&w, &at, end, &item),
                         WEBSOCKET_PIECE);
        assert_int_equal(item.data.size, sizes[i]);
        assert_int_equal(websocket_client_read(&w, &at, end, &item),
                         WEBSOCKET_MORE);
        assert_ptr_equal(at, end);
        assert_false(w.frame.complete || w.frame.in_message);
    }
}

/* RFC 6455, 5.7: "Hello" with its mask. */
static void a_frame_is_written_as_in_the_standard(void **state)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    static const uint8_t wanted[] = {0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                     0x7f, 0x9f, 0x4d, 0x51, 0x58};
    uint8_t frame[WEBSOCKET_CLIENT_HEAD_SIZE + 5];
    (void)state;

    size_t head = websocket_client_head(frame, WEBSOCKET_BINARY, 5, mask);
    websocket_mask(frame + head, (const uint8_t *)"Hello", 5, mask);
    assert_int_equal(head + 5, sizeof wanted);
    assert_memory_equal(frame, wanted, sizeof wanted);
}

static void masks_fit_each_size_and_place(void **state)
{
    static const uint8_t mask[4] = {1, 2, 4, 8};
    uint8_t from[64], to[64];
    (void)state;

    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (uint8_t)(i * 7);
    for (size_t start = 0; start < 9; start++)
        for (size_t size = 0; size + start <= sizeof from; size++) {
            websocket_mask(to, from + start, size, mask);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(to[i], from[start + i] ^ mask[i % 4]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_mean_the_same_in_whatever_pieces),
        cmocka_unit_test(long_frames_are_read),
        cmocka_unit_test(a_frame_is_written_as_in_the_standard),
        cmocka_unit_test(masks_fit_each_size_and_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
