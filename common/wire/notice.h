/*
 * notice - one node's signed word to another that it refuses it [P-7.8].
 *
 *     u32 magic "ZSR1" | u8 reason | whom 32 | u64 whom's epoch
 *     | u64 own epoch | u64 counter | u64 unix seconds | signature 64
 *
 * It travels by a relay, sealed as an announcement is (XChaCha20-Poly1305 under
 * the mesh's announcement key), so that the relay neither reads nor makes one.
 * The signature covers "zs1 notice" and all bytes before itself. Who is refused
 * for the time answers with the same packet and no reason: it tells its clock.
 */
#ifndef COMMON_WIRE_NOTICE_H
#define COMMON_WIRE_NOTICE_H

#include "common/base/bytes.h"
#include "common/wire/ids.h"

enum { NOTICE_SIZE = 4 + 1 + 32 + 4 * 8 + 64, SEALED_NOTICE_SIZE = 173 };

struct notice {
    uint8_t reason; /* enum refusal; NONE: an answer */
    struct node_id whom;
    struct epoch whom_epoch;
    struct epoch epoch;    /* the writer's */
    uint64_t counter;      /* grows within its epoch, with that of its INITs */
    uint64_t unix_seconds; /* the writer's clock; 0: it has none */
};

/* Signs and seals; `nonce` is fresh and random. `room` has SEALED_NOTICE_SIZE.
 */
struct bytes notice_seal(const struct notice *m, const uint8_t key[32],
                         const uint8_t nonce[24],
                         const uint8_t node_secret_key[64], uint8_t *room);

/* Opens into `room` (SEALED_NOTICE_SIZE); false if it is none, or was not
 * sealed for this mesh. Its signature is not checked yet: *opened is for
 * notice_signed_by. */
bool notice_open(struct bytes sealed, const uint8_t key[32], uint8_t *room,
                 struct notice *m, struct bytes *opened) MUST_USE;
bool notice_signed_by(struct bytes opened, const struct node_id *node) MUST_USE;

#endif
