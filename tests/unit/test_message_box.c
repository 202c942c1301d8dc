/* NaCl's published box (nacl-20110221, tests/box.c and box2.c), and the library
 * whose primitives the module puts together. */
#include "common/zmtp/message_box.h"

#include "common/base/hex.h"
#include "common/io/processor.h"
#include "tests/unit/kit.h"

#include <sodium.h>

enum {
    ROOM = 2800, /* five chunks of the key stream, two wide ones */
    LARGE = ONE_TIME_MAC_LARGE,
    LARGEST = 64 * 1024 + 10,
};

static const char alice_secret[] =
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
static const char bob_public[] =
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
static const char bob_secret[] =
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
static const char alice_public[] =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
static const char nonce_prefix[] = "69696ee955b62b73cd62bda875fc73d6";
static const uint64_t nonce_number = 0x8219e0036b7a0b37;
static const char text_hex[] =
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc"
    "e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31"
    "0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
    "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864"
    "5e0705";
static const char box_hex[] =
    "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce"
    "48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972"
    "71d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae"
    "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b3"
    "7973f622a43d14a6599b1f654cb45a74e355a5";

static struct bytes unhex(const char *hex, uint8_t *room)
{
    assert_true(hex_decode(hex, room, strlen(hex) / 2));
    return bytes_of(room, strlen(hex) / 2);
}

static void init_box(struct message_box *b, const char *secret,
                     const char *public)
{
    uint8_t s[32], p[32], shared[32], prefix[MESSAGE_BOX_PREFIX];
    char text[MESSAGE_BOX_PREFIX];

    unhex(secret, s);
    unhex(public, p);
    unhex(nonce_prefix, prefix);
    memcpy(text, prefix, sizeof(text));
    assert_int_equal(crypto_box_beforenm(shared, p, s), 0);
    message_box_init(b, shared, text, NULL);
}

static void seals_and_opens_the_box_of_nacl(void **state)
{
    uint8_t text_room[ROOM], box_room[ROOM], out[ROOM];
    struct bytes text = unhex(text_hex, text_room);
    struct bytes box = unhex(box_hex, box_room);
    struct message_box alice, bob;
    (void)state;

    init_box(&alice, alice_secret, bob_public);
    init_box(&bob, bob_secret, alice_public);
    message_box_seal(&alice, nonce_number, text.data[0],
                     bytes_of(text.data + 1, text.size - 1), out);
    assert_memory_equal(out, box.data, box.size);
    assert_true(message_box_open(&bob, nonce_number, out, box.size));
    assert_memory_equal(out + MESSAGE_BOX_TAG, text.data, text.size);
}

/* The ends of blocks and halves of blocks are among the sizes. */
static void equals_the_library_at_every_size(void **state)
{
    static const uint8_t shared[32] = {7};
    uint8_t text[ROOM], ours[ROOM + MESSAGE_BOX_TAG], theirs[sizeof(ours)];
    uint8_t nonce[24] = "CurveZMQMESSAGEC\0\0\0\0\0\0\1\2";
    struct message_box b;
    (void)state;

    message_box_init(&b, shared, "CurveZMQMESSAGEC", NULL);
    b.wide = processor_is_wide();
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7);
    for (size_t size = 1; size <= sizeof(text); size++) {
        size_t whole = size + MESSAGE_BOX_TAG;
        message_box_seal(&b, 0x0102, text[0], bytes_of(text + 1, size - 1),
                         ours);
        crypto_box_easy_afternm(theirs, text, size, nonce, shared);
        assert_memory_equal(ours, theirs, whole);
        assert_true(message_box_open(&b, 0x0102, ours, whole));
        assert_memory_equal(ours + MESSAGE_BOX_TAG, text, size);
    }
}

static void opens_no_changed_box(void **state)
{
    static const uint8_t shared[32] = {7};
    static const uint8_t text[70] = {1};
    uint8_t box[sizeof(text) + 1 + MESSAGE_BOX_TAG], copy[sizeof(box)];
    struct message_box b;
    (void)state;

    message_box_init(&b, shared, "CurveZMQMESSAGEC", NULL);
    message_box_seal(&b, 5, 0, bytes_of(text, sizeof(text)), box);
    for (size_t i = 0; i < sizeof(box); i++) {
        memcpy(copy, box, sizeof(box));
        copy[i] ^= 0x10;
        assert_false(message_box_open(&b, 5, copy, sizeof(copy)));
        copy[i] ^= 0x10;
        assert_memory_equal(copy, box, sizeof(box));
        assert_false(message_box_open(&b, 5, copy, i));
    }
    assert_false(message_box_open(&b, 4, copy, sizeof(copy)));
    message_box_init(&b, shared, "CurveZMQMESSAGES", NULL);
    assert_false(message_box_open(&b, 5, copy, sizeof(copy)));
}

/* ---- Tags by OpenSSL --------------------------------------------------- */

/* The same key with both makers of tags. */
static void init_both(struct message_box *by_openssl,
                      struct message_box *by_sodium, struct one_time_mac *mac)
{
    static const uint8_t shared[32] = {7};

    assert_non_null(mac);
    message_box_init(by_openssl, shared, "CurveZMQMESSAGEC", mac);
    by_openssl->wide = processor_is_wide();
    message_box_init(by_sodium, shared, "CurveZMQMESSAGEC", NULL);
}

static uint8_t large_text[LARGEST], box_a[LARGEST + 1 + MESSAGE_BOX_TAG],
    box_b[sizeof(box_a)];

/* What the one seals the other opens, and it has the same bytes. */
static void check_agreement(const struct message_box *a,
                            const struct message_box *b, size_t size)
{
    size_t whole = size + 1 + MESSAGE_BOX_TAG;

    message_box_seal(a, size, 3, bytes_of(large_text, size), box_a);
    message_box_seal(b, size, 3, bytes_of(large_text, size), box_b);
    assert_memory_equal(box_a, box_b, whole);
    assert_true(message_box_open(a, size, box_b, whole));
    assert_true(message_box_open(b, size, box_a, whole));
    assert_memory_equal(box_a, box_b, whole);
    assert_int_equal(box_a[MESSAGE_BOX_TAG], 3);
    assert_memory_equal(box_a + MESSAGE_BOX_TAG + 1, large_text, size);
}

static void both_makers_of_tags_agree(void **state)
{
    struct one_time_mac *mac = one_time_mac_new();
    struct message_box a, b;
    (void)state;

    init_both(&a, &b, mac);
    randombytes_buf(large_text, sizeof(large_text));
    for (size_t size = 0; size <= 2 * LARGE; size++)
        check_agreement(&a, &b, size);
    for (size_t size = 2 * LARGE; size <= LARGEST; size += size / 9)
        check_agreement(&a, &b, size);
    for (size_t size = LARGEST - 20; size <= LARGEST; size++)
        check_agreement(&a, &b, size);
    one_time_mac_free(&mac);
}

/* One bit of the box differs. */
static void check_refused(const struct message_box *b, size_t size, size_t at)
{
    box_b[at] ^= 0x80;
    memcpy(box_a, box_b, size);
    assert_false(message_box_open(b, 6, box_a, size));
    assert_memory_equal(box_a, box_b, size);
    box_b[at] ^= 0x80;
}

static void opens_no_changed_large_box(void **state)
{
    static const size_t sizes[] = {LARGE - 2, LARGE - 1, LARGE, 5000};
    struct one_time_mac *mac = one_time_mac_new();
    struct message_box a, b;
    (void)state;

    init_both(&a, &b, mac);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t whole = sizes[i] + 1 + MESSAGE_BOX_TAG;
        message_box_seal(&b, 6, 0, bytes_of(large_text, sizes[i]), box_b);
        for (size_t at = 0; at < whole; at++)
            check_refused(&a, whole, at);
        assert_false(message_box_open(&a, 6, box_b, whole - 1));
        assert_false(message_box_open(&a, 7, box_b, whole));
        assert_true(message_box_open(&a, 6, box_b, whole));
    }
    one_time_mac_free(&mac);
}

/* A pointer to nothing: small boxes do not touch it. */
static void libsodium_makes_the_tags_of_small_boxes(void **state)
{
    static const uint8_t shared[32] = {7};
    struct message_box b;
    (void)state;

    message_box_init(&b, shared, "CurveZMQMESSAGEC",
                     (struct one_time_mac *)(uintptr_t)1);
    message_box_seal(&b, 1, 0, bytes_of(large_text, LARGE - 2), box_a);
    assert_true(message_box_open(&b, 1, box_a, LARGE - 1 + MESSAGE_BOX_TAG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_and_opens_the_box_of_nacl),
        cmocka_unit_test(equals_the_library_at_every_size),
        cmocka_unit_test(opens_no_changed_box),
        cmocka_unit_test(both_makers_of_tags_agree),
        cmocka_unit_test(opens_no_changed_large_box),
        cmocka_unit_test(libsodium_makes_the_tags_of_small_boxes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
