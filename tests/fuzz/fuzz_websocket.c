#include "common/wire/websocket.h"

#include "tests/fuzz/fuzz.h"

enum { LIMIT = 1024, MOST = 4096 };

struct told {
    crypto_generichash_state text; /* of all messages, each with its end */
    size_t controls;
    enum websocket_kind end;
    int code;
};

static void tell(struct told *t, enum websocket_kind kind,
                 const struct websocket_item *item)
{
    static const uint8_t last = 0xff; /* is in no UTF-8 */

    if (kind == WEBSOCKET_PIECE) {
        if (item->data.size > 0)
            crypto_generichash_update(&t->text, item->data.data,
                                      item->data.size);
        if (item->last)
            crypto_generichash_update(&t->text, &last, 1);
    } else if (kind == WEBSOCKET_PINGED || kind == WEBSOCKET_PONGED) {
        ASSERT(item->data.size <= WEBSOCKET_CONTROL);
        t->controls++;
    } else {
        t->end = kind;
        t->code = item->code;
    }
}

static struct told read_in_steps(enum websocket_opcode messages,
                                 const uint8_t *data, size_t size, size_t step)
{
    struct told t = {.end = WEBSOCKET_MORE};
    struct websocket_reader r;
    uint8_t copy[MOST];

    crypto_generichash_init(&t.text, NULL, 0, 32);
    websocket_reader_init(&r, messages, LIMIT);
    if (size > 0)
        memcpy(copy, data, size);
    for (size_t at = 0; at < size && t.end == WEBSOCKET_MORE; at += step) {
        uint8_t *next = copy + at;
        uint8_t *end = copy + (step < size - at ? at + step : size);
        enum websocket_kind kind = WEBSOCKET_PIECE;
        while (kind != WEBSOCKET_MORE && t.end == WEBSOCKET_MORE) {
            struct websocket_item item = {0};
            kind = websocket_read(&r, &next, end, &item);
            ASSERT(next <= end);
            if (kind != WEBSOCKET_MORE)
                tell(&t, kind, &item);
        }
    }
    return t;
}

/* In whatever pieces the bytes come, they mean the same. But of a text that is
 * none, more or fewer pieces were handed out before. */
static void check(enum websocket_opcode messages, const uint8_t *data,
                  size_t size)
{
    struct told whole = read_in_steps(messages, data, size, MOST);

    for (size_t step = 1; step < 8; step += 3) {
        struct told steps = read_in_steps(messages, data, size, step);
        uint8_t a[32], b[32];
        crypto_generichash_state text = whole.text;
        ASSERT(steps.end == whole.end && steps.code == whole.code);
        ASSERT(steps.controls == whole.controls);
        crypto_generichash_final(&text, a, sizeof a);
        crypto_generichash_final(&steps.text, b, sizeof b);
        ASSERT(whole.code == WEBSOCKET_NO_UTF8 || memcmp(a, b, 32) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size = size < MOST ? size : MOST;
    check(WEBSOCKET_TEXT, data, size);
    check(WEBSOCKET_BINARY, data, size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "\x01\x82\x01\x02\x03\x04{}\x89\x81\0\0\0\0p\x80\x81\0\0\0\0"
        "x\x81\xfe\0\x7e\0\0\0\0"
        "..............................................................."
        "..............................................................."
        "\x88\x82\0\0\0\0\x03\xe8";

    return fuzz_keep(bytes_of(text, sizeof(text) - 1), room, size);
}
