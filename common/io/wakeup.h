/*
 * wakeup - wakes a libuv loop from any thread.
 *
 * Unlike a uv_async_t, a wakeup may still be sent after it was closed: each
 * thread that may send it holds it, and the last holder frees it.
 */
#ifndef COMMON_IO_WAKEUP_H
#define COMMON_IO_WAKEUP_H

#include "common/base/assert.h"

#include <uv.h>

struct wakeup;

/* Opens a wakeup; the caller holds it until wakeup_close. The loop calls
 * `woken` once for all wakeups sent since the last call. NULL if the system
 * gives no descriptor. */
struct wakeup *wakeup_open(uv_loop_t *loop, void (*woken)(void *context),
                           void *context) MUST_USE;
/* From now on `woken` is not called. The memory is freed once the loop has run
 * and no thread holds the wakeup. NULL is allowed. */
void wakeup_close(struct wakeup **self);

/* From any thread: a thread must hold the wakeup while it may send it. */
void wakeup_hold(struct wakeup *w);
void wakeup_release(struct wakeup *w);
void wakeup_send(struct wakeup *w);

#endif
