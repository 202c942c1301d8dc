#include "common/core/secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

static void each_key_is_the_secret_over_its_label(void **state)
{
    struct mesh_secret secret;
    struct mesh_keys keys;
    uint8_t expected[32];

    (void)state;
    memset(secret.key, 9, sizeof(secret.key));
    mesh_keys_derive(&keys, &secret);

    crypto_generichash(expected, 32, (const uint8_t *)"zs1 beacon key", 14,
                       secret.key, 32);
    assert_memory_equal(keys.beacon, expected, 32);
    crypto_generichash(expected, 32, (const uint8_t *)"zs1 announcement key",
                       20, secret.key, 32);
    assert_memory_equal(keys.announcement, expected, 32);
    crypto_generichash(expected, 32, (const uint8_t *)"zs1 noise psk", 13,
                       secret.key, 32);
    assert_memory_equal(keys.psk, expected, 32);
}

static void other_secrets_give_other_keys(void **state)
{
    struct mesh_secret a = {{1}}, b = {{2}};
    struct mesh_keys of_a, of_b;

    (void)state;
    mesh_keys_derive(&of_a, &a);
    mesh_keys_derive(&of_b, &b);
    assert_memory_not_equal(of_a.beacon, of_b.beacon, 32);
    assert_memory_not_equal(of_a.announcement, of_b.announcement, 32);
    assert_memory_not_equal(of_a.psk, of_b.psk, 32);
}

/* The node's X25519 public key equals the one that others compute from its id.
 */
static void pair_of_node_fits_its_public_id(void **state)
{
    uint8_t public_key[32], secret_key[64], seed[32], expected[32];
    struct curve_pair pair;

    (void)state;
    for (int i = 0; i < 20; i++) {
        memset(seed, i, sizeof(seed));
        crypto_sign_ed25519_seed_keypair(public_key, secret_key, seed);
        curve_pair_of_node(&pair, secret_key);
        assert_int_equal(
            crypto_sign_ed25519_pk_to_curve25519(expected, public_key), 0);
        assert_memory_equal(pair.public_key, expected, 32);
        assert_memory_not_equal(pair.public_key, public_key, 32);
    }
}

/* RFC 7748, section 6.1: Alice's keys. */
static void generated_pair_is_x25519(void **state)
{
    static const uint8_t seed[32] = {
        0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1,
        0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0,
        0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a};
    static const uint8_t expected[32] = {
        0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d,
        0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38,
        0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
    struct curve_pair pair;

    (void)state;
    curve_pair_generate(&pair, seed);
    assert_memory_equal(pair.public_key, expected, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_is_the_secret_over_its_label),
        cmocka_unit_test(other_secrets_give_other_keys),
        cmocka_unit_test(pair_of_node_fits_its_public_id),
        cmocka_unit_test(generated_pair_is_x25519),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
