/*
 * pace - how often something may happen: a burst at once, then one each `each`.
 *
 * Zeroed: the whole burst is left.
 */
#ifndef COMMON_BASE_PACE_H
#define COMMON_BASE_PACE_H

#include "common/base/assert.h"
#include "common/base/instant.h"

struct pace {
    struct instant spent; /* the burst is whole again by then */
};

/* When it may happen again. */
static inline struct instant pace_takes_at(const struct pace *p,
                                           struct span each, int64_t burst)
{
    return instant_after(p->spent, span_times(each, 1 - burst));
}

/* It happens now, and counts, whether it may or not. */
static inline void pace_spend(struct pace *p, struct instant now,
                              struct span each)
{
    p->spent = instant_after(instant_max(p->spent, now), each);
}

/* True: it may happen now, and counts. `burst` >= 1. */
static inline bool MUST_USE pace_takes(struct pace *p, struct instant now,
                                       struct span each, int64_t burst)
{
    if (!instant_reached(pace_takes_at(p, each, burst), now))
        return false;
    pace_spend(p, now, each);
    return true;
}

#endif
