/*
 * ids - the public keys that identify meshes and nodes, each as a type of its
 * own.
 */
#ifndef COMMON_WIRE_IDS_H
#define COMMON_WIRE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { KEY_SIZE = 32, SIGNATURE_SIZE = 64, NAME_MAX_SIZE = 63 };

/* The public half of a mesh's Ed25519 signing key. */
struct mesh_id {
    uint8_t key[KEY_SIZE];
};

/* The public half of a node's Ed25519 key. */
struct node_id {
    uint8_t key[KEY_SIZE];
};

/* An X25519 public key, for CURVE and Noise. */
struct curve_key {
    uint8_t key[KEY_SIZE];
};

/* Identifies one process of a node: a later process has a larger epoch [P-3.3].
 */
struct epoch {
    uint64_t value;
};

static inline bool node_id_equal(const struct node_id *a,
                                 const struct node_id *b)
{
    return memcmp(a->key, b->key, KEY_SIZE) == 0;
}

static inline bool mesh_id_equal(const struct mesh_id *a,
                                 const struct mesh_id *b)
{
    return memcmp(a->key, b->key, KEY_SIZE) == 0;
}

#endif
