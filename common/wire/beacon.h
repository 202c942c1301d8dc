/*
 * beacon - the datagrams by which the nodes of a LAN find each other [P-4].
 *
 *     "ZSB" | u8 '0' + version | mesh tag 8 | nonce 24 | sealed {
 *         u8 kind | u64 counter | u64 cookie | u64 echo | whom 32 | u8 reason
 *         | from version 2: u64 unix seconds | u16 n, announcement
 *         | signature 64 } | tag 16
 *
 * XChaCha20-Poly1305 seals it under the mesh's beacon key, with magic and mesh
 * tag as associated data. The signature is the sending node's, over "zs1
 * beacon" and the sealed bytes before the signature.
 */
#ifndef COMMON_WIRE_BEACON_H
#define COMMON_WIRE_BEACON_H

#include "common/wire/announcement.h"

enum { BEACON_SIZE = 1400, BEACON_OVERHEAD = 36 + 16 + 68 + 64 };

enum beacon_kind {
    /* The process is there: multicast, or unicast to one node. */
    BEACON_HERE = 1,
    BEACON_BYE = 2,    /* the process ends */
    BEACON_REFUSE = 3, /* the sender refuses the node `whom`, for `reason` */
};

/* Why a node refuses another [P-4.8], or a relay an edge. The numbers are the
 * same in beacons, link packets, relay packets and notices. */
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
    /* Not the key that the connection authenticated. */
    REFUSAL_KEY_MISMATCH = 9,
    /* a newer connection or process of the node took over */
    REFUSAL_REPLACED = 10,
    REFUSAL_MESH_UNKNOWN = 11, /* the relay does not serve this mesh */
    REFUSAL_FULL = 12,         /* the limit of edges or of peers is reached */
    /* FORWARD: the destination is not connected to the relay */
    REFUSAL_NO_PEER = 13,
    REFUSAL_QUEUE_FULL = 14, /* FORWARD: the destination's queue is full */
    REFUSAL_TOO_LARGE = 15,
    REFUSAL_SHUTDOWN = 16,
};

/* "expired", "name_taken", ...; "unknown" for any other number. */
const char *refusal_name(uint8_t reason);
/* The refusal that a certificate with this verdict gets. */
enum refusal refusal_of(enum certificate_verdict verdict);

struct beacon {
    uint8_t version; /* of the beacon's layout [P-1.3] */
    enum beacon_kind kind;
    uint64_t counter;          /* grows with each beacon of the process */
    uint64_t cookie;           /* the sender's, random, one for each process */
    uint64_t echo;             /* the addressee's cookie, or 0 */
    struct node_id whom;       /* the addressee or the refused node, or zeros */
    uint8_t reason;            /* REFUSE: an enum refusal */
    uint64_t unix_seconds;     /* the sender's wall clock; 0: unknown */
    struct bytes announcement; /* borrowed: the sender's, encoded */
};

/* Writes the mesh's 8-byte tag: BLAKE2b of "zs1 tag", keyed by the mesh id. */
void mesh_tag(const struct mesh_id *mesh, uint8_t tag[8]);

enum beacon_verdict {
    BEACON_OPENED,
    BEACON_NOT_OURS,      /* not a beacon of any version */
    BEACON_WRONG_MESH,    /* it bears the tag of another mesh */
    BEACON_OTHER_VERSION, /* our tag; only b->version was read */
    BEACON_NOT_AUTHENTIC, /* our tag, but forged or malformed */
};

/* Encodes, signs and seals; `nonce` must be new and random. `buffer` needs
 * BEACON_SIZE bytes; the result lies in it. An empty view if the beacon is too
 * large. */
struct bytes beacon_seal(const struct beacon *b, const struct mesh_id *mesh,
                         const uint8_t beacon_key[32], const uint8_t nonce[24],
                         const uint8_t node_secret_key[64], uint8_t *buffer);

/* Decrypts into `buffer` (BEACON_SIZE bytes); the beacon's views point into it.
 * Does not check the node's signature: beacon_signed_by does, with `*opened`.
 */
enum beacon_verdict beacon_open(struct bytes datagram,
                                const struct mesh_id *mesh,
                                const uint8_t beacon_key[32], uint8_t *buffer,
                                struct beacon *b, struct bytes *opened);

/* True if this node signed the opened beacon. */
bool beacon_signed_by(struct bytes opened, const struct node_id *node) MUST_USE;

#endif
