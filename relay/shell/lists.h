/*
 * lists - the revocation lists on the relay's disk: those that the settings
 * name, a revoked.zs that was put beside its key, and those that reached it
 * from edges, kept there as revoked-MESH.zs.
 */
#ifndef RELAY_SHELL_LISTS_H
#define RELAY_SHELL_LISTS_H

#include "common/base/bytes.h"
#include "common/conf/relay_conf.h"
#include "common/io/keeper.h"

/* Called for each list that was read; its signature is good. */
typedef void lists_found(void *context, struct bytes list);

/* Reads all there are. What cannot be read is told in the log. */
void lists_read(const struct relay_conf *conf, lists_found *found,
                void *context);
/* Of what lists_keep has written. */
struct keeper *lists_keeper(uv_loop_t *loop);
/* Keeps a list that came from an edge, and tells in the log whether it could:
 * revocation_kept, revocation_not_kept. `k` may be NULL: it cannot. */
void lists_keep(struct keeper *k, const struct relay_conf *conf,
                const struct mesh_id *mesh, struct bytes list);

#endif
