/*
 * Both ciphers by their published vectors, and through the same tests.
 */
#include "common/core/aead.h"

#include "common/base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { LONGEST = 700, LARGE = 64 * 1024 };

#define ZEROS_16 "00000000000000000000000000000000"
#define GCM_KEY                                                                \
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define GCM_PLAIN_60                                                           \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"         \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_SEALED_60                                                          \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"         \
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

/*
 * AES: test cases 13 to 16 of McGrew and Viega, "The Galois/Counter Mode of
 * Operation", as submitted to NIST. ChaCha20-Poly1305: RFC 8439, 2.8.2.
 */
static const struct vector {
    enum cipher cipher;
    const char *key, *nonce, *header, *plain, *sealed;
} vectors[] = {
    {CIPHER_AES, ZEROS_16 ZEROS_16, "000000000000000000000000", "", "",
     "530f8afbc74536b9a963b4f1c4cb738b"},
    {CIPHER_AES, ZEROS_16 ZEROS_16, "000000000000000000000000", "", ZEROS_16,
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {CIPHER_AES, GCM_KEY, "cafebabefacedbaddecaf888", "",
     GCM_PLAIN_60 "1aafd255",
     GCM_SEALED_60 "898015adb094dac5d93471bdec1a502270e3cc6c"},
    {CIPHER_AES, GCM_KEY, "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_PLAIN_60,
     GCM_SEALED_60 "76fc6ece0f4e1768cddf8853bb2d551b"},
    {CIPHER_CHACHA,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
     "0691"},
};

static const uint8_t nonce[AEAD_NONCE_SIZE] = {0, 0, 0, 0, 1};

static struct bytes unhex(const char *hex, uint8_t *room)
{
    assert_true(hex_decode(hex, room, strlen(hex) / 2));
    return bytes_of(room, strlen(hex) / 2);
}

static bool can(enum cipher cipher)
{
    return cipher == CIPHER_CHACHA || crypto_aead_aes256gcm_is_available();
}

static void check_vector(const struct vector *v)
{
    uint8_t key[32], iv[12], ad[32], plain[128], expected[144], got[144];
    struct bytes header = unhex(v->header, ad);
    struct bytes text = unhex(v->plain, plain);
    struct bytes sealed = unhex(v->sealed, expected);
    struct aead a;

    unhex(v->key, key);
    unhex(v->nonce, iv);
    aead_init(&a, v->cipher, key);
    assert_int_equal(sealed.size, text.size + AEAD_TAG_SIZE);
    aead_seal(&a, iv, header, text, got);
    assert_memory_equal(got, sealed.data, sealed.size);
    assert_true(aead_open(&a, iv, header, sealed, got));
    assert_memory_equal(got, text.data, text.size);
}

static void as_published(void **state)
{
    int checked = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        if (!can(vectors[i].cipher))
            continue;
        check_vector(&vectors[i]);
        checked++;
    }
    assert_int_equal(checked, can(CIPHER_AES) ? 5 : 1);
}

static enum cipher cipher_of(void **state)
{
    enum cipher cipher = *(enum cipher *)*state;

    if (!can(cipher))
        skip();
    return cipher;
}

static void init(struct aead *a, enum cipher cipher)
{
    static const uint8_t key[32] = {1, 2, 3};

    aead_init(a, cipher, key);
}

/* The same bytes in place and elsewhere, whatever the blocks' ends are. */
static void every_length_in_place(void **state)
{
    static uint8_t text[LARGE], apart[LARGE + 16], room[LARGE + 16];
    struct bytes header = bytes_of("header", 6);
    struct aead a;

    init(&a, cipher_of(state));
    for (size_t i = 0; i < LARGE; i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
    for (size_t size = 0; size <= LARGE;
         size = size == LONGEST ? LARGE : size + 1) {
        memcpy(room, text, size);
        aead_seal(&a, nonce, header, bytes_of(room, size), room);
        aead_seal(&a, nonce, header, bytes_of(text, size), apart);
        assert_memory_equal(room, apart, size + AEAD_TAG_SIZE);
        assert_true(aead_open(&a, nonce, header,
                              bytes_of(room, size + AEAD_TAG_SIZE), room));
        assert_memory_equal(room, text, size);
    }
}

static void refuses_whatever_was_changed(void **state)
{
    static const uint8_t other_nonce[AEAD_NONCE_SIZE] = {0, 0, 0, 0, 2};
    static const uint8_t other_key[32] = {1, 2, 4};
    uint8_t text[300] = {0}, sealed[316], plain[316];
    struct bytes header = bytes_of("header", 6);
    struct bytes whole = bytes_of(sealed, sizeof sealed);
    struct aead a, b;

    init(&a, cipher_of(state));
    aead_init(&b, a.cipher, other_key);
    aead_seal(&a, nonce, header, bytes_of(text, sizeof text), sealed);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 0x80;
        assert_false(aead_open(&a, nonce, header, whole, plain));
        sealed[i] ^= 0x80;
    }
    for (size_t size = 0; size < sizeof sealed; size++)
        assert_false(
            aead_open(&a, nonce, header, bytes_of(sealed, size), plain));
    assert_false(aead_open(&a, other_nonce, header, whole, plain));
    assert_false(aead_open(&a, nonce, bytes_of("heade", 5), whole, plain));
    assert_false(aead_open(&b, nonce, header, whole, plain));
    assert_true(aead_open(&a, nonce, header, whole, plain));
}

static void wiping_leaves_nothing(void **state)
{
    static const struct aead empty;
    struct aead a;

    init(&a, cipher_of(state));
    aead_wipe(&a);
    assert_memory_equal(&a, &empty, sizeof a);
}

static void one_cipher_does_not_open_the_others(void **state)
{
    uint8_t sealed[64 + 16], plain[64] = {0};
    struct aead a, b;

    (void)state;
    if (!can(CIPHER_AES))
        skip();
    init(&a, CIPHER_CHACHA);
    init(&b, CIPHER_AES);
    aead_seal(&a, nonce, bytes_of(NULL, 0), bytes_of(plain, 64), sealed);
    assert_false(aead_open(&b, nonce, bytes_of(NULL, 0),
                           bytes_of(sealed, sizeof sealed), plain));
}

int main(void)
{
    static enum cipher chacha = CIPHER_CHACHA, aes = CIPHER_AES;
#define WITH_BOTH(test)                                                        \
    {#test " by ChaCha20-Poly1305", test, NULL, NULL, &chacha},                \
    {                                                                          \
#test " by AES-256-GCM", test, NULL, NULL, &aes                        \
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_published),
        WITH_BOTH(every_length_in_place),
        WITH_BOTH(refuses_whatever_was_changed),
        WITH_BOTH(wiping_leaves_nothing),
        cmocka_unit_test(one_cipher_does_not_open_the_others),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
