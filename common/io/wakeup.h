/*
 * bell - wakes a libuv loop from any thread.
 *
 * Unlike a uv_async_t, a bell may still be rung after it was closed: every
 * thread that may ring it holds it, and the last holder frees it.
 */
#ifndef COMMON_IO_WAKEUP_H
#define COMMON_IO_WAKEUP_H

#include "common/base/assert.h"

#include <uv.h>

struct bell;

/* Opens a bell; the caller holds it until bell_close. The loop calls `heard`
 * once for all rings since the last call. NULL if the system gives no
 * descriptor. */
struct bell *bell_open(uv_loop_t *loop, void (*heard)(void *context),
                       void *context) MUST_USE;
/* From now on nothing is heard. The memory is freed once the loop has run and
 * no thread holds the bell. NULL is allowed. */
void bell_close(struct bell **self);

/* From any thread: a thread must hold the bell while it may ring it. */
void bell_hold(struct bell *b);
void bell_release(struct bell *b);
void bell_ring(struct bell *b);

#endif
