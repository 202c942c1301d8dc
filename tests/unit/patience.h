/*
 * patience - how long a test waits for another thread, process or the kernel.
 *
 * A test waits for a condition, and no machine is too slow for it: the limit is
 * there so that a product that hangs makes one test fail, instead of the whole
 * run. It is below the limit that ctest has for a test program.
 */
#ifndef TESTS_UNIT_PATIENCE_H
#define TESTS_UNIT_PATIENCE_H

#include "tests/unit/kit.h"

#include <stdbool.h>
#include <time.h>

enum { PATIENCE_S = 100, PATIENCE_MS = PATIENCE_S * 1000 };

static inline int64_t patience_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Runs `step` until the condition holds; fails if it never does. */
#define PATIENCE_UNTIL(condition, step)                                        \
    do {                                                                       \
        int64_t end_ = patience_now_ms() + PATIENCE_MS;                        \
        while (!(condition)) {                                                 \
            assert_true(patience_now_ms() < end_);                             \
            step;                                                              \
        }                                                                      \
    } while (0)

#endif
