#include "common/core/one_time_mac.h"

#include "common/base/hex.h"
#include "tests/unit/kit.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

enum { LONGEST = 64 * 1024 + 100 };

static struct one_time_mac *mac;

static int setup(void **state)
{
    (void)state;
    mac = one_time_mac_new();
    return mac != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    one_time_mac_free(&mac);
    assert_null(mac);
    one_time_mac_free(&mac);
    return 0;
}

/* RFC 8439, 2.5.2. */
static void it_is_poly1305(void **state)
{
    uint8_t key[ONE_TIME_MAC_KEY], expected[ONE_TIME_MAC_TAG],
        tag[ONE_TIME_MAC_TAG];
    (void)state;

    assert_true(hex_decode("85d6be7857556d337f4452fe42d506a8"
                           "0103808afb0db2fd4abff6af4149f51b",
                           key, sizeof key));
    assert_true(hex_decode("a8061dc1305136c6c22b8baf0c0127a9", expected,
                           sizeof expected));
    assert_true(one_time_mac_make(
        mac, key, bytes_of_string("Cryptographic Forum Research Group"), tag));
    assert_memory_equal(tag, expected, sizeof expected);
}

static uint8_t text[LONGEST];

static void check_size(size_t size)
{
    uint8_t key[ONE_TIME_MAC_KEY], ours[ONE_TIME_MAC_TAG],
        other[ONE_TIME_MAC_TAG];

    randombytes_buf(key, sizeof key);
    assert_true(one_time_mac_make(mac, key, bytes_of(text, size), ours));
    crypto_onetimeauth(other, text, size, key);
    assert_memory_equal(ours, other, sizeof ours);
}

/* One state makes all of these, each under a key of its own. */
static void it_equals_libsodium_at_every_size(void **state)
{
    (void)state;
    randombytes_buf(text, sizeof text);
    for (size_t size = 0; size <= 1200; size++)
        check_size(size);
    for (size_t size = 1200; size <= sizeof text; size += size / 7)
        check_size(size);
    for (size_t size = sizeof text - 40; size <= sizeof text; size++)
        check_size(size);
}

/* As on a system whose OpenSSL lacks the function. The program's own errors
 * stay. */
static void there_is_none_without_openssls(void **state)
{
    (void)state;
    ERR_clear_error();
    assert_null(EVP_MAC_fetch(NULL, "no such function", NULL));
    unsigned long before = ERR_peek_last_error();
    assert_int_not_equal(before, 0);
    assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
    assert_null(one_time_mac_new());
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(ERR_get_error(), before);
    assert_int_equal(ERR_get_error(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_poly1305, setup, teardown),
        cmocka_unit_test_setup_teardown(it_equals_libsodium_at_every_size,
                                        setup, teardown),
        cmocka_unit_test(there_is_none_without_openssls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
