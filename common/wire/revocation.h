/*
 * revocation - the mesh's signed list of nodes that are no longer members
 * [P-2.5].
 *
 *     u32 magic "ZSR1" | mesh 32 | u64 serial | u32 count | node 32 *
 *     | signature 64
 *
 * The mesh's key signs "zs1 revocation" and all bytes before the signature. The
 * list with the larger serial replaces the other; nodes are only ever added.
 */
#ifndef COMMON_WIRE_REVOCATION_H
#define COMMON_WIRE_REVOCATION_H

#include "common/base/bytes.h"
#include "common/wire/ids.h"

enum {
    REVOCATION_NODES = 1024,
    REVOCATION_SIZE = 4 + 32 + 8 + 4 + 32 * REVOCATION_NODES + 64,
};

struct revocation {
    struct mesh_id mesh;
    uint64_t serial;
    uint32_t count;
    const uint8_t *nodes; /* borrowed: `count` keys of 32 bytes */
};

/* Encodes and signs with the mesh's Ed25519 secret key. `buffer` needs
 * REVOCATION_SIZE bytes; the result lies in it. r->count must be at most
 * REVOCATION_NODES. */
struct bytes revocation_sign(const struct revocation *r,
                             const uint8_t mesh_secret_key[64],
                             uint8_t *buffer);
/* Decodes and checks the signature with the mesh id in the list itself; the
 * caller must compare that id with its own mesh. The views point into `bytes`.
 */
bool revocation_check(struct bytes bytes, struct revocation *r) MUST_USE;
/* True if the list contains the node. */
bool revocation_has(const struct revocation *r, const struct node_id *node);

#endif
