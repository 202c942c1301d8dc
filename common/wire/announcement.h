/*
 * announcement - what a node says of itself, signed with its own key [P-3].
 *
 *     u32 magic "ZSA1" | u16 n, certificate | u64 epoch | u32 serial | u8 flags
 *     | link key 32 | u64 revocation serial
 *     | u8 count, (u8 kind, u8 family, ip 4 or 16, u16 port)*
 *     | u8 count, (u8 n, group)* | u32 n, info | signature 64
 *
 * The signature covers "zs1 announcement" and all bytes before itself. A larger
 * (epoch, serial) replaces a smaller one. A PARTIAL one leaves info and groups
 * out so that it fits into a datagram [P-3.4].
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
    /* Sealed for a relay's roster: nonce and tag around it [P-3.6]. */
    SEALED_ANNOUNCEMENT_SIZE = ANNOUNCEMENT_SIZE + 24 + 16,
};

enum candidate_kind {
    CANDIDATE_HOST = 1,  /* an address of an interface */
    CANDIDATE_RELAY = 2, /* where a relay saw the node come from */
    CANDIDATE_STUN = 3,
};

struct candidate {
    enum candidate_kind kind;
    struct address address; /* the port is that of the node's listener */
};

struct announcement {
    struct bytes certificate; /* borrowed: encoded */
    struct epoch epoch;
    uint32_t serial;
    bool partial;
    bool aes; /* its processor has AES-256-GCM: streams may use it [P-9.3] */
    struct curve_key link_key; /* CURVE key of this process's links [P-5.1] */
    uint64_t revocation_serial;
    uint8_t candidate_count;
    struct candidate candidates[ANNOUNCEMENT_CANDIDATES];
    uint8_t group_count;
    char groups[ANNOUNCEMENT_GROUPS][NAME_MAX_SIZE + 1];
    struct bytes info; /* borrowed: JSON text of one object, may be empty */
};

/* Signs with the node's Ed25519 secret key. `room` has ANNOUNCEMENT_SIZE. An
 * info over ANNOUNCEMENT_INFO_SIZE is the caller's bug. */
struct bytes announcement_sign(const struct announcement *a,
                               const uint8_t node_secret_key[64],
                               uint8_t *room);

/* Decodes, checking bounds only; the views point into `bytes`. */
bool announcement_decode(struct bytes bytes, struct announcement *a) MUST_USE;

/* True if the announcement (encoded) is signed by this node. */
bool announcement_signed_by(struct bytes bytes,
                            const struct node_id *node) MUST_USE;

/*
 * Seals an announcement for the relay's roster with the mesh's announcement
 * key (32 bytes) and a fresh random nonce (24 bytes). `room` has the size of
 * the announcement + 40. Opening answers an empty view if it is not authentic;
 * its `room` has the size of the sealed one.
 */
struct bytes announcement_seal(struct bytes announcement, const uint8_t key[32],
                               const uint8_t nonce[24], uint8_t *room);
struct bytes announcement_open(struct bytes sealed, const uint8_t key[32],
                               uint8_t *room);

#endif
