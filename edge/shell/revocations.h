/*
 * revocations - keeps the revocation lists that reach an edge on its disk,
 * without waiting for it.
 */
#ifndef EDGE_SHELL_REVOCATIONS_H
#define EDGE_SHELL_REVOCATIONS_H

#include "common/io/keeper.h"

/* NULL if the system gives no descriptor; keeper_close it. */
struct keeper *revocations_open(uv_loop_t *loop);
/* What cannot be kept is told in the log: revocation_not_kept. `path` "": it is
 * not to be kept. */
void revocations_keep(struct keeper *k, const char *path, struct bytes list);

#endif
