/*
 * Both ciphers by their published vectors, and through the same tests; those of
 * OpenSSL and of libsodium against each other.
 */
#include "common/core/aead.h"

#include "common/base/hex.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LONGEST = 700, LARGE = 70 * 1000 };

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
    aead_wipe(&a);
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

static const struct bytes header = {(const uint8_t *)"header", 6};
static uint8_t text[LARGE], sealed[LARGE + 16], room[LARGE + 16];

static void fill_text(void)
{
    for (size_t i = 0; i < LARGE; i++)
        text[i] = (uint8_t)(i * 7 + i / 256);
}

static void check_length(const struct aead *a, size_t size)
{
    memcpy(room, text, size);
    aead_seal(a, nonce, header, bytes_of(room, size), room);
    aead_seal(a, nonce, header, bytes_of(text, size), sealed);
    assert_memory_equal(room, sealed, size + AEAD_TAG_SIZE);
    assert_true(aead_open(a, nonce, header,
                          bytes_of(room, size + AEAD_TAG_SIZE), room));
    assert_memory_equal(room, text, size);
    memset(room, 0, size);
    assert_true(aead_open(a, nonce, header,
                          bytes_of(sealed, size + AEAD_TAG_SIZE), room));
    assert_memory_equal(room, text, size);
}

/* Sealing gives the same bytes in place and to another buffer, wherever the
 * cipher's blocks end. */
static void every_length_in_place(void **state)
{
    struct aead a;

    init(&a, cipher_of(state));
    fill_text();
    for (size_t size = 0; size <= LONGEST; size++)
        check_length(&a, size);
    for (size_t size = AEAD_LARGE - 64; size <= AEAD_LARGE + LONGEST; size++)
        check_length(&a, size);
    check_length(&a, LARGE);
    aead_wipe(&a);
}

/* As on a system whose OpenSSL lacks the cipher. */
static void init_without_openssl(struct aead *a, enum cipher cipher)
{
    init(a, cipher);
    EVP_CIPHER_CTX_free(a->large);
    a->large = NULL;
}

static void check_agreement(const struct aead *a, const struct aead *b,
                            size_t size)
{
    struct bytes whole = bytes_of(sealed, size + AEAD_TAG_SIZE);

    aead_seal(a, nonce, header, bytes_of(text, size), sealed);
    aead_seal(b, nonce, header, bytes_of(text, size), room);
    assert_memory_equal(room, sealed, size + AEAD_TAG_SIZE);
    assert_true(aead_open(a, nonce, header, whole, room));
    assert_memory_equal(room, text, size);
    assert_true(aead_open(b, nonce, header, whole, room));
    assert_memory_equal(room, text, size);
}

static void check_strangers(const struct aead *a, const struct aead *b,
                            size_t size)
{
    struct bytes whole = bytes_of(sealed, size + AEAD_TAG_SIZE);

    aead_seal(a, nonce, header, bytes_of(text, size), sealed);
    assert_false(aead_open(b, nonce, header, whole, room));
    aead_seal(b, nonce, header, bytes_of(text, size), sealed);
    assert_false(aead_open(a, nonce, header, whole, room));
}

static void both_libraries_give_the_same_bytes(void **state)
{
    struct aead a, b;

    init(&a, cipher_of(state));
    init_without_openssl(&b, a.cipher);
    assert_non_null(a.large);
    fill_text();
    for (size_t size = AEAD_LARGE - 32; size <= AEAD_LARGE + 32; size++)
        check_agreement(&a, &b, size);
    for (int i = 0; i < 300; i++)
        check_agreement(&a, &b, randombytes_uniform(LARGE + 1));
    aead_wipe(&a);
    aead_wipe(&b);
}

/* OpenSSL gets another key here, so the bytes show which library sealed. */
static void openssl_seals_what_is_large(void **state)
{
    static const uint8_t other_key[32] = {4};
    const size_t large = AEAD_LARGE;
    struct aead a, b;

    init(&a, cipher_of(state));
    init(&b, a.cipher);
    assert_int_equal(
        EVP_CipherInit_ex2(b.large, NULL, other_key, NULL, 1, NULL), 1);
    check_agreement(&a, &b, large - AEAD_TAG_SIZE - 1);
    for (size_t size = large; size <= LARGE; size += LARGE - large)
        check_strangers(&a, &b, size);
    aead_wipe(&a);
    aead_wipe(&b);
}

/* Each key is for one cipher; the same struct seals and opens. */
static void seals_and_opens_in_turn(void **state)
{
    static const uint8_t others[AEAD_NONCE_SIZE] = {9};
    uint8_t expected[AEAD_LARGE + 16];
    struct bytes whole = bytes_of(sealed, sizeof expected);
    struct aead a;

    init(&a, cipher_of(state));
    fill_text();
    aead_seal(&a, nonce, header, bytes_of(text, AEAD_LARGE), expected);
    for (int i = 0; i < 3; i++) {
        aead_seal(&a, others, header, bytes_of(text, AEAD_LARGE), sealed);
        assert_memory_not_equal(sealed, expected, sizeof expected);
        assert_false(aead_open(&a, nonce, header, whole, room));
        assert_true(aead_open(&a, others, header, whole, room));
        aead_seal(&a, nonce, bytes_of(NULL, 0), bytes_of(text, AEAD_LARGE),
                  sealed);
        assert_true(aead_open(&a, nonce, bytes_of(NULL, 0), whole, room));
        aead_seal(&a, nonce, header, bytes_of(text, AEAD_LARGE), sealed);
        assert_memory_equal(sealed, expected, sizeof expected);
    }
    aead_wipe(&a);
}

/* A refused forgery leaves no decrypted bytes, in place or elsewhere. */
static void check_refused(const struct aead *a, const uint8_t *with,
                          struct bytes head, struct bytes what)
{
    size_t size = what.size - AEAD_TAG_SIZE;

    memset(room, 0xff, what.size);
    assert_false(aead_open(a, with, head, what, room));
    assert_true(sodium_is_zero(room, size));
    memcpy(room, what.data, what.size);
    assert_false(aead_open(a, with, head, bytes_of(room, what.size), room));
    assert_true(sodium_is_zero(room, size));
}

static void check_refusals(const struct aead *a, const struct aead *b,
                           size_t text_size)
{
    static const uint8_t other_nonce[AEAD_NONCE_SIZE] = {0, 0, 0, 0, 2};
    struct bytes whole = bytes_of(sealed, text_size + AEAD_TAG_SIZE);

    aead_seal(a, nonce, header, bytes_of(text, text_size), sealed);
    for (size_t i = 0; i < whole.size; i++) {
        sealed[i] ^= 0x80;
        check_refused(a, nonce, header, whole);
        sealed[i] ^= 0x80;
    }
    for (size_t size = 0; size < whole.size; size++)
        assert_false(aead_open(a, nonce, header, bytes_of(sealed, size), room));
    check_refused(a, other_nonce, header, whole);
    check_refused(a, nonce, bytes_of("heade", 5), whole);
    check_refused(a, nonce, bytes_of("Header", 6), whole);
    check_refused(b, nonce, header, whole);
    assert_true(aead_open(a, nonce, header, whole, room));
    assert_memory_equal(room, text, text_size);
}

static void refuses_whatever_was_changed(void **state)
{
    static const uint8_t other_key[32] = {1, 2, 4};
    struct aead a, b;

    init(&a, cipher_of(state));
    aead_init(&b, a.cipher, other_key);
    fill_text();
    check_refusals(&a, &b, 300);
    check_refusals(&a, &b, AEAD_LARGE + 300);
    aead_wipe(&a);
    aead_wipe(&b);
}

/* --- OpenSSL as a guest --------------------------------------------------- */

static size_t allocations;

static void *count_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    allocations++;
    return malloc(size);
}

static void *count_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    allocations++;
    return realloc(old, size);
}

static void count_free(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

static void a_packet_allocates_nothing(void **state)
{
    struct bytes whole = bytes_of(sealed, LARGE + AEAD_TAG_SIZE);
    struct aead a;
    size_t before = allocations;

    init(&a, cipher_of(state));
    assert_true(allocations > before); /* The counter works. */
    before = allocations;
    for (int i = 0; i < 3; i++) {
        aead_seal(&a, nonce, header, bytes_of(text, LARGE), sealed);
        assert_true(aead_open(&a, nonce, header, whole, room));
        sealed[0] ^= 1;
        assert_false(aead_open(&a, nonce, header, whole, room));
    }
    assert_int_equal(allocations, before);
    aead_wipe(&a);
}

/* A program may configure OpenSSL without any cipher, and may have errors of
 * its own in OpenSSL's queue. */
static void works_where_openssl_has_no_ciphers(void **state)
{
    enum cipher cipher = cipher_of(state);
    OSSL_LIB_CTX *bare = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *none = OSSL_PROVIDER_load(bare, "null");
    struct aead a, b;

    assert_non_null(none);
    init(&a, cipher);
    ERR_raise(ERR_LIB_USER, 77);
    OSSL_LIB_CTX *was = OSSL_LIB_CTX_set0_default(bare);
    init(&b, cipher);
    OSSL_LIB_CTX_set0_default(was);
    assert_null(b.large);
    fill_text();
    check_agreement(&a, &b, LARGE);
    sealed[0] ^= 1;
    assert_false(aead_open(&a, nonce, header,
                           bytes_of(sealed, LARGE + AEAD_TAG_SIZE), room));
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 77);
    assert_int_equal(ERR_get_error(), 0);
    aead_wipe(&a);
    aead_wipe(&b);
    OSSL_PROVIDER_unload(none);
    OSSL_LIB_CTX_free(bare);
}

/* --- keys ----------------------------------------------------------------- */

static void wiping_leaves_nothing(void **state)
{
    static const struct aead empty;
    struct aead a;

    init(&a, cipher_of(state));
    aead_wipe(&a);
    assert_memory_equal(&a, &empty, sizeof a);
}

static void moves_by_a_copy(void **state)
{
    struct aead a, b;

    init(&a, cipher_of(state));
    b = a;
    memset(&a, 0, sizeof a);
    fill_text();
    check_length(&b, LARGE);
    aead_wipe(&a);
    aead_wipe(&b);
    aead_wipe(&b);
}

static void one_cipher_does_not_open_the_others(void **state)
{
    struct aead a, b;

    (void)state;
    if (!can(CIPHER_AES))
        skip();
    init(&a, CIPHER_CHACHA);
    init(&b, CIPHER_AES);
    for (size_t size = 64; size <= LARGE; size += LARGE - 64)
        check_strangers(&a, &b, size);
    aead_wipe(&a);
    aead_wipe(&b);
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
        WITH_BOTH(both_libraries_give_the_same_bytes),
        WITH_BOTH(openssl_seals_what_is_large),
        WITH_BOTH(seals_and_opens_in_turn),
        WITH_BOTH(refuses_whatever_was_changed),
        WITH_BOTH(a_packet_allocates_nothing),
        WITH_BOTH(works_where_openssl_has_no_ciphers),
        WITH_BOTH(wiping_leaves_nothing),
        WITH_BOTH(moves_by_a_copy),
        cmocka_unit_test(one_cipher_does_not_open_the_others),
    };

    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 1;
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
