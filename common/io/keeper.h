/*
 * keeper - writes whole files on a thread of its own, as a disk can hang.
 *
 * One file at a time, in order; of a file that waits only the newest content is
 * written. Made for lists that come from the network and are to be there after
 * a restart.
 */
#ifndef COMMON_IO_KEEPER_H
#define COMMON_IO_KEEPER_H

#include "common/base/bytes.h"

#include <stdio.h>
#include <uv.h>

enum { KEEPER_WAITING = 1024, KEEPER_CLOSE_MS = 300 };

struct keeper;

struct keeper_calls {
    void *context;
    /* On the thread. False, with why in `errors`, if it cannot. */
    bool (*write)(const char *path, struct bytes content, FILE *errors);
    /* On the loop. `errors`: lines, may be changed; empty if it is good. */
    void (*done)(void *context, const char *path, bool good, char *errors);
};

/* NULL if the system gives no descriptor. Keeps no loop alive. */
struct keeper *keeper_open(uv_loop_t *loop, const struct keeper_calls *calls);
/* Copies both. False if too many wait, or there is no thread. */
bool keeper_put(struct keeper *k, const char *path,
                struct bytes content) MUST_USE;
/* Waits a moment for what is being written; a disk that hangs longer loses what
 * waits. The loop must run until it is done. NULL-safe. */
void keeper_close(struct keeper **self);

#endif
