/*
 * mesh_folder_private - what mesh_folder.c and mesh_issue.c share.
 */
#ifndef COMMON_CONF_MESH_FOLDER_PRIVATE_H
#define COMMON_CONF_MESH_FOLDER_PRIVATE_H

#include "common/conf/mesh_folder.h"

/* Adds a copy to the issued ones. */
void mesh_folder_append(struct mesh_folder *m, const struct issued *issued);
/* Writes DIR/issued.yaml. */
bool mesh_folder_save_issued(const struct mesh_folder *m,
                             FILE *errors) MUST_USE;

#endif
