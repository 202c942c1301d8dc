/*
 * resume - reports that the host resumed from sleep.
 *
 * While the host sleeps CLOCK_MONOTONIC stands still, so the node's own time
 * shows no gap. CLOCK_BOOTTIME goes on, and a timer on that clock fires as soon
 * as the host resumes.
 */
#ifndef EDGE_SHELL_RESUME_H
#define EDGE_SHELL_RESUME_H

#include "common/base/instant.h"

#include <uv.h>

struct resume;

/* Calls `woke` after each sleep. NULL if the system has no such timer. */
struct resume *resume_open(uv_loop_t *loop,
                           void (*woke)(void *context, struct span slept),
                           void *context);
/* The memory is freed once the loop ran. NULL-safe. */
void resume_close(struct resume **self);

/* How long the host slept between two measurements of CLOCK_BOOTTIME minus
 * CLOCK_MONOTONIC. 0: it did not sleep; small differences come from reading the
 * clocks one after the other. */
struct span resume_slept(struct span ahead_before, struct span ahead_now);

#endif
