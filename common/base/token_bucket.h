/*
 * pace - a token bucket: limits how often something happens.
 *
 * Up to `burst` events may happen at once, then one every `each`. The limits
 * are parameters, so that a struct pace is one instant; use the same ones with
 * every call.
 *
 * A zeroed pace allows the whole burst.
 */
#ifndef COMMON_BASE_TOKEN_BUCKET_H
#define COMMON_BASE_TOKEN_BUCKET_H

#include "common/base/assert.h"
#include "common/base/instant.h"

struct pace {
    struct instant full_at; /* when the whole burst will be allowed again */
};

/* From when on pace_takes would allow the next event. */
static inline struct instant pace_takes_at(const struct pace *p,
                                           struct span each, int64_t burst)
{
    return instant_after(p->full_at, span_times(each, 1 - burst));
}

/* Counts an event now, even if the limit does not allow it. */
static inline void pace_spend(struct pace *p, struct instant now,
                              struct span each)
{
    p->full_at = instant_after(instant_max(p->full_at, now), each);
}

/* Returns true and counts an event if the limit allows one now; false and no
 * change otherwise. `burst` is at least 1. */
static inline bool MUST_USE pace_takes(struct pace *p, struct instant now,
                                       struct span each, int64_t burst)
{
    if (!instant_reached(pace_takes_at(p, each, burst), now))
        return false;
    pace_spend(p, now, each);
    return true;
}

#endif
