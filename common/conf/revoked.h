/*
 * revoked - a mesh's revocation list as a file: revoked.zs. The file is no
 * secret.
 *
 * `zs mesh revoke` writes it. An edge or relay that has the file passes the
 * list on to others.
 */
#ifndef COMMON_CONF_REVOKED_H
#define COMMON_CONF_REVOKED_H

#include "common/wire/revocation.h"

#include <stdio.h>

struct revoked {
    struct revocation list; /* its views point into `bytes` */
    size_t size;
    uint8_t bytes[REVOCATION_SIZE]; /* encoded, as it is passed on */
};

/* Reads the list and checks its signature against the mesh that the list names;
 * the caller must compare that mesh with its own. False with a line on
 * `errors`. */
bool revoked_load(const char *path, struct revoked *revoked,
                  FILE *errors) MUST_USE;
/* Writes an encoded list and replaces an older file: a daemon keeps the list
 * that it received. False with a line on `errors`. */
bool revoked_save(const char *path, struct bytes list, FILE *errors) MUST_USE;

/* Writes the path of the file where a node keeps its mesh's list: `configured`,
 * or else revoked.zs beside the identity; "" if there is neither. */
enum { REVOKED_PATH_SIZE = 4096 };
void revoked_place(const char *configured, const char *identity,
                   char path[REVOKED_PATH_SIZE]);
/* Reads the list if the file exists; else `revoked` is empty (size 0). False,
 * with a line on `errors`, if the file is not a list of this mesh. */
bool revoked_of_mesh(const char *path, const struct mesh_id *mesh,
                     struct revoked *revoked, FILE *errors) MUST_USE;

#endif
