/*
 * revocation_files - the revocation lists on the relay's disk.
 *
 * These are the files that the settings name, a revoked.zs that somebody put
 * into the folder of the relay's key, and the lists that came from edges, which
 * the relay stores in that folder as revoked-MESH.zs.
 */
#ifndef RELAY_SHELL_REVOCATION_FILES_H
#define RELAY_SHELL_REVOCATION_FILES_H

#include "common/base/bytes.h"
#include "common/conf/relay_conf.h"
#include "common/io/file_writer.h"

/* Called for each list that revocation_files_read read; its signature is valid.
 */
typedef void revocation_files_found(void *context, struct bytes list);

/* Reads all lists. Logs each file that cannot be read. */
void revocation_files_read(const struct relay_conf *conf,
                           revocation_files_found *found, void *context);
/* The file_writer that revocation_files_keep writes through. NULL if the system
 * gives no descriptor. The caller closes it. */
struct file_writer *revocation_files_writer(uv_loop_t *loop);
/* Writes a list that came from an edge to its file, on the writer's thread, and
 * then logs the result: revocation_kept or revocation_not_kept. If `w` is NULL
 * it logs revocation_not_kept at once. */
void revocation_files_keep(struct file_writer *w, const struct relay_conf *conf,
                           const struct mesh_id *mesh, struct bytes list);

#endif
