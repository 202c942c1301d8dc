/*
 * aead - the ciphers that seal packets, behind one face [P-6.3].
 *
 * ChaCha20-Poly1305 (RFC 8439) runs everywhere. AES-256-GCM (NIST SP 800-38D)
 * is faster, but only where the processor has instructions for it: who calls
 * aead_init knows, it is not asked here. What it makes of a key beforehand is
 * kept, so that a small packet does not pay for it again.
 *
 * libsodium seals what is small, OpenSSL what is larger: the same ciphers, the
 * first with less to do for each packet, the second with less for each byte.
 *
 * One key seals at most aead_limit packets, and no two under one nonce. A
 * struct aead is moved by copying it; one of the copies is wiped.
 */
#ifndef COMMON_CORE_AEAD_H
#define COMMON_CORE_AEAD_H

#include "common/base/bytes.h"

#include <sodium.h>

enum {
    AEAD_KEY_SIZE = 32,
    AEAD_NONCE_SIZE = 12,
    AEAD_TAG_SIZE = 16,
    AEAD_LARGE = 2048, /* bytes, from which on OpenSSL is the faster by both */
};

enum cipher { CIPHER_CHACHA, CIPHER_AES };

/* A key, ready for use. */
struct aead {
    enum cipher cipher;
    /* Allocated, 1.2 KiB. NULL where OpenSSL's configuration leaves the cipher
     * out, or memory is short: libsodium seals all then. */
    struct evp_cipher_ctx_st *large;
    union {
        uint8_t key[AEAD_KEY_SIZE];
        crypto_aead_aes256gcm_state aes; /* wants to lie at 16 bytes */
    };
};

/* How many packets a key may seal [P-6.3]. */
uint64_t aead_limit(enum cipher cipher);

/* To be wiped, and before it is made anew. */
void aead_init(struct aead *a, enum cipher cipher,
               const uint8_t key[AEAD_KEY_SIZE]);

/* Seals to `sealed`, which is AEAD_TAG_SIZE longer than `plain` and may begin
 * where it does; `header` is authenticated too. */
void aead_seal(const struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE],
               struct bytes header, struct bytes plain, uint8_t *sealed);
/* Opens to `plain`, which may be where `sealed` is. False: forged, or shorter
 * than a tag; what `plain` held is gone then. */
bool aead_open(const struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE],
               struct bytes header, struct bytes sealed,
               uint8_t *plain) MUST_USE;

/* Wipes and frees; of one that is all zeroes, nothing. */
void aead_wipe(struct aead *a);

#endif
