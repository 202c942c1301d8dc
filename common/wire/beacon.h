/*
 * beacon - datagrams by which the nodes of a LAN find each other [P-4].
 *
 *     "ZSB" | u8 '0' + version | mesh tag 8 | nonce 24 | sealed {
 *         u8 kind | u64 counter | u64 cookie | u64 echo | whom 32 | u8 reason
 *         | from version 2: u64 unix seconds | u16 n, announcement
 *         | signature 64 } | tag 16
 *
 * Sealed by XChaCha20-Poly1305 under the mesh's beacon key, magic and mesh tag
 * as associated data; the signature is the node's over "zs1 beacon" and the
 * sealed bytes before it.
 */
#ifndef COMMON_WIRE_BEACON_H
#define COMMON_WIRE_BEACON_H

#include "common/wire/announcement.h"

enum { BEACON_SIZE = 1400, BEACON_OVERHEAD = 36 + 16 + 68 + 64 };

enum beacon_kind {
    BEACON_HERE = 1,   /* multicast, or unicast as an answer or a question */
    BEACON_BYE = 2,    /* this process ends */
    BEACON_REFUSE = 3, /* `whom` was refused, for `reason` */
};

/* Why a node refuses another [P-4.8]; also on links and by the relay. */
enum refusal {
    REFUSAL_NONE = 0,
    REFUSAL_WRONG_MESH = 1,
    REFUSAL_FORGED = 2,
    REFUSAL_EXPIRED = 3,
    REFUSAL_NOT_YET = 4,
    REFUSAL_REVOKED = 5,
    REFUSAL_NAME_TAKEN = 6,
    REFUSAL_VERSION = 7,
    REFUSAL_MALFORMED = 8,
    REFUSAL_KEY_MISMATCH = 9,  /* not the key that the connection proved */
    REFUSAL_REPLACED = 10,     /* the same node connected anew */
    REFUSAL_MESH_UNKNOWN = 11, /* the relay does not serve the mesh */
    REFUSAL_FULL = 12,         /* a limit on edges */
    REFUSAL_NO_PEER = 13,      /* forwarding: not connected here */
    REFUSAL_QUEUE_FULL = 14,   /* forwarding: the receiver's queue is full */
    REFUSAL_TOO_LARGE = 15,
    REFUSAL_SHUTDOWN = 16,
};

/* "expired", "name_taken", ...; "unknown" for a number from the wire that is
 * none of these. */
const char *refusal_name(uint8_t reason);
/* The refusal that says what the certificate's check found. */
enum refusal refusal_of(enum certificate_verdict verdict);

struct beacon {
    uint8_t version; /* its layout's [P-1.3] */
    enum beacon_kind kind;
    uint64_t counter;          /* grows within an epoch */
    uint64_t cookie;           /* the sender's, one for each process */
    uint64_t echo;             /* the addressee's cookie, or 0 */
    struct node_id whom;       /* the addressee or refused node, or zeros */
    uint8_t reason;            /* an enum refusal, with REFUSE */
    uint64_t unix_seconds;     /* the sender's clock; 0: it has none */
    struct bytes announcement; /* borrowed: encoded, of the sender */
};

/* The mesh's 8-byte tag: BLAKE2b of its id, "zs1 tag". */
void mesh_tag(const struct mesh_id *mesh, uint8_t tag[8]);

enum beacon_verdict {
    BEACON_OPENED,
    BEACON_NOT_OURS,      /* not one of these datagrams */
    BEACON_WRONG_MESH,    /* another mesh's tag */
    BEACON_OTHER_VERSION, /* our tag; only b->version can be read */
    BEACON_NOT_AUTHENTIC, /* our tag, but it does not open or parse */
};

/* Signs and seals; `nonce` is fresh and random. `room` has BEACON_SIZE. An
 * empty view if it does not fit. */
struct bytes beacon_seal(const struct beacon *b, const struct mesh_id *mesh,
                         const uint8_t beacon_key[32], const uint8_t nonce[24],
                         const uint8_t node_secret_key[64], uint8_t *room);

/* Opens into `room` (BEACON_SIZE); the beacon's views point into it. The
 * node's signature is not checked yet: *opened is for beacon_signed_by. */
enum beacon_verdict beacon_open(struct bytes datagram,
                                const struct mesh_id *mesh,
                                const uint8_t beacon_key[32], uint8_t *room,
                                struct beacon *b, struct bytes *opened);

/* True if the opened beacon is signed by this node. */
bool beacon_signed_by(struct bytes opened, const struct node_id *node) MUST_USE;

#endif
