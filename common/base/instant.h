/*
 * instant - points in time and time spans, as two types that the compiler keeps
 * apart.
 *
 * Both count microseconds. An instant counts on a monotonic clock from a start
 * that has no meaning outside the process. Pure modules take `now` as a
 * parameter; only the shells read a clock.
 */
#ifndef COMMON_BASE_INSTANT_H
#define COMMON_BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

struct instant {
    int64_t us;
};

struct span {
    int64_t us;
};

#define INSTANT_NEVER ((struct instant){INT64_MAX})

static inline struct span span_us(int64_t us)
{
    return (struct span){us};
}

static inline struct span span_ms(int64_t ms)
{
    return (struct span){ms * 1000};
}

static inline struct span span_s(int64_t s)
{
    return (struct span){s * 1000000};
}

static inline struct span span_times(struct span a, int64_t factor)
{
    return (struct span){a.us * factor};
}

static inline struct span span_max(struct span a, struct span b)
{
    return a.us > b.us ? a : b;
}

static inline struct span span_min(struct span a, struct span b)
{
    return a.us < b.us ? a : b;
}

static inline bool instant_is_never(struct instant a)
{
    return a.us == INT64_MAX;
}

static inline struct instant instant_after(struct instant a, struct span s)
{
    return instant_is_never(a) ? a : (struct instant){a.us + s.us};
}

/* The span from `a` to `b`; negative if `b` is earlier. */
static inline struct span instant_between(struct instant a, struct instant b)
{
    return (struct span){b.us - a.us};
}

static inline bool instant_reached(struct instant deadline, struct instant now)
{
    return now.us >= deadline.us;
}

/* Whether less than `s` passed between `a` and `now`. */
static inline bool instant_is_recent(struct instant a, struct span s,
                                     struct instant now)
{
    return !instant_reached(instant_after(a, s), now);
}

static inline struct instant instant_min(struct instant a, struct instant b)
{
    return a.us < b.us ? a : b;
}

static inline struct instant instant_max(struct instant a, struct instant b)
{
    return a.us > b.us ? a : b;
}

#endif
