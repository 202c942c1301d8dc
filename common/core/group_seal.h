/*
 * group_seal - the tag of a group, and the encryption and signature of packets
 * to a group [P-9].
 *
 * The sender encrypts a packet once, under its key for the group, which all
 * receivers know. By a relay the packet is also signed; else any of the
 * receivers could send packets in the sender's name.
 */
#ifndef COMMON_CORE_GROUP_SEAL_H
#define COMMON_CORE_GROUP_SEAL_H

#include "common/core/aead.h"
#include "common/wire/multicast.h"

/* The tag of a group's name, made with the mesh's group key (32 bytes) [P-9.1].
 */
struct group_tag group_tag_of(const uint8_t mesh_group_key[32],
                              struct bytes name);

/*
 * Writes a packet: the header, then `content` sealed under `key`.
 * header->number must be new for this key. `w` needs MULTICAST_HEADER_SIZE and
 * MULTICAST_SEAL_SIZE bytes beside the content.
 */
void group_seal(const struct multicast_packet *header, const struct aead *key,
                struct bytes content, struct writer *w);
/* Decrypts m->sealed to `content`, which may be the same address; it gets
 * MULTICAST_SEAL_SIZE bytes fewer. False if the packet is forged. */
bool group_open(const struct multicast_packet *m, const struct aead *key,
                uint8_t *content) MUST_USE;

/* Signs an encoded packet with the node's Ed25519 secret key [P-9.3]. */
void group_sign(struct bytes packet, const uint8_t node_secret_key[64],
                uint8_t signature[SIGNATURE_SIZE]);
bool group_signed_by(const struct multicast_packet *m,
                     const struct node_id *node) MUST_USE;

#endif
