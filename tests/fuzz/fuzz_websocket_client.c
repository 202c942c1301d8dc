#include "common/wire/websocket_client.h"

#include "tests/fuzz/fuzz.h"

struct client_told {
    crypto_generichash_state data; /* of all messages */
    size_t controls;
    enum websocket_kind end;
    int code;
};

static void tell(struct client_told *t, enum websocket_kind kind,
                 const struct websocket_item *item)
{
    if (kind == WEBSOCKET_PIECE) {
        ASSERT(item->data.size > 0);
        crypto_generichash_update(&t->data, item->data.data, item->data.size);
    } else if (kind == WEBSOCKET_PINGED || kind == WEBSOCKET_PONGED) {
        ASSERT(item->data.size <= WEBSOCKET_CONTROL);
        t->controls++;
    } else {
        t->end = kind;
        t->code = item->code;
    }
}

static struct client_told read_in_steps(const uint8_t *data, size_t size,
                                        size_t step)
{
    struct client_told t = {.end = WEBSOCKET_MORE};
    struct websocket_client w = {.over = false};

    crypto_generichash_init(&t.data, NULL, 0, 32);
    for (size_t at = 0; at < size; at += step) {
        const uint8_t *next = data + at;
        const uint8_t *end = data + (step < size - at ? at + step : size);
        struct websocket_item item = {0};
        enum websocket_kind kind;
        while ((kind = websocket_client_read(&w, &next, end, &item)) !=
               WEBSOCKET_MORE) {
            ASSERT(next <= end && t.end == WEBSOCKET_MORE);
            tell(&t, kind, &item);
        }
        ASSERT(next == end || w.over);
    }
    return t;
}

/* In whatever pieces the bytes come, they mean the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client_told whole = read_in_steps(data, size, size > 0 ? size : 1);

    for (size_t step = 1; step < 8; step += 3) {
        struct client_told steps = read_in_steps(data, size, step);
        uint8_t a[32], b[32];
        crypto_generichash_state copy = whole.data;
        ASSERT(steps.end == whole.end && steps.code == whole.code);
        ASSERT(steps.controls == whole.controls);
        crypto_generichash_final(&copy, a, sizeof a);
        crypto_generichash_final(&steps.data, b, sizeof b);
        ASSERT(memcmp(a, b, 32) == 0);
    }
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const char text[] =
        "\x02\x02{}\x89\x01p\x80\x01x\x8a\0\x82\x7e\0\x7e"
        "..............................................................."
        "..............................................................."
        "\x88\x02\x03\xe8";

    return fuzz_keep(bytes_of(text, sizeof(text) - 1), room, size);
}
