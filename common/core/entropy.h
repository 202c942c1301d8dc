/*
 * entropy - random bytes for the pure core, grown from a seed it is given.
 *
 * ChaCha20 keyed by the seed, the key replaced after each use, so that what
 * was drawn cannot be found again from what is kept. In production the seed is
 * the system's randomness; in the simulator it is the run's seed.
 */
#ifndef COMMON_CORE_ENTROPY_H
#define COMMON_CORE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

struct entropy {
    uint8_t key[32];
};

void entropy_init(struct entropy *e, const uint8_t seed[32]);
void entropy_fill(struct entropy *e, void *to, size_t size);
uint64_t entropy_u64(struct entropy *e);
/* Evenly from 0 to bound - 1; bound >= 1. */
uint64_t entropy_below(struct entropy *e, uint64_t bound);

#endif
