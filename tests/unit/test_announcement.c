#include "common/wire/announcement.h"

#include "tests/unit/wire_kit.h"

static uint8_t room[ANNOUNCEMENT_SIZE];
static uint8_t sealed_room[SEALED_ANNOUNCEMENT_SIZE];
static uint8_t opened_room[SEALED_ANNOUNCEMENT_SIZE];

static struct announcement sample(void)
{
    return (struct announcement){
        .certificate = bytes_of_string("certificate"),
        .epoch = {12345678901234},
        .serial = 7,
        .aes = true,
        .link_key = {{1, 2, 3}},
        .revocation_serial = 9,
        .candidate_count = 2,
        .candidates =
            {{CANDIDATE_HOST,
              {.family = ADDRESS_V4, .ip = {192, 0, 2, 1}, .port = 80}},
             {CANDIDATE_RELAY,
              {.family = ADDRESS_V6, .ip = {0x20, 1}, .port = 81}}},
        .group_count = 1,
        .groups = {"lab"},
        .info = bytes_of_string("{\"role\":\"camera\"}"),
    };
}

static bool is_authentic(struct bytes bytes, const void *node)
{
    struct node_id id = node_of(node);
    struct announcement a;

    return announcement_decode(bytes, &a) && announcement_signed_by(bytes, &id);
}

static bool decodes(struct bytes bytes, const void *context)
{
    struct announcement a;

    (void)context;
    return announcement_decode(bytes, &a);
}

static void a_signed_announcement_comes_back(void **state)
{
    struct signer node = signer_of(1);
    struct announcement a = sample(), back;
    struct bytes bytes = announcement_sign(&a, node.secret_key, room);

    (void)state;
    assert_true(announcement_decode(bytes, &back));
    assert_true(is_authentic(bytes, &node));
    assert_true(bytes_equal(back.certificate, a.certificate));
    assert_true(bytes_equal(back.info, a.info));
    assert_int_equal(back.epoch.value, a.epoch.value);
    assert_int_equal(back.serial, a.serial);
    assert_int_equal(back.revocation_serial, 9);
    assert_int_equal(back.candidates[1].kind, CANDIDATE_RELAY);
    assert_true(
        address_equal(&back.candidates[1].address, &a.candidates[1].address));
    assert_string_equal(back.groups[0], "lab");
    assert_true(back.aes);
    assert_true(bytes_equal(
        announcement_sign(&back, node.secret_key, opened_room), bytes));
}

static void cuts_and_flips_are_refused(void **state)
{
    struct signer node = signer_of(1);
    struct announcement a = sample();
    struct bytes bytes = announcement_sign(&a, node.secret_key, room);

    (void)state;
    assert_all_cuts_refused(bytes, decodes, NULL);
    assert_all_flips_refused(bytes, is_authentic, &node);
}

static void another_node_cannot_speak_for_it(void **state)
{
    struct signer node = signer_of(1), other = signer_of(2);
    struct announcement a = sample();
    struct bytes bytes = announcement_sign(&a, other.secret_key, room);

    (void)state;
    assert_false(is_authentic(bytes, &node));
    assert_true(is_authentic(bytes, &other));
}

static void a_partial_one_leaves_out_info_and_groups(void **state)
{
    struct signer node = signer_of(1);
    struct announcement a = sample(), back;
    struct bytes bytes;

    (void)state;
    a.partial = true;
    bytes = announcement_sign(&a, node.secret_key, room);
    assert_true(announcement_decode(bytes, &back));
    assert_true(back.partial);
    assert_int_equal(back.group_count, 0);
    assert_int_equal(back.info.size, 0);
    assert_int_equal(back.candidate_count, 2);
}

static void the_largest_fits(void **state)
{
    static uint8_t info[ANNOUNCEMENT_INFO_SIZE], certificate[CERTIFICATE_SIZE];
    static struct announcement a, back;
    struct signer node = signer_of(1);

    (void)state;
    a = sample();
    a.info = bytes_of(info, sizeof(info));
    a.certificate = bytes_of(certificate, sizeof(certificate));
    a.group_count = ANNOUNCEMENT_GROUPS;
    for (size_t i = 0; i < ANNOUNCEMENT_GROUPS; i++)
        memset(a.groups[i], 'g', NAME_MAX_SIZE);
    a.candidate_count = ANNOUNCEMENT_CANDIDATES;
    for (size_t i = 0; i < ANNOUNCEMENT_CANDIDATES; i++)
        a.candidates[i] = a.candidates[1];
    assert_true(announcement_decode(
        announcement_sign(&a, node.secret_key, room), &back));
    assert_int_equal(back.group_count, ANNOUNCEMENT_GROUPS);
    assert_int_equal(back.info.size, sizeof(info));
}

/* Each byte that allows few values, set to a value that it does not allow. */
static void bad_fields_are_refused(void **state)
{
    struct signer node = signer_of(1);
    struct announcement a = sample();
    struct bytes bytes = announcement_sign(&a, node.secret_key, room);
    const size_t flags_at = 4 + 2 + 11 + 8 + 4;
    const size_t candidates_at = flags_at + 1 + 32 + 8;
    static const struct {
        size_t after;
        uint8_t value;
    } bad[] = {{0, 17}, {0, 255}, {1, 0}, {1, 4}, {2, 0}, {2, 5}};

    (void)state;
    room[flags_at] = 4;
    assert_false(decodes(bytes, NULL));
    room[flags_at] = 1; /* partial, and yet with info */
    assert_false(decodes(bytes, NULL));
    room[flags_at] = 0;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint8_t *at = &room[candidates_at + bad[i].after];
        uint8_t was = *at;

        *at = bad[i].value;
        assert_false(decodes(bytes, NULL));
        *at = was;
    }
    assert_true(decodes(bytes, NULL));
}

static bool opens(struct bytes bytes, const void *key)
{
    return announcement_open(bytes, key, opened_room).size > 0;
}

static void a_sealed_announcement_opens_only_with_its_key(void **state)
{
    static const uint8_t key[32] = {1}, wrong[32] = {2}, nonce[24] = {3};
    struct signer node = signer_of(1);
    struct announcement a = sample();
    struct bytes plain = announcement_sign(&a, node.secret_key, room);
    struct bytes sealed = announcement_seal(plain, key, nonce, sealed_room);

    (void)state;
    assert_int_equal(sealed.size, plain.size + 40);
    assert_true(
        bytes_equal(announcement_open(sealed, key, opened_room), plain));
    assert_false(opens(sealed, wrong));
    assert_all_cuts_refused(sealed, opens, key);
    assert_all_flips_refused(sealed, opens, key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_announcement_comes_back),
        cmocka_unit_test(cuts_and_flips_are_refused),
        cmocka_unit_test(another_node_cannot_speak_for_it),
        cmocka_unit_test(a_partial_one_leaves_out_info_and_groups),
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(bad_fields_are_refused),
        cmocka_unit_test(a_sealed_announcement_opens_only_with_its_key),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
