/*
 * seal - one direction pair of transport keys: seals and opens packets [P-6.3].
 *
 * The nonce is 4 zero bytes and the packet number, little-endian. Numbers are
 * never used twice; a window of SEAL_WINDOW numbers drops what came before.
 */
#ifndef COMMON_CORE_SEAL_H
#define COMMON_CORE_SEAL_H

#include "common/core/aead.h"

enum {
    SEAL_TAG_SIZE = AEAD_TAG_SIZE,
    SEAL_NONCE_SIZE = AEAD_NONCE_SIZE,
    SEAL_WINDOW = 4096,
};

/* A packet number as a nonce. */
void seal_nonce(uint64_t number, uint8_t nonce[SEAL_NONCE_SIZE]);

struct seal {
    struct aead send, receive;
    uint64_t next_number; /* to send */
    uint64_t highest;     /* received; 0: none yet, numbers start at 1 */
    uint64_t seen[SEAL_WINDOW / 64];
};

/* The keys are those of a handshake. AES gets keys made of them, so that none
 * is ever used with two ciphers. To be wiped; it is moved as a struct aead is.
 */
void seal_init(struct seal *s, enum cipher cipher, const uint8_t send_key[32],
               const uint8_t receive_key[32]);
/* True once either key has done its share: time for new ones. */
bool seal_is_worn(const struct seal *s);
/* Takes the next number and seals `plain` to `sealed`, which is SEAL_TAG_SIZE
 * longer and may begin where it does; `header` is authenticated too. The number
 * goes into the header before: see seal_number. */
uint64_t seal_number(const struct seal *s);
void seal_close(struct seal *s, struct bytes header, struct bytes plain,
                uint8_t *sealed);
enum seal_verdict { SEAL_OPENED, SEAL_REPLAYED, SEAL_FORGED };
/* Opens `size` bytes (tag included) from `sealed` to `data`, which may be the
 * same place; the plain text is SEAL_TAG_SIZE shorter. */
enum seal_verdict seal_open(struct seal *s, uint64_t number,
                            struct bytes header, struct bytes sealed,
                            uint8_t *data) MUST_USE;
void seal_wipe(struct seal *s);

#endif
