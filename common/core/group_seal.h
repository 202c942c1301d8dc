/*
 * group_seal - a group's tag, and the seal and signature of its packets [P-9].
 *
 * A packet is sealed once under the sender's key for the group, which all its
 * receivers know. By a relay it is signed too, or any of them could speak as
 * the sender.
 */
#ifndef COMMON_CORE_GROUP_SEAL_H
#define COMMON_CORE_GROUP_SEAL_H

#include "common/core/aead.h"
#include "common/wire/multicast.h"

/* The tag of a group's name under the mesh's group key (32 bytes) [P-9.1]. */
struct group_tag group_tag_of(const uint8_t mesh_group_key[32],
                              struct bytes name);

/*
 * Writes a packet: header, then `content` sealed under `key`. The number must
 * never have been used with this key. Room: MULTICAST_HEADER_SIZE,
 * the content and MULTICAST_SEAL_SIZE.
 */
void group_seal(const struct multicast_packet *header, const struct aead *key,
                struct bytes content, struct writer *w);
/* Opens to `content`, which may be where the sealed bytes are and has their
 * size less MULTICAST_SEAL_SIZE. False: forged. */
bool group_open(const struct multicast_packet *m, const struct aead *key,
                uint8_t *content) MUST_USE;

/* Signs an encoded packet with the node's Ed25519 key [P-9.3]. */
void group_sign(struct bytes packet, const uint8_t node_secret_key[64],
                uint8_t signature[SIGNATURE_SIZE]);
bool group_signed_by(const struct multicast_packet *m,
                     const struct node_id *node) MUST_USE;

#endif
