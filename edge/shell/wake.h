/*
 * wake - reports that the host resumed from sleep.
 *
 * While the host sleeps CLOCK_MONOTONIC stands still, so the node's own time
 * shows no gap. CLOCK_BOOTTIME goes on, and a timer on that clock fires as soon
 * as the host resumes.
 */
#ifndef EDGE_SHELL_WAKE_H
#define EDGE_SHELL_WAKE_H

#include "common/base/instant.h"

#include <uv.h>

struct wake;

/* Calls `woke` after each sleep. NULL if the system has no such timer. */
struct wake *wake_open(uv_loop_t *loop,
                       void (*woke)(void *context, struct span slept),
                       void *context);
/* The memory is freed once the loop ran. NULL-safe. */
void wake_close(struct wake **self);

/* How long the host slept between two measurements of CLOCK_BOOTTIME minus
 * CLOCK_MONOTONIC. 0: it did not sleep; small differences come from reading the
 * clocks one after the other. */
struct span wake_slept(struct span ahead_before, struct span ahead_now);

#endif
