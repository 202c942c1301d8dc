#include "kit.h"

#include "common/base/hex.h"
#include "common/core/digest.h"

#include <sodium.h>

static void assert_digest(struct bytes bytes, const char *expected)
{
    uint8_t out[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];

    digest_of(bytes, out);
    hex_encode(bytes_of(out, sizeof out), hex);
    assert_string_equal(hex, expected);
}

/* NIST's examples of FIPS 180-4. */
static void it_is_sha_256(void **state)
{
    (void)state;
    assert_digest(bytes_of(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb924"
                                     "27ae41e4649b934ca495991b7852b855");
    assert_digest(bytes_of_string("abc"), "ba7816bf8f01cfea414140de5dae2223"
                                          "b00361a396177a9cb410ff61f20015ad");
    assert_digest(bytes_of_string("abcdbcdecdefdefgefghfghighij"
                                  "hijkijkljklmklmnlmnomnopnopq"),
                  "248d6a61d20638b8e5c026930c3e6039"
                  "a33ce45964ff2167f6ecedd419db06c1");
}

/* The digest is the same with and without the processor's instructions:
 * libsodium uses none. */
static void every_size_is_hashed_correctly(void **state)
{
    (void)state;
    static uint8_t text[64 * 1024 + 1];
    uint8_t ours[DIGEST_SIZE], other[DIGEST_SIZE];
    randombytes_buf(text, sizeof text);
    for (size_t size = 1; size <= sizeof text; size += size / 3 + 1) {
        digest_of(bytes_of(text, size), ours);
        crypto_hash_sha256(other, text, size);
        assert_memory_equal(ours, other, sizeof ours);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_sha_256),
        cmocka_unit_test(every_size_is_hashed_correctly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
