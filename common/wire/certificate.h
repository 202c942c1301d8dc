/*
 * certificate - names a node and makes it a member of a mesh, signed with the
 * mesh's key [P-2].
 *
 *     u32 magic "ZSC1" | mesh 32 | node 32 | u64 not_before | u64 not_after
 *     | u8 n, name | u8 count, (u8 n, group)* | signature 64
 *
 * The signature covers "zs1 certificate" and all bytes before the signature.
 */
#ifndef COMMON_WIRE_CERTIFICATE_H
#define COMMON_WIRE_CERTIFICATE_H

#include "common/base/bytes.h"
#include "common/wire/ids.h"

enum { CERTIFICATE_GROUPS = 16, CERTIFICATE_SIZE = 2048 };

struct certificate {
    struct mesh_id mesh;
    struct node_id node;
    uint64_t not_before; /* Unix seconds, inclusive */
    uint64_t not_after;  /* Unix seconds, exclusive */
    char name[NAME_MAX_SIZE + 1];
    /* The groups that the node may join; an empty list allows every group. */
    uint8_t group_count;
    char groups[CERTIFICATE_GROUPS][NAME_MAX_SIZE + 1];
};

enum certificate_verdict {
    CERTIFICATE_GOOD,
    CERTIFICATE_MALFORMED,
    CERTIFICATE_WRONG_MESH,
    CERTIFICATE_FORGED, /* the signature does not match */
    CERTIFICATE_NOT_YET,
    CERTIFICATE_EXPIRED,
};

/*
 * True for a valid name of a node or group: 1 to 63 of A-Z a-z 0-9 . _ - of
 * which the first is no dot or dash [P-2.2].
 */
bool name_is_valid(struct bytes name);

/* Encodes and signs with the mesh's Ed25519 secret key (64 bytes). `buffer`
 * needs CERTIFICATE_SIZE bytes; the result lies in it. */
struct bytes certificate_sign(const struct certificate *c,
                              const uint8_t mesh_secret_key[64],
                              uint8_t *buffer);

/* Decodes without checking the signature; false if malformed. */
bool certificate_decode(struct bytes bytes, struct certificate *c) MUST_USE;

/* Decodes and checks in the order of [P-2.3], revocation excepted. Fills `c`
 * unless the verdict is MALFORMED. `unix_now` 0 skips the check of the times.
 */
enum certificate_verdict certificate_check(struct bytes bytes,
                                           const struct mesh_id *mesh,
                                           uint64_t unix_now,
                                           struct certificate *c) MUST_USE;

/* True if the node may join the group and publish to it. The group "" stands
 * for all nodes: every node may. */
bool certificate_allows(const struct certificate *c, struct bytes group);

/* "expired", "forged", ...: for logs and refusals. */
const char *certificate_verdict_name(enum certificate_verdict verdict);

/* The X25519 form of a node's Ed25519 key; false if that key is not a point of
 * the curve. */
bool node_curve_key(const struct node_id *id, struct curve_key *key) MUST_USE;

#endif
