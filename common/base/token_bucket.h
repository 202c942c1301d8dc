/*
 * token_bucket - limits how often something happens.
 *
 * Up to `burst` events may happen at once, then one every `each`. The limits
 * are parameters, so that a struct token_bucket is one instant; use the same
 * ones with every call.
 *
 * A zeroed bucket allows the whole burst.
 */
#ifndef COMMON_BASE_TOKEN_BUCKET_H
#define COMMON_BASE_TOKEN_BUCKET_H

#include "common/base/assert.h"
#include "common/base/instant.h"

struct token_bucket {
    struct instant full_at; /* when the whole burst will be allowed again */
};

/* From when on token_bucket_takes would allow the next event. */
static inline struct instant token_bucket_takes_at(const struct token_bucket *p,
                                                   struct span each,
                                                   int64_t burst)
{
    return instant_after(p->full_at, span_times(each, 1 - burst));
}

/* Counts an event now, even if the limit does not allow it. */
static inline void token_bucket_spend(struct token_bucket *p,
                                      struct instant now, struct span each)
{
    p->full_at = instant_after(instant_max(p->full_at, now), each);
}

/* Returns true and counts an event if the limit allows one now; false and no
 * change otherwise. `burst` is at least 1. */
static inline bool MUST_USE token_bucket_takes(struct token_bucket *p,
                                               struct instant now,
                                               struct span each, int64_t burst)
{
    if (!instant_reached(token_bucket_takes_at(p, each, burst), now))
        return false;
    token_bucket_spend(p, now, each);
    return true;
}

#endif
