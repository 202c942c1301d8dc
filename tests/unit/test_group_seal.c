#include "kit.h"

#include "common/core/group_seal.h"

#include <sodium.h>

static const char text[] = "for all who are in the group";

enum { PACKET = MULTICAST_HEADER_SIZE + sizeof text + MULTICAST_SEAL_SIZE };

static enum cipher cipher;

static struct sealed {
    struct aead key;
    uint8_t packet[PACKET + SIGNATURE_SIZE];
    struct node_id node;
} s;

static int teardown(void **state)
{
    (void)state;
    aead_wipe(&s.key);
    return 0;
}

static void setup(void)
{
    uint8_t seed[32] = {7}, secret[64];
    struct multicast_packet header = {.tag = {{1, 2}}, .key = 3, .number = 9};
    struct writer w = writer_of(s.packet, PACKET);

    aead_init(&s.key, cipher, (const uint8_t[32]){5});
    crypto_sign_seed_keypair(s.node.key, secret, seed);
    group_seal(&header, &s.key, bytes_of(text, sizeof text), &w);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_left(&w), 0);
    group_sign(bytes_of(s.packet, PACKET), secret, s.packet + PACKET);
}

static bool opens(const struct aead *key)
{
    uint8_t content[sizeof text];
    struct multicast_packet m;

    assert_true(multicast_decode(bytes_of(s.packet, PACKET), false, &m));
    assert_int_equal(m.key, 3);
    assert_int_equal(m.number, 9);
    if (!group_open(&m, key, content))
        return false;
    assert_string_equal((char *)content, text);
    return true;
}

static void a_holder_of_the_key_opens_it(void **state)
{
    (void)state;
    struct aead other;
    setup();
    aead_init(&other, cipher, (const uint8_t[32]){1});
    assert_true(opens(&s.key));
    assert_false(opens(&other));
    aead_wipe(&other);
}

/* Byte 0 is the packet's type, which the decoder checks. */
static void a_changed_byte_is_found(void **state)
{
    (void)state;
    setup();
    for (size_t i = 1; i < PACKET; i++) {
        struct multicast_packet m;
        uint8_t content[sizeof text];
        s.packet[i] ^= 0x10;
        if (multicast_decode(bytes_of(s.packet, PACKET), false, &m))
            assert_false(group_open(&m, &s.key, content));
        s.packet[i] ^= 0x10;
    }
    assert_true(opens(&s.key));
}

static bool is_signed(const struct node_id *node)
{
    struct multicast_packet m;

    return multicast_decode(bytes_of(s.packet, sizeof s.packet), true, &m) &&
           group_signed_by(&m, node);
}

static void a_member_cannot_speak_as_another(void **state)
{
    (void)state;
    struct node_id other = {{1}};
    setup();
    assert_true(is_signed(&s.node));
    assert_false(is_signed(&other));
    for (size_t i = 1; i < sizeof s.packet; i++) {
        s.packet[i] ^= 0x10;
        assert_false(is_signed(&s.node));
        s.packet[i] ^= 0x10;
    }
    /* A packet without a signature has no valid one. */
    struct multicast_packet m;
    assert_true(multicast_decode(bytes_of(s.packet, PACKET), false, &m));
    assert_false(group_signed_by(&m, &s.node));
}

static void a_tag_depends_on_name_and_mesh(void **state)
{
    (void)state;
    uint8_t mesh[32] = {1}, other[32] = {2};
    struct group_tag lab = group_tag_of(mesh, bytes_of_string("lab"));
    struct group_tag all = group_tag_of(mesh, bytes_of_string(""));
    struct group_tag lab_elsewhere =
        group_tag_of(other, bytes_of_string("lab"));
    struct group_tag again = group_tag_of(mesh, bytes_of_string("lab"));

    assert_true(group_tag_equal(&lab, &again));
    assert_false(group_tag_equal(&lab, &all));
    assert_false(group_tag_equal(&lab, &lab_elsewhere));
}

static void short_packets_are_refused(void **state)
{
    (void)state;
    struct multicast_packet m;
    setup();
    size_t least = MULTICAST_HEADER_SIZE + MULTICAST_SEAL_SIZE;
    for (size_t size = 0; size < least; size++)
        assert_false(multicast_decode(bytes_of(s.packet, size), false, &m));
    assert_true(multicast_decode(bytes_of(s.packet, least), false, &m));
    assert_false(multicast_decode(
        bytes_of(s.packet, least + SIGNATURE_SIZE - 1), true, &m));
    s.packet[0] = PACKET_PLAIN;
    assert_false(multicast_decode(bytes_of(s.packet, PACKET), false, &m));
}

static void a_start_comes_back(void **state)
{
    (void)state;
    struct group_start start = {.tag = {{4}},
                                .stream = 77,
                                .key_id = 2,
                                .aes = cipher == CIPHER_AES,
                                .key = {9},
                                .record = 100,
                                .message = 50,
                                .since = 40};
    struct group_start back;
    uint8_t room[GROUP_START_SIZE];
    struct writer w = writer_of(room, sizeof room);
    group_start_encode(&start, &w);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_left(&w), 0);
    assert_true(group_start_decode(writer_bytes(&w), &back));
    assert_true(group_tag_equal(&back.tag, &start.tag));
    assert_int_equal(back.stream, 77);
    assert_int_equal(back.key_id, 2);
    assert_int_equal(back.aes, start.aes);
    assert_memory_equal(back.key, start.key, sizeof start.key);
    assert_int_equal(back.record, 100);
    assert_int_equal(back.message, 50);
    assert_int_equal(back.since, 40);
    for (size_t size = 0; size < sizeof room; size++)
        assert_false(group_start_decode(bytes_of(room, size), &back));
    room[GROUP_TAG_SIZE + 8 + 4] = 2; /* an unknown cipher */
    assert_false(group_start_decode(writer_bytes(&w), &back));

    static const uint64_t bad[][3] = {
        {0, 50, 40}, {100, 0, 40}, {100, 50, 0}, {100, 50, 51}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        start.record = bad[i][0];
        start.message = bad[i][1];
        start.since = bad[i][2];
        w = writer_of(room, sizeof room);
        group_start_encode(&start, &w);
        assert_false(group_start_decode(writer_bytes(&w), &back));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_holder_of_the_key_opens_it, teardown),
        cmocka_unit_test_teardown(a_changed_byte_is_found, teardown),
        cmocka_unit_test_teardown(a_member_cannot_speak_as_another, teardown),
        cmocka_unit_test_teardown(a_tag_depends_on_name_and_mesh, teardown),
        cmocka_unit_test_teardown(short_packets_are_refused, teardown),
        cmocka_unit_test_teardown(a_start_comes_back, teardown),
    };
    if (sodium_init() < 0)
        return 1;
    int failed = cmocka_run_group_tests_name("chacha", tests, NULL, NULL);
    cipher = CIPHER_AES;
    if (crypto_aead_aes256gcm_is_available())
        failed += cmocka_run_group_tests_name("aes", tests, NULL, NULL);
    return failed;
}
