#include "common/core/entropy.h"

#include "common/base/assert.h"

#include <sodium.h>

#include <string.h>

void entropy_init(struct entropy *e, const uint8_t seed[32])
{
    memcpy(e->key, seed, sizeof(e->key));
}

/* One key stream gives both the next key (block 0, its first 32 bytes) and the
 * random bytes (from block 1 on). */
void entropy_fill(struct entropy *e, void *to, size_t size)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t next_key[sizeof(e->key)];

    crypto_stream_chacha20(next_key, sizeof(next_key), nonce, e->key);
    if (size > 0) {
        memset(to, 0, size);
        crypto_stream_chacha20_xor_ic(to, to, size, nonce, 1, e->key);
    }
    memcpy(e->key, next_key, sizeof(e->key));
    sodium_memzero(next_key, sizeof(next_key));
}

uint64_t entropy_u64(struct entropy *e)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    entropy_fill(e, bytes, sizeof(bytes));
    for (size_t i = sizeof(bytes); i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

uint64_t entropy_below(struct entropy *e, uint64_t bound)
{
    uint64_t uneven, value;

    ASSERT(bound >= 1);
    /* 2^64 modulo bound. Without the rejection of that many values the low
     * results would come more often. */
    uneven = (0 - bound) % bound;
    do {
        value = entropy_u64(e);
    } while (value < uneven);
    return value % bound;
}

struct span entropy_pause(struct entropy *e, struct span pause)
{
    int64_t half = pause.us / 2;

    return span_us(half + (int64_t)entropy_below(e, (uint64_t)half + 1));
}
