#include "common/wire/punch.h"

#include "tests/fuzz/fuzz.h"

enum { MAC_AT = PROBE_SIZE - 16 };

static const uint8_t key[32] = {1};

/* With a right mac, as only a peer could make it, a probe that is taken encodes
 * to the same bytes again; without one it is not taken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t signed_one[PROBE_SIZE] = {0}, again[PROBE_SIZE], tag[8];
    struct bytes bytes = bytes_of(signed_one, PROBE_SIZE);
    struct probe p;

    if (!probe_peek(bytes_of(data, size), tag)) {
        ASSERT(!probe_decode(bytes_of(data, size), key, &p));
        return 0;
    }
    ASSERT(size == PROBE_SIZE && (data[0] & 0x40) == 0 && data[0] > 3);
    memcpy(signed_one, data, PROBE_SIZE);
    crypto_generichash(signed_one + MAC_AT, 16, signed_one, MAC_AT, key, 32);
    ASSERT(probe_decode(bytes_of(data, size), key, &p) ==
           (probe_decode(bytes, key, &p) &&
            memcmp(signed_one, data, PROBE_SIZE) == 0));
    if (!probe_decode(bytes, key, &p))
        return 0;
    ASSERT(memcmp(p.tag, tag, sizeof tag) == 0);
    probe_encode(&p, key, again);
    ASSERT(memcmp(again, signed_one, PROBE_SIZE) == 0);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    const struct probe p = {
        .type = PROBE_ANSWERS,
        .tag = {9, 8, 7},
        .sequence = 300,
        .seen = {ADDRESS_V4, {198, 51, 100, 7}, 40000, 0},
    };
    uint8_t datagram[PROBE_SIZE];

    probe_encode(&p, key, datagram);
    return fuzz_keep(bytes_of(datagram, sizeof datagram), room, size);
}
