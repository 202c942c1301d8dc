/*
 * wake - tells when the host slept.
 *
 * While it sleeps CLOCK_MONOTONIC stands still, so the node's own time shows no
 * gap. CLOCK_BOOTTIME goes on: its timer is overdue when the host wakes, and
 * fires at once.
 */
#ifndef EDGE_SHELL_WAKE_H
#define EDGE_SHELL_WAKE_H

#include "common/base/instant.h"

#include <uv.h>

struct wake;

/* NULL where the system has no such timer; then nothing is told. */
struct wake *wake_open(uv_loop_t *loop,
                       void (*woke)(void *context, struct span slept),
                       void *context);
/* Its memory frees itself once the loop ran. NULL-safe. */
void wake_close(struct wake **self);

/* How long the host slept between two looks at how far CLOCK_BOOTTIME is ahead
 * of CLOCK_MONOTONIC; 0: it did not, the clocks were only read apart. */
struct span wake_slept(struct span ahead_before, struct span ahead_now);

#endif
