/*
 * source_pace - how often each network (address_network) may be served, in a
 * table of fixed size.
 *
 * A server without connections cannot know its clients: an attacker may write
 * any source address into a datagram. So nothing is allocated for a network.
 * Its address, hashed under a secret key, chooses one place of the table;
 * networks that share a place share its rate.
 */
#ifndef COMMON_BASE_SOURCE_PACE_H
#define COMMON_BASE_SOURCE_PACE_H

#include "common/base/address.h"
#include "common/base/token_bucket.h"

enum { SOURCE_PACE_PLACES = 4096, SOURCE_PACE_KEY_SIZE = 16 };

struct source_pace {
    struct span each; /* one more each `each`, > 0 */
    int64_t burst;    /* so many at once, >= 1 */
    uint8_t key[SOURCE_PACE_KEY_SIZE];
    struct token_bucket places[SOURCE_PACE_PLACES];
};

/* `key`: random, and known to nobody else. */
void source_pace_init(struct source_pace *s, struct span each, int64_t burst,
                      const uint8_t key[static SOURCE_PACE_KEY_SIZE]);

/* True: the network of `source` may be served now, and that counts. */
bool source_pace_takes(struct source_pace *s, const struct address *source,
                       struct instant now) MUST_USE;

#endif
