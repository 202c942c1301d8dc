/*
 * message_box - seals and opens what travels in one direction of a connection:
 * NaCl's crypto_box over a byte of flags and a packet [RFC 26].
 *
 * The first 16 bytes of a box's nonce are the same for the whole connection, so
 * the key that they lead to is computed once. The flags and the packet need not
 * lie side by side: a packet is encrypted straight from one buffer into
 * another.
 */
#ifndef COMMON_ZMTP_MESSAGE_BOX_H
#define COMMON_ZMTP_MESSAGE_BOX_H

#include "common/core/one_time_mac.h"

enum {
    MESSAGE_BOX_TAG = 16, /* stands before the encrypted bytes */
    MESSAGE_BOX_PREFIX = 16,
};

struct message_box {
    uint8_t key[32];
    struct one_time_mac *mac;
    bool wide; /* salsa20.h; the caller may set it after the init */
};

/* `shared` is what crypto_box_beforenm makes of both ends' keys. `mac`, which
 * is borrowed, makes the tags of large boxes; NULL: libsodium makes all. */
void message_box_init(struct message_box *b, const uint8_t shared[32],
                      const char prefix[static MESSAGE_BOX_PREFIX],
                      struct one_time_mac *mac);

/* Writes the tag, the encrypted flags and the encrypted packet: packet.size +
 * MESSAGE_BOX_TAG + 1 bytes. `out` and `packet` must not overlap. A nonce must
 * never be used twice. */
void message_box_seal(const struct message_box *b, uint64_t nonce,
                      uint8_t flags, struct bytes packet, uint8_t *out);

/* Checks the tag and decrypts in place: the flags are then box[MESSAGE_BOX_TAG]
 * and the packet follows them. `size` is that of the whole box. False, and
 * nothing is changed, if the box is not authentic. */
bool message_box_open(const struct message_box *b, uint64_t nonce, uint8_t *box,
                      size_t size) MUST_USE;

#endif
