#include "kit.h"

#include "common/base/hex.h"
#include "common/core/digest.h"

#include <sodium.h>
#include <string.h>

static uint8_t large[64 * 1024 + 1];

static void assert_digest(struct digest *d, struct bytes bytes,
                          const char *expected)
{
    uint8_t out[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];

    digest_of(d, bytes, out);
    hex_encode(bytes_of(out, sizeof out), hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4's examples (NIST, "SHA-256"), twice with one digest. */
static void assert_vectors(struct digest *d)
{
    for (int i = 0; i < 2; i++) {
        assert_digest(d, bytes_of_string("abc"),
                      "ba7816bf8f01cfea414140de5dae2223"
                      "b00361a396177a9cb410ff61f20015ad");
        assert_digest(d,
                      bytes_of_string("abcdbcdecdefdefgefghfghighij"
                                      "hijkijkljklmklmnlmnomnopnopq"),
                      "248d6a61d20638b8e5c026930c3e6039"
                      "a33ce45964ff2167f6ecedd419db06c1");
        assert_digest(d, bytes_of(NULL, 0),
                      "e3b0c44298fc1c149afbf4c8996fb924"
                      "27ae41e4649b934ca495991b7852b855");
    }
}

static void it_is_sha_256(void **state)
{
    (void)state;
    struct digest d;
    uint8_t ours[DIGEST_SIZE], other[DIGEST_SIZE];
    digest_init(&d);
    assert_non_null(d.context);
    assert_vectors(&d);
    randombytes_buf(large, sizeof large);
    digest_of(&d, bytes_of(large, sizeof large), ours);
    crypto_hash_sha256(other, large, sizeof large);
    assert_memory_equal(ours, other, sizeof ours);
    digest_close(&d);
}

static void without_openssl_it_is_the_same(void **state)
{
    (void)state;
    struct digest d = {0};
    assert_vectors(&d);
    digest_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_sha_256),
        cmocka_unit_test(without_openssl_it_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
