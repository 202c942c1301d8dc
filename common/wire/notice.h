/*
 * notice - a signed statement of one node that it refuses another, sent by a
 * relay [P-7.8].
 *
 *     u32 magic "ZSR1" | u8 reason | whom 32 | u64 whom's epoch
 *     | u64 own epoch | u64 counter | u64 unix seconds | signature 64
 *
 * A notice is sealed like an announcement (XChaCha20-Poly1305 under the mesh's
 * announcement key), so that the relay can neither read nor forge one. The
 * signature covers "zs1 notice" and all bytes before the signature. A node that
 * is refused as not_yet or expired answers with a notice without a reason,
 * which tells its clock.
 */
#ifndef COMMON_WIRE_NOTICE_H
#define COMMON_WIRE_NOTICE_H

#include "common/base/bytes.h"
#include "common/wire/ids.h"

enum { NOTICE_SIZE = 4 + 1 + 32 + 4 * 8 + 64, SEALED_NOTICE_SIZE = 173 };

struct notice {
    uint8_t reason; /* an enum refusal; REFUSAL_NONE: an answer */
    struct node_id whom;
    struct epoch whom_epoch;
    struct epoch epoch; /* the sender's */
    /* Grows within the epoch, together with that of INITs. */
    uint64_t counter;
    uint64_t unix_seconds; /* the sender's wall clock; 0: unknown */
};

/* Signs and seals; `nonce` must be new and random. `buffer` needs
 * SEALED_NOTICE_SIZE bytes; the result lies in it. */
struct bytes notice_seal(const struct notice *m, const uint8_t key[32],
                         const uint8_t nonce[24],
                         const uint8_t node_secret_key[64], uint8_t *buffer);

/* Decrypts into `buffer` (SEALED_NOTICE_SIZE bytes); false if the bytes are no
 * notice of this mesh. Does not check the signature: notice_signed_by does,
 * with `*opened`. */
bool notice_open(struct bytes sealed, const uint8_t key[32], uint8_t *buffer,
                 struct notice *m, struct bytes *opened) MUST_USE;
bool notice_signed_by(struct bytes opened, const struct node_id *node) MUST_USE;

#endif
