/*
 * aead - the two ciphers that seal packets, behind one interface [P-6.3].
 *
 * ChaCha20-Poly1305 (RFC 8439) runs everywhere. AES-256-GCM (NIST SP 800-38D)
 * is faster, but needs instructions of the processor; this module does not
 * check for them: the caller of aead_init must know that the processor has
 * them. The key schedule is computed once, so a small packet does not pay for
 * it.
 *
 * libsodium seals small packets, OpenSSL large ones. Both implement the same
 * ciphers: libsodium costs less for each packet, OpenSSL less for each byte.
 *
 * One key seals at most aead_limit packets, and each under a nonce of its own.
 * A struct aead may be moved by copying it; aead_wipe is then called for one of
 * the copies.
 */
#ifndef COMMON_CORE_AEAD_H
#define COMMON_CORE_AEAD_H

#include "common/base/bytes.h"

#include <sodium.h>

enum {
    AEAD_KEY_SIZE = 32,
    AEAD_NONCE_SIZE = 12,
    AEAD_TAG_SIZE = 16,
    /* From this many bytes on OpenSSL is faster with either cipher. */
    AEAD_LARGE = 2048,
};

enum cipher { CIPHER_CHACHA, CIPHER_AES };

/* A key with its precomputed state. */
struct aead {
    enum cipher cipher;
    /* OpenSSL's state, 1.2 KiB. NULL if OpenSSL's configuration excludes the
     * cipher, or if there was no memory: libsodium then seals everything. */
    struct evp_cipher_ctx_st *large;
    union {
        uint8_t key[AEAD_KEY_SIZE];
        crypto_aead_aes256gcm_state aes; /* its type is aligned to 16 bytes */
    };
};

/* The number of packets that one key may seal [P-6.3]. */
uint64_t aead_limit(enum cipher cipher);

/* `a` may be uninitialized. Call aead_wipe before another aead_init. */
void aead_init(struct aead *a, enum cipher cipher,
               const uint8_t key[AEAD_KEY_SIZE]);

/* Encrypts `plain` to `sealed` and authenticates `header` with it. `sealed`
 * needs AEAD_TAG_SIZE bytes more than `plain` has, and may begin at the same
 * address. */
void aead_seal(const struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE],
               struct bytes header, struct bytes plain, uint8_t *sealed);
/* Decrypts `sealed` to `plain`, which may begin at the same address. False if
 * the packet is forged or shorter than a tag; the content of `plain` is then
 * undefined. */
bool aead_open(const struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE],
               struct bytes header, struct bytes sealed,
               uint8_t *plain) MUST_USE;

/* Erases the key and frees OpenSSL's state. Does nothing to a zeroed struct. */
void aead_wipe(struct aead *a);

#endif
