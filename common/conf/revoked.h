/*
 * revoked - a mesh's revocation list as a file: revoked.zs, no secret.
 *
 * `zs mesh revoke` makes it; an edge or a relay that is given it passes it on.
 */
#ifndef COMMON_CONF_REVOKED_H
#define COMMON_CONF_REVOKED_H

#include "common/wire/revocation.h"

#include <stdio.h>

struct revoked {
    struct revocation list; /* views into bytes */
    size_t size;
    uint8_t bytes[REVOCATION_SIZE]; /* encoded, to be passed on */
};

/* Reads and checks the signature (against the mesh that the list names, which
 * the caller compares). False with a line on `errors`. */
bool revoked_load(const char *path, struct revoked *revoked,
                  FILE *errors) MUST_USE;
/* Writes an encoded list, replacing an older file, so that a daemon can keep
 * what reached it. */
bool revoked_save(const char *path, struct bytes list, FILE *errors) MUST_USE;

/* Where a node keeps its mesh's list: `configured`, or revoked.zs beside the
 * identity; "" for nowhere. */
enum { REVOKED_PATH_SIZE = 4096 };
void revoked_place(const char *configured, const char *identity,
                   char path[REVOKED_PATH_SIZE]);
/* Reads it if there is one; without one it is empty (size 0). False, with a
 * line on `errors`, if it is not this mesh's list. */
bool revoked_of_mesh(const char *path, const struct mesh_id *mesh,
                     struct revoked *revoked, FILE *errors) MUST_USE;

#endif
