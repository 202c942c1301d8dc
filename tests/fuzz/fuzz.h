/*
 * fuzz - the functions of a fuzz target.
 *
 * LLVMFuzzerTestOneInput checks one input, and aborts if a property does not
 * hold: an input that decodes must encode to the same bytes again.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "common/base/bytes.h"

#include <sodium.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes a valid input, from which main.c, which measures no coverage, makes
 * its variants; returns its size. A target without one returns 0 and gets
 * random bytes. */
size_t fuzz_sample(uint8_t *room, size_t size);

/* The secret key with which round trips sign again. */
static inline const uint8_t *fuzz_secret_key(void)
{
    static uint8_t public_key[32], secret_key[64];
    static const uint8_t seed[32] = {1};

    if (public_key[0] == 0)
        crypto_sign_seed_keypair(public_key, secret_key, seed);
    return secret_key;
}

/* Checks that two messages are equal except for the signature, which only the
 * original key could make again. */
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
