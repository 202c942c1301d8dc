#include "common/core/secrets.h"

#include <sodium.h>

static void derive(uint8_t key[32], const struct mesh_secret *secret,
                   const char *label)
{
    crypto_generichash(key, 32, (const uint8_t *)label, strlen(label),
                       secret->key, sizeof(secret->key));
}

void mesh_keys_derive(struct mesh_keys *keys, const struct mesh_secret *secret)
{
    derive(keys->beacon, secret, "zs1 beacon key");
    derive(keys->announcement, secret, "zs1 announcement key");
    derive(keys->psk, secret, "zs1 noise psk");
    derive(keys->group, secret, "zs1 group key");
}

void curve_pair_of_node(struct curve_pair *pair,
                        const uint8_t node_secret_key[64])
{
    /* The X25519 secret is the clamped first half of the seed's SHA-512. The
     * call cannot fail. */
    (void)crypto_sign_ed25519_sk_to_curve25519(pair->secret_key,
                                               node_secret_key);
    (void)crypto_scalarmult_base(pair->public_key, pair->secret_key);
}

void curve_pair_generate(struct curve_pair *pair, const uint8_t seed[32])
{
    memcpy(pair->secret_key, seed, sizeof(pair->secret_key));
    (void)crypto_scalarmult_base(pair->public_key, pair->secret_key);
}
