/*
 * bell - rung on any thread, heard on the loop's.
 *
 * Who may ring it last is not known when it is closed, so each who may holds
 * it.
 */
#ifndef COMMON_IO_BELL_H
#define COMMON_IO_BELL_H

#include "common/base/assert.h"

#include <uv.h>

struct bell;

/* `heard` is called once for all rings since it was called last. NULL: the
 * system has nothing left for it. */
struct bell *bell_open(uv_loop_t *loop, void (*heard)(void *context),
                       void *context) MUST_USE;
/* Nothing is heard any more. Its memory is freed once the loop ran and nobody
 * holds it. NULL-safe. */
void bell_close(struct bell **self);

/* From any thread. */
void bell_hold(struct bell *b);
void bell_release(struct bell *b);
void bell_ring(struct bell *b);

#endif
