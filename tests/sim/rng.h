/*
 * rng - the simulator's random numbers: splitmix64, from the run's seed.
 */
#ifndef TESTS_SIM_RNG_H
#define TESTS_SIM_RNG_H

#include "common/base/instant.h"

#include <stddef.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_u64(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* 0 to bound - 1 */
static inline uint64_t rng_below(struct rng *r, uint64_t bound)
{
    return rng_u64(r) % bound;
}

/* low to high, both included */
static inline int64_t rng_between(struct rng *r, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(r, (uint64_t)(high - low + 1));
}

static inline struct span rng_span(struct rng *r, struct span low,
                                   struct span high)
{
    return span_us(rng_between(r, low.us, high.us));
}

static inline bool rng_chance(struct rng *r, unsigned percent)
{
    return rng_below(r, 100) < percent;
}

static inline void rng_fill(struct rng *r, uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)rng_u64(r);
}

#endif
