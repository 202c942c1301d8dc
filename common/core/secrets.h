/*
 * secrets - derives keys from the mesh's shared secret and from a node's key
 * [P-2.6].
 */
#ifndef COMMON_CORE_SECRETS_H
#define COMMON_CORE_SECRETS_H

#include "common/wire/ids.h"

struct mesh_secret {
    uint8_t key[32];
};

/* Each key is BLAKE2b-256 keyed by the mesh secret, over the label named here.
 */
struct mesh_keys {
    uint8_t beacon[32];       /* "zs1 beacon key" */
    uint8_t announcement[32]; /* "zs1 announcement key" */
    uint8_t psk[32];          /* "zs1 noise psk" */
    uint8_t group[32];        /* "zs1 group key" */
};

struct curve_pair {
    uint8_t public_key[32];
    uint8_t secret_key[32];
};

/* Derives all four keys; the caller wipes them. */
void mesh_keys_derive(struct mesh_keys *keys, const struct mesh_secret *secret);
/* The X25519 key pair that belongs to an Ed25519 secret key (64 bytes, its
 * public half included). */
void curve_pair_of_node(struct curve_pair *pair,
                        const uint8_t node_secret_key[64]);
/* A new key pair from 32 random bytes. */
void curve_pair_generate(struct curve_pair *pair, const uint8_t seed[32]);

#endif
