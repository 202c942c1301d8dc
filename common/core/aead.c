#include "common/core/aead.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

/* Both ciphers have the same sizes of key, nonce and tag. */
_Static_assert(AEAD_KEY_SIZE == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "");
_Static_assert(AEAD_KEY_SIZE == crypto_aead_aes256gcm_KEYBYTES, "");
_Static_assert(AEAD_NONCE_SIZE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
               "");
_Static_assert(AEAD_NONCE_SIZE == crypto_aead_aes256gcm_NPUBBYTES, "");
_Static_assert(AEAD_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES, "");
_Static_assert(AEAD_TAG_SIZE == crypto_aead_aes256gcm_ABYTES, "");

uint64_t aead_limit(enum cipher cipher)
{
    switch (cipher) {
    case CIPHER_CHACHA:
        return (uint64_t)1 << 32;
    case CIPHER_AES:
        /* 2^23 packets of 2^12 blocks each are 2^35 blocks; an attacker tells
         * them from random bytes with a probability of 2 * (2^35)^2 / 2^128
         * (RFC 9001, B.1). */
        return (uint64_t)1 << 23;
    }
    return 0;
}

/* --- OpenSSL -------------------------------------------------------------- */

static EVP_CIPHER_CTX *large_new(enum cipher cipher, const uint8_t *key)
{
    const EVP_CIPHER *type =
        cipher == CIPHER_AES ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
    EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();

    /* The thread may belong to a program that uses OpenSSL itself: its error
     * queue must not get errors of ours. */
    ERR_set_mark();
    if (x != NULL && EVP_CipherInit_ex2(x, type, key, NULL, 1, NULL) != 1) {
        EVP_CIPHER_CTX_free(x);
        x = NULL;
    }
    ERR_pop_to_mark();
    return x;
}

static bool is_for_large(const struct aead *a, size_t size)
{
    return size >= AEAD_LARGE && a->large != NULL;
}

/* Encrypts or decrypts everything but the tag. */
static bool large_run(EVP_CIPHER_CTX *x, bool seals, const uint8_t *nonce,
                      struct bytes header, struct bytes from, uint8_t *to)
{
    int n;

    return EVP_CipherInit_ex2(x, NULL, NULL, nonce, seals, NULL) == 1 &&
           EVP_CipherUpdate(x, NULL, &n, header.data, (int)header.size) == 1 &&
           EVP_CipherUpdate(x, to, &n, from.data, (int)from.size) == 1 &&
           (size_t)n == from.size;
}

/* Can only fail if a size or the order of calls is wrong, which is a bug. */
static void large_seal(EVP_CIPHER_CTX *x, const uint8_t *nonce,
                       struct bytes header, struct bytes plain, uint8_t *sealed)
{
    uint8_t *tag = sealed + plain.size;
    int n;

    ASSERT(large_run(x, true, nonce, header, plain, sealed));
    ASSERT(EVP_CipherFinal_ex(x, tag, &n) == 1 && n == 0);
    ASSERT(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_SIZE, tag) ==
           1);
}

static bool large_open(EVP_CIPHER_CTX *x, const uint8_t *nonce,
                       struct bytes header, struct bytes sealed, uint8_t *plain)
{
    struct bytes text = bytes_of(sealed.data, sealed.size - AEAD_TAG_SIZE);
    uint8_t tag[AEAD_TAG_SIZE];
    int n;

    memcpy(tag, text.data + text.size, sizeof(tag));
    if (large_run(x, false, nonce, header, text, plain) &&
        EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_SIZE, tag) ==
            1 &&
        EVP_CipherFinal_ex(x, plain + text.size, &n) == 1)
        return true;
    sodium_memzero(plain, text.size);
    return false;
}

/* --- both libraries ---------------------------------------------------------
 */

void aead_init(struct aead *a, enum cipher cipher,
               const uint8_t key[AEAD_KEY_SIZE])
{
    memset(a, 0, sizeof(*a));
    a->cipher = cipher;
    a->large = large_new(cipher, key);
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
    if (is_for_large(a, plain.size)) {
        large_seal(a->large, nonce, header, plain, sealed);
        return;
    }
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
    if (is_for_large(a, sealed.size))
        return large_open(a->large, nonce, header, sealed, plain);
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
    EVP_CIPHER_CTX_free(a->large);
    sodium_memzero(a, sizeof(*a));
}
