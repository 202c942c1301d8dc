/*
 * mesh_folder_private - shared by mesh_folder.c and mesh_issue.c.
 */
#ifndef COMMON_CONF_MESH_FOLDER_PRIVATE_H
#define COMMON_CONF_MESH_FOLDER_PRIVATE_H

#include "common/conf/mesh_folder.h"

/* Adds a copy to the list of issued names. */
void mesh_folder_append(struct mesh_folder *m, const struct issued *issued);
/* Writes DIR/issued.yaml. False with a line on `errors`. */
bool mesh_folder_save_issued(const struct mesh_folder *m,
                             FILE *errors) MUST_USE;

#endif
