/*
 * wire_kit - for tests of signed messages: keys, and damage to messages.
 */
#ifndef TESTS_UNIT_WIRE_KIT_H
#define TESTS_UNIT_WIRE_KIT_H

#include "common/wire/certificate.h"
#include "tests/unit/kit.h"

#include <sodium.h>
#include <stdlib.h>

struct signer {
    uint8_t public_key[32];
    uint8_t secret_key[64];
};

static inline struct signer signer_of(uint8_t number)
{
    struct signer s;
    uint8_t seed[32] = {number};

    crypto_sign_seed_keypair(s.public_key, s.secret_key, seed);
    return s;
}

static inline struct mesh_id mesh_of(const struct signer *s)
{
    struct mesh_id id;

    memcpy(id.key, s->public_key, sizeof(id.key));
    return id;
}

static inline struct node_id node_of(const struct signer *s)
{
    struct node_id id;

    memcpy(id.key, s->public_key, sizeof(id.key));
    return id;
}

typedef bool accepts(struct bytes bytes, const void *context);

/* Checks that `accept` refuses each shorter prefix, and the message with one
 * byte more. Each copy is a block of the exact size, so that a sanitizer sees a
 * read past it. */
static inline void assert_all_cuts_refused(struct bytes good, accepts *accept,
                                           const void *context)
{
    assert_true(accept(good, context));
    for (size_t size = 0; size <= good.size + 1; size++) {
        uint8_t *copy = malloc(size + 1);

        assert_non_null(copy);
        if (size == good.size) {
            free(copy);
            continue;
        }
        memcpy(copy, good.data, size < good.size ? size : good.size);
        if (size > good.size)
            copy[good.size] = 0;
        if (accept(bytes_of(copy, size), context))
            fail_msg("%zu of %zu bytes accepted", size, good.size);
        free(copy);
    }
}

/* Checks that `accept` refuses the message with any single bit flipped. */
static inline void assert_all_flips_refused(struct bytes good, accepts *accept,
                                            const void *context)
{
    uint8_t *copy = malloc(good.size);

    assert_non_null(copy);
    memcpy(copy, good.data, good.size);
    for (size_t bit = 0; bit < 8 * good.size; bit++) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (accept(bytes_of(copy, good.size), context))
            fail_msg("accepted with bit %zu flipped", bit);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(copy);
}

#endif
