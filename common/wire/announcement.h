/*
 * announcement - what a node tells the other nodes about itself, signed with
 * its own key [P-3].
 *
 *     u32 magic "ZSA1" | u16 n, certificate | u64 epoch | u32 serial | u8 flags
 *     | link key 32 | u64 revocation serial
 *     | u8 count, (u8 kind, u8 family, ip 4 or 16, u16 port)*
 *     | u8 count, (u8 n, group)* | u32 n, info | signature 64
 *
 * The signature covers "zs1 announcement" and all bytes before the signature.
 * An announcement with a larger (epoch, serial) replaces one with a smaller. A
 * PARTIAL one leaves info and groups out, so that it fits into a datagram
 * [P-3.4].
 */
#ifndef COMMON_WIRE_ANNOUNCEMENT_H
#define COMMON_WIRE_ANNOUNCEMENT_H

#include "common/base/address.h"
#include "common/wire/certificate.h"

enum {
    ANNOUNCEMENT_CANDIDATES = 16,
    ANNOUNCEMENT_GROUPS = 64,
    ANNOUNCEMENT_INFO_SIZE = 16 * 1024,
    ANNOUNCEMENT_SIZE = 24 * 1024,
    /* With the nonce and tag that seal it for a relay's roster [P-3.6]. */
    SEALED_ANNOUNCEMENT_SIZE = ANNOUNCEMENT_SIZE + 24 + 16,
};

enum candidate_kind {
    CANDIDATE_HOST = 1, /* an address of an interface */
    /* The address from which the node connected to a relay. */
    CANDIDATE_RELAY = 2,
    CANDIDATE_STUN = 3,
    /* A port that the router maps to the node. In a round's record only; an
     * announcement has it as CANDIDATE_STUN. */
    CANDIDATE_MAPPED = 4,
};

struct candidate {
    enum candidate_kind kind;
    struct address address; /* the port is that of the node's TCP listener */
};

struct announcement {
    struct bytes certificate; /* borrowed: encoded */
    struct epoch epoch;
    uint32_t serial;
    bool partial;
    bool aes; /* the processor has AES-256-GCM: streams may use it [P-9.3] */
    /* The CURVE key of this process's links [P-5.1]. */
    struct curve_key link_key;
    uint64_t revocation_serial;
    uint8_t candidate_count;
    struct candidate candidates[ANNOUNCEMENT_CANDIDATES];
    uint8_t group_count;
    char groups[ANNOUNCEMENT_GROUPS][NAME_MAX_SIZE + 1];
    struct bytes info; /* borrowed: the JSON text of one object, or empty */
};

/* Encodes and signs with the node's Ed25519 secret key. `buffer` needs
 * ANNOUNCEMENT_SIZE bytes; the result lies in it. a->info must not be larger
 * than ANNOUNCEMENT_INFO_SIZE. */
struct bytes announcement_sign(const struct announcement *a,
                               const uint8_t node_secret_key[64],
                               uint8_t *buffer);

/* Decodes; the views point into `bytes`. False if malformed. Checks neither the
 * signature nor the certificate. */
bool announcement_decode(struct bytes bytes, struct announcement *a) MUST_USE;

/* True if `bytes`, an encoded announcement, bears this node's signature. */
bool announcement_signed_by(struct bytes bytes,
                            const struct node_id *node) MUST_USE;

/*
 * Seals an announcement with the mesh's announcement key (32 bytes) and a new
 * random nonce (24 bytes), so that a relay can list it and not read it.
 * `buffer` needs 40 bytes more than the announcement has.
 *
 * announcement_open reverses that: it returns an empty view if the bytes are
 * not authentic. Its `buffer` needs as many bytes as `sealed` has.
 */
struct bytes announcement_seal(struct bytes announcement, const uint8_t key[32],
                               const uint8_t nonce[24], uint8_t *buffer);
struct bytes announcement_open(struct bytes sealed, const uint8_t key[32],
                               uint8_t *buffer);

#endif
