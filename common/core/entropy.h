/*
 * entropy - a random number generator for the pure core, started from a seed.
 *
 * ChaCha20 with the seed as its key. Each use replaces the key, so the numbers
 * that were drawn cannot be computed from the state that remains. Outside the
 * simulator the seed comes from the system's random source; in the simulator it
 * is the seed of the run.
 */
#ifndef COMMON_CORE_ENTROPY_H
#define COMMON_CORE_ENTROPY_H

#include "common/base/instant.h"

#include <stddef.h>

struct entropy {
    uint8_t key[32];
};

void entropy_init(struct entropy *e, const uint8_t seed[32]);
void entropy_fill(struct entropy *e, void *to, size_t size);
uint64_t entropy_u64(struct entropy *e);
/* A uniformly distributed number from 0 to bound - 1; bound >= 1. */
uint64_t entropy_below(struct entropy *e, uint64_t bound);
/* Between half the pause and all of it, so that nodes that pause at the same
 * time do not go on at the same time. */
struct span entropy_pause(struct entropy *e, struct span pause);

#endif
