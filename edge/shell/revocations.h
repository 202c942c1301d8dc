/*
 * revocations - keeps the revocation lists that reach an edge on its disk,
 * without waiting for it.
 */
#ifndef EDGE_SHELL_REVOCATIONS_H
#define EDGE_SHELL_REVOCATIONS_H

#include "common/io/keeper.h"

/* Who is told when a list was written, or why (not NULL) it could not be. */
struct revocations_calls {
    void *context;
    void (*told)(void *context, const char *why_not);
};

/* NULL if the system gives no descriptor; keeper_close it. `calls` is borrowed
 * until then, and may be NULL. */
struct keeper *revocations_open(uv_loop_t *loop,
                                struct revocations_calls *calls);
/* False if it will not be written, nor told of. What cannot be kept is told in
 * the log: revocation_not_kept. `path` "": it is not to be kept. */
bool revocations_keep(struct keeper *k, const char *path, struct bytes list);

#endif
