#include "common/core/aead.h"

#include <string.h>

_Static_assert(AEAD_KEY_SIZE == crypto_aead_chacha20poly1305_ietf_KEYBYTES &&
                   AEAD_KEY_SIZE == crypto_aead_aes256gcm_KEYBYTES,
               "one size of key");
_Static_assert(AEAD_NONCE_SIZE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES &&
                   AEAD_NONCE_SIZE == crypto_aead_aes256gcm_NPUBBYTES,
               "one size of nonce");
_Static_assert(AEAD_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES &&
                   AEAD_TAG_SIZE == crypto_aead_aes256gcm_ABYTES,
               "one size of tag");

uint64_t aead_limit(enum cipher cipher)
{
    switch (cipher) {
    case CIPHER_CHACHA:
        return (uint64_t)1 << 32;
    case CIPHER_AES:
        /* Of 2^12 blocks each, 2^35 in all: they are told from random ones
         * with a probability of 2 * (2^35)^2 / 2^128 (RFC 9001, B.1). */
        return (uint64_t)1 << 23;
    }
    return 0;
}

void aead_init(struct aead *a, enum cipher cipher,
               const uint8_t key[AEAD_KEY_SIZE])
{
    memset(a, 0, sizeof(*a));
    a->cipher = cipher;
    switch (cipher) {
    case CIPHER_CHACHA:
        memcpy(a->key, key, sizeof(a->key));
        return;
    case CIPHER_AES:
        ASSERT(crypto_aead_aes256gcm_beforenm(&a->aes, key) == 0);
        return;
    }
}

void aead_seal(const struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE],
               struct bytes header, struct bytes plain, uint8_t *sealed)
{
    switch (a->cipher) {
    case CIPHER_CHACHA:
        crypto_aead_chacha20poly1305_ietf_encrypt(
            sealed, NULL, plain.data, plain.size, header.data, header.size,
            NULL, nonce, a->key);
        return;
    case CIPHER_AES:
        crypto_aead_aes256gcm_encrypt_afternm(
            sealed, NULL, plain.data, plain.size, header.data, header.size,
            NULL, nonce, &a->aes);
        return;
    }
}

bool aead_open(const struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE],
               struct bytes header, struct bytes sealed, uint8_t *plain)
{
    switch (a->cipher) {
    case CIPHER_CHACHA:
        return crypto_aead_chacha20poly1305_ietf_decrypt(
                   plain, NULL, NULL, sealed.data, sealed.size, header.data,
                   header.size, nonce, a->key) == 0;
    case CIPHER_AES:
        return crypto_aead_aes256gcm_decrypt_afternm(
                   plain, NULL, NULL, sealed.data, sealed.size, header.data,
                   header.size, nonce, &a->aes) == 0;
    }
    return false;
}

void aead_wipe(struct aead *a)
{
    sodium_memzero(a, sizeof(*a));
}
