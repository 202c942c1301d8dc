/*
 * seal - the two keys of a session, one for each direction: seals and opens
 * packets [P-6.3].
 *
 * The nonce is 4 zero bytes and the packet's number, little-endian. No number
 * is used twice; a window of SEAL_WINDOW numbers detects packets that came
 * before.
 */
#ifndef COMMON_CORE_SEAL_H
#define COMMON_CORE_SEAL_H

#include "common/core/aead.h"

enum {
    SEAL_TAG_SIZE = AEAD_TAG_SIZE,
    SEAL_NONCE_SIZE = AEAD_NONCE_SIZE,
    SEAL_WINDOW = 4096,
};

/* Makes the nonce for a packet number. */
void seal_nonce(uint64_t number, uint8_t nonce[SEAL_NONCE_SIZE]);

struct seal {
    struct aead send, receive;
    uint64_t next_number; /* of the next packet sent */
    uint64_t highest; /* number received; 0: none yet, as numbers start at 1 */
    uint64_t seen[SEAL_WINDOW / 64];
};

/* Takes the two keys of a finished handshake. AES uses keys derived from them,
 * so that no key serves two ciphers. The owner wipes it with seal_wipe; it may
 * be moved like a struct aead. */
void seal_init(struct seal *s, enum cipher cipher, const uint8_t send_key[32],
               const uint8_t receive_key[32]);
/* True if one of the keys has sealed as many packets as it may: the session
 * needs new keys. */
bool seal_is_worn(const struct seal *s);
/* seal_close seals `plain` to `sealed` under the next number and authenticates
 * `header` with it; `sealed` needs SEAL_TAG_SIZE bytes more and may begin at
 * the same address. seal_number tells that number beforehand, because the
 * header holds it. */
uint64_t seal_number(const struct seal *s);
void seal_close(struct seal *s, struct bytes header, struct bytes plain,
                uint8_t *sealed);
enum seal_verdict { SEAL_OPENED, SEAL_REPLAYED, SEAL_FORGED };
/* Decrypts `sealed`, whose last SEAL_TAG_SIZE bytes are the tag, to `data`,
 * which may be the same address. The replay window moves only if the packet is
 * authentic. */
enum seal_verdict seal_open(struct seal *s, uint64_t number,
                            struct bytes header, struct bytes sealed,
                            uint8_t *data) MUST_USE;
void seal_wipe(struct seal *s);

#endif
