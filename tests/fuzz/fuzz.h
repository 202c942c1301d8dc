/*
 * fuzz - what a fuzz target offers.
 *
 * LLVMFuzzerTestOneInput checks one input and aborts where a promise is broken:
 * what decodes must encode to the very same bytes again.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "common/base/bytes.h"

#include <sodium.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A good input to begin from, for main.c, which knows no coverage; returns its
 * size. A target that has none is fed noise. */
size_t fuzz_sample(uint8_t *room, size_t size);

/* A secret key that signs whatever a round trip signs anew. */
static inline const uint8_t *fuzz_secret_key(void)
{
    static uint8_t public_key[32], secret_key[64];
    static const uint8_t seed[32] = {1};

    if (public_key[0] == 0)
        crypto_sign_seed_keypair(public_key, secret_key, seed);
    return secret_key;
}

/* Equal up to the signature, which only the right key can make again. */
static inline void fuzz_same_but_signature(struct bytes a, struct bytes b)
{
    ASSERT(a.size == b.size && a.size >= 64);
    ASSERT(memcmp(a.data, b.data, a.size - 64) == 0);
}

static inline size_t fuzz_keep(struct bytes bytes, uint8_t *room, size_t size)
{
    ASSERT(bytes.size <= size);
    memcpy(room, bytes.data, bytes.size);
    return bytes.size;
}

#endif
