#include "common/core/noise.h"

#include "common/base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

/*
 * The published vector of cacophony, as kept by snow (github.com/mcginty/snow,
 * tests/vectors/cacophony.txt at 62fbfae2; the vector whose protocol_name is
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b). Messages 3 to 6 are transport
 * messages, the initiator's first. The vector's handshake_hash is left out: it
 * is the hash after the second message's `e`, not the final one of the
 * specification.
 */
static const char prologue_hex[] = "4a6f686e2047616c74";
static const char psk_hex[] =
    "54686973206973206d7920417573747269616e20706572737065637469766521";
static const char init_static_hex[] =
    "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1";
static const char init_ephemeral_hex[] =
    "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
static const char init_remote_static_hex[] =
    "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62";
static const char resp_static_hex[] =
    "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
static const char resp_ephemeral_hex[] =
    "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";

static const struct {
    const char *payload;
    const char *ciphertext;
} messages[] = {
    {"4c756477696720766f6e204d69736573",
     "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
     "b6fe0240b839afac809de1630eaf99d8f9b941394f0512c0554633bbb021d151"
     "76135c0a20e7fdb9a9ed066f22f054b47625b1d5061cb27d6a17f053273db7c2"
     "5216a5addc506ee321bc0618feb5849d"},
    {"4d757272617920526f746862617264",
     "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
     "8f627e69fc120006f746b9d420bf4056cf8481ab32d9e904ffaeeaa56a5290"},
    {"462e20412e20486179656b",
     "07fc0034398a5f1010322be193d62f94bebf2948a20b3e15d681fe"},
    {"4361726c204d656e676572",
     "2ea5400f5b8a16971c8b67bde75aeb7987d454b1c0beeb2566932d"},
    {"4a65616e2d426170746973746520536179",
     "96eef918ef51639fc0e156da1823c4f71b33fac5af983f5da9384f7da20d86ed91"},
    {"457567656e2042f6686d20766f6e2042617765726b",
     "f02766a56496e1fbf32e05274baebf6d693c8f3e4c6e0dc7ebdc5ac170f15dae"
     "433b92f469"},
};

enum { ROOM = 256 };

struct two {
    struct noise initiator, responder;
    struct curve_pair initiator_key, responder_key;
    uint8_t psk[32];
    uint8_t room[ROOM], plain[ROOM];
    size_t size;
};

static struct bytes unhex(const char *hex, uint8_t *room)
{
    assert_true(hex_decode(hex, room, strlen(hex) / 2));
    return bytes_of(room, strlen(hex) / 2);
}

static void generate(struct curve_pair *pair, const char *secret_hex)
{
    uint8_t secret[32];

    unhex(secret_hex, secret);
    curve_pair_generate(pair, secret);
}

static void start_responder(struct two *t, const uint8_t psk[32],
                            struct bytes prologue)
{
    uint8_t ephemeral[32];

    unhex(resp_ephemeral_hex, ephemeral);
    noise_start_responder(&t->responder, &t->responder_key, psk, prologue,
                          ephemeral);
}

/* Sets up both sides and the prologue as in the vector. */
static void start(struct two *t)
{
    uint8_t prologue_room[16], ephemeral[32];
    struct bytes prologue = unhex(prologue_hex, prologue_room);
    struct curve_key peer;

    generate(&t->initiator_key, init_static_hex);
    generate(&t->responder_key, resp_static_hex);
    unhex(psk_hex, t->psk);
    unhex(init_remote_static_hex, peer.key);
    unhex(init_ephemeral_hex, ephemeral);
    noise_start_initiator(&t->initiator, &t->initiator_key, &peer, t->psk,
                          prologue, ephemeral);
    start_responder(t, t->psk, prologue);
}

static struct bytes write_1(struct two *t)
{
    uint8_t payload[ROOM];
    struct writer w = writer_of(t->room, ROOM);

    assert_true(
        noise_write_1(&t->initiator, unhex(messages[0].payload, payload), &w));
    return writer_bytes(&w);
}

static bool read_1(struct two *t, struct bytes message)
{
    return noise_read_1(&t->responder, message, t->plain, &t->size);
}

static struct bytes write_2(struct two *t)
{
    uint8_t payload[ROOM];
    struct writer w = writer_of(t->room, ROOM);

    assert_true(
        noise_write_2(&t->responder, unhex(messages[1].payload, payload), &w));
    return writer_bytes(&w);
}

static bool read_2(struct two *t, struct bytes message)
{
    return noise_read_2(&t->initiator, message, t->plain, &t->size);
}

static void assert_hex(struct bytes bytes, const char *expected)
{
    char text[2 * ROOM + 1];

    hex_encode(bytes, text);
    assert_string_equal(text, expected);
}

static void handshake_is_as_published(void **state)
{
    struct two t;
    struct bytes message;

    (void)state;
    start(&t);
    message = write_1(&t);
    assert_hex(message, messages[0].ciphertext);
    assert_int_equal(message.size,
                     strlen(messages[0].payload) / 2 + NOISE_1_OVERHEAD);
    assert_true(read_1(&t, message));
    assert_hex(bytes_of(t.plain, t.size), messages[0].payload);
    assert_memory_equal(t.responder.peer_static, t.initiator_key.public_key,
                        32);

    message = write_2(&t);
    assert_hex(message, messages[1].ciphertext);
    assert_int_equal(message.size,
                     strlen(messages[1].payload) / 2 + NOISE_2_OVERHEAD);
    assert_true(read_2(&t, message));
    assert_hex(bytes_of(t.plain, t.size), messages[1].payload);

    assert_memory_equal(t.initiator.hash, t.responder.hash, 64);
}

static void finish(struct two *t)
{
    start(t);
    assert_true(read_1(t, write_1(t)));
    assert_true(read_2(t, write_2(t)));
}

static void transport_is_as_published(void **state)
{
    struct two t;
    uint8_t there[32], back[32], nonce[12] = {0}, payload[ROOM], sealed[ROOM];

    (void)state;
    finish(&t);
    noise_split(&t.initiator, there, back);
    for (size_t i = 2; i < sizeof(messages) / sizeof(*messages); i++) {
        struct bytes plain = unhex(messages[i].payload, payload);

        nonce[4] = (uint8_t)((i - 2) / 2);
        crypto_aead_chacha20poly1305_ietf_encrypt(
            sealed, NULL, plain.data, plain.size, NULL, 0, NULL, nonce,
            i % 2 == 0 ? there : back);
        assert_hex(bytes_of(sealed, plain.size + 16), messages[i].ciphertext);
    }
}

static void both_sides_get_the_same_keys(void **state)
{
    struct two t;
    uint8_t there[2][32], back[2][32];

    (void)state;
    finish(&t);
    noise_split(&t.initiator, there[0], back[0]);
    noise_split(&t.responder, there[1], back[1]);
    assert_memory_equal(there[0], there[1], 32);
    assert_memory_equal(back[0], back[1], 32);
    assert_memory_not_equal(there[0], back[0], 32);
}

static void every_changed_byte_of_1_is_refused(void **state)
{
    struct two t;
    uint8_t message[ROOM];
    size_t size;

    (void)state;
    start(&t);
    size = write_1(&t).size;
    memcpy(message, t.room, size);
    for (size_t i = 0; i < size; i++) {
        start(&t);
        message[i] ^= 4;
        assert_false(read_1(&t, bytes_of(message, size)));
        message[i] ^= 4;
    }
    for (size_t shorter = 0; shorter < size; shorter++) {
        start(&t);
        assert_false(read_1(&t, bytes_of(message, shorter)));
    }
}

static void every_changed_byte_of_2_is_refused(void **state)
{
    struct two t;
    uint8_t message[ROOM];
    size_t size;
    struct noise before;

    (void)state;
    start(&t);
    assert_true(read_1(&t, write_1(&t)));
    before = t.initiator;
    size = write_2(&t).size;
    memcpy(message, t.room, size);
    for (size_t i = 0; i < size; i++) {
        t.initiator = before;
        message[i] ^= 4;
        assert_false(read_2(&t, bytes_of(message, size)));
        message[i] ^= 4;
    }
    for (size_t shorter = 0; shorter < size; shorter++) {
        t.initiator = before;
        assert_false(read_2(&t, bytes_of(message, shorter)));
    }
    t.initiator = before;
    assert_true(read_2(&t, bytes_of(message, size)));
}

/* Message 1 does not hold the psk yet; message 2 shows that it is wrong. */
static void wrong_psk_is_refused(void **state)
{
    struct two t;
    uint8_t prologue_room[16];

    (void)state;
    start(&t);
    t.psk[0] ^= 1;
    start_responder(&t, t.psk, unhex(prologue_hex, prologue_room));
    assert_true(read_1(&t, write_1(&t)));
    assert_false(read_2(&t, write_2(&t)));
}

static void other_prologue_is_refused(void **state)
{
    struct two t;

    (void)state;
    start(&t);
    start_responder(&t, t.psk, bytes_of_string("other"));
    assert_false(read_1(&t, write_1(&t)));
}

static void other_responder_cannot_read_1(void **state)
{
    struct two t;
    uint8_t prologue_room[16];

    (void)state;
    start(&t);
    t.responder_key = t.initiator_key;
    start_responder(&t, t.psk, unhex(prologue_hex, prologue_room));
    assert_false(read_1(&t, write_1(&t)));
}

static void failure_leaves_nothing_usable(void **state)
{
    struct two t;
    static const struct noise empty;
    uint8_t good[ROOM];
    size_t size;
    struct writer w;

    (void)state;
    start(&t);
    size = write_1(&t).size;
    memcpy(good, t.room, size);
    t.room[40] ^= 1;
    assert_false(read_1(&t, bytes_of(t.room, size)));
    assert_memory_equal(&t.responder, &empty, sizeof(empty));
    assert_false(read_1(&t, bytes_of(good, size)));
    w = writer_of(t.room, ROOM);
    assert_false(noise_write_2(&t.responder, bytes_of(NULL, 0), &w));
    w = writer_of(t.room, ROOM);
    assert_false(noise_write_1(&t.responder, bytes_of(NULL, 0), &w));
    assert_false(read_2(&t, bytes_of(good, size)) &&
                 read_2(&t, bytes_of(good, size)));
}

static void low_order_points_are_refused(void **state)
{
    /* Points of order 1, 2 (0), 4 (1) and 8, and p itself: libsodium's own
     * list. */
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct two t;
    struct writer w;
    struct bytes message;

    (void)state;
    for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
        start(&t); /* as the responder's key */
        unhex(points[i], t.initiator.peer_static);
        w = writer_of(t.room, ROOM);
        assert_false(noise_write_1(&t.initiator, bytes_of(NULL, 0), &w));

        start(&t); /* as the initiator's ephemeral */
        message = write_1(&t);
        unhex(points[i], t.room);
        assert_false(read_1(&t, message));

        start(&t); /* as its proved key, or ephemeral, when answering */
        assert_true(read_1(&t, write_1(&t)));
        unhex(points[i], t.responder.peer_static);
        w = writer_of(t.room, ROOM);
        assert_false(noise_write_2(&t.responder, bytes_of(NULL, 0), &w));

        start(&t); /* as the responder's ephemeral */
        assert_true(read_1(&t, write_1(&t)));
        message = write_2(&t);
        unhex(points[i], t.room);
        assert_false(read_2(&t, message));
    }
}

static void too_little_room_is_told(void **state)
{
    struct two t;
    struct writer w;

    (void)state;
    for (size_t room = 0; room < NOISE_1_OVERHEAD + 4; room++) {
        start(&t);
        w = writer_of(t.room, room);
        assert_false(noise_write_1(&t.initiator, bytes_of("abcd", 4), &w));
    }
    start(&t);
    w = writer_of(t.room, NOISE_1_OVERHEAD + 4);
    assert_true(noise_write_1(&t.initiator, bytes_of("abcd", 4), &w));
}

static void empty_payloads_pass(void **state)
{
    struct two t;
    struct writer w;

    (void)state;
    start(&t);
    w = writer_of(t.room, ROOM);
    assert_true(noise_write_1(&t.initiator, bytes_of(NULL, 0), &w));
    assert_true(read_1(&t, writer_bytes(&w)));
    assert_int_equal(t.size, 0);
    w = writer_of(t.room, ROOM);
    assert_true(noise_write_2(&t.responder, bytes_of(NULL, 0), &w));
    assert_true(read_2(&t, writer_bytes(&w)));
    assert_int_equal(t.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_is_as_published),
        cmocka_unit_test(transport_is_as_published),
        cmocka_unit_test(both_sides_get_the_same_keys),
        cmocka_unit_test(every_changed_byte_of_1_is_refused),
        cmocka_unit_test(every_changed_byte_of_2_is_refused),
        cmocka_unit_test(wrong_psk_is_refused),
        cmocka_unit_test(other_prologue_is_refused),
        cmocka_unit_test(other_responder_cannot_read_1),
        cmocka_unit_test(failure_leaves_nothing_usable),
        cmocka_unit_test(low_order_points_are_refused),
        cmocka_unit_test(too_little_room_is_told),
        cmocka_unit_test(empty_payloads_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
