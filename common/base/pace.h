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
                                           struct span each, int burst)
{
    return instant_after(p->spent, span_times(each, 1 - burst));
}

/* True: it may happen now, and counts. `burst` >= 1. */
static inline bool MUST_USE pace_takes(struct pace *p, struct instant now,
                                       struct span each, int burst)
{
    if (!instant_reached(pace_takes_at(p, each, burst), now))
        return false;
    p->spent = instant_after(instant_max(p->spent, now), each);
    return true;
}

#endif
