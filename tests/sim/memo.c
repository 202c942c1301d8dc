/*
 * memo - remembers which signatures are good.
 *
 * In a simulated mesh one process makes each signature and verifies it many
 * times. The result for the same bytes is the same, so the linker (--wrap)
 * leads the calls here. Only bytes that were never seen are really verified.
 */
#include <sodium.h>

#include <string.h>

enum { SLOTS = 1 << 14, HASH_SIZE = 32 };

int __wrap_crypto_sign_verify_detached(const unsigned char *sig,
                                       const unsigned char *m,
                                       unsigned long long size,
                                       const unsigned char *public_key);
int __wrap_crypto_sign_detached(unsigned char *sig,
                                unsigned long long *sig_size,
                                const unsigned char *m, unsigned long long size,
                                const unsigned char *secret_key);

static struct memo_slot {
    unsigned char hash[HASH_SIZE];
    int answer;
} slots[SLOTS];

static struct memo_slot *find(const unsigned char *sig, const unsigned char *m,
                              unsigned long long size,
                              const unsigned char *public_key,
                              unsigned char hash[HASH_SIZE])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, public_key, crypto_sign_PUBLICKEYBYTES,
                            HASH_SIZE);
    crypto_generichash_update(&state, sig, crypto_sign_BYTES);
    crypto_generichash_update(&state, m, size);
    crypto_generichash_final(&state, hash, HASH_SIZE);
    return &slots[(hash[0] | (unsigned)hash[1] << 8) % SLOTS];
}

static void keep(struct memo_slot *slot, const unsigned char hash[HASH_SIZE],
                 int answer)
{
    memcpy(slot->hash, hash, HASH_SIZE);
    slot->answer = answer;
}

int __wrap_crypto_sign_verify_detached(const unsigned char *sig,
                                       const unsigned char *m,
                                       unsigned long long size,
                                       const unsigned char *public_key)
{
    unsigned char hash[HASH_SIZE];
    struct memo_slot *slot = find(sig, m, size, public_key, hash);

    if (memcmp(slot->hash, hash, HASH_SIZE) != 0)
        keep(slot, hash,
             crypto_sign_ed25519_verify_detached(sig, m, size, public_key));
    return slot->answer;
}

int __wrap_crypto_sign_detached(unsigned char *sig,
                                unsigned long long *sig_size,
                                const unsigned char *m, unsigned long long size,
                                const unsigned char *secret_key)
{
    unsigned char hash[HASH_SIZE];
    const unsigned char *public_key =
        secret_key + crypto_sign_SECRETKEYBYTES - crypto_sign_PUBLICKEYBYTES;
    int result =
        crypto_sign_ed25519_detached(sig, sig_size, m, size, secret_key);

    keep(find(sig, m, size, public_key, hash), hash, 0);
    return result;
}
