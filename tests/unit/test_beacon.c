#include "common/wire/beacon.h"
#include "common/wire/version.h"

#include "tests/unit/wire_kit.h"

static const uint8_t key[32] = {1}, nonce[24] = {2};
static uint8_t room[BEACON_SIZE], opened_room[BEACON_SIZE];

static struct mesh_id mesh(void)
{
    struct signer s = signer_of(1);

    return mesh_of(&s);
}

static struct beacon sample(void)
{
    return (struct beacon){
        .version = PROTOCOL_VERSION,
        .kind = BEACON_HERE,
        .counter = 5,
        .cookie = 6,
        .echo = 7,
        .whom = {{8}},
        .unix_seconds = 1800000000,
        .announcement = bytes_of_string("announcement"),
    };
}

static struct bytes sealed(const struct beacon *b, const struct signer *node)
{
    struct mesh_id id = mesh();

    return beacon_seal(b, &id, key, nonce, node->secret_key, room);
}

static enum beacon_verdict open_with(struct bytes bytes, struct mesh_id id,
                                     const uint8_t with[32])
{
    struct beacon b;
    struct bytes opened;

    return beacon_open(bytes, &id, with, opened_room, &b, &opened);
}

static bool is_authentic(struct bytes bytes, const void *node)
{
    struct node_id id = node_of(node);
    struct mesh_id m = mesh();
    struct beacon b;
    struct bytes opened;

    return beacon_open(bytes, &m, key, opened_room, &b, &opened) ==
               BEACON_OPENED &&
           beacon_signed_by(opened, &id);
}

static void a_sealed_beacon_comes_back(void **state)
{
    struct signer node = signer_of(2);
    struct beacon b = sample(), back;
    struct mesh_id id = mesh();
    struct node_id who = node_of(&node);
    struct bytes bytes = sealed(&b, &node), opened;

    (void)state;
    assert_int_equal(bytes.size, BEACON_OVERHEAD + b.announcement.size);
    assert_int_equal(beacon_open(bytes, &id, key, opened_room, &back, &opened),
                     BEACON_OPENED);
    assert_true(beacon_signed_by(opened, &who));
    assert_true(bytes_equal(back.announcement, b.announcement));
    assert_int_equal(back.kind, BEACON_HERE);
    assert_int_equal(back.counter, 5);
    assert_int_equal(back.cookie, 6);
    assert_int_equal(back.echo, 7);
    assert_int_equal(back.unix_seconds, 1800000000);
    assert_int_equal(back.version, PROTOCOL_VERSION);
    assert_true(node_id_equal(&back.whom, &b.whom));
}

static void cuts_and_flips_are_refused(void **state)
{
    struct signer node = signer_of(2);
    struct beacon b = sample();
    struct bytes bytes = sealed(&b, &node);

    (void)state;
    assert_all_cuts_refused(bytes, is_authentic, &node);
    assert_all_flips_refused(bytes, is_authentic, &node);
}

static void each_verdict_is_given(void **state)
{
    static const uint8_t wrong_key[32] = {9};
    struct signer node = signer_of(2), other = signer_of(3);
    struct beacon b = sample();
    struct bytes bytes = sealed(&b, &node);

    (void)state;
    assert_int_equal(open_with(bytes, mesh(), key), BEACON_OPENED);
    assert_int_equal(open_with(bytes, mesh_of(&other), key), BEACON_WRONG_MESH);
    assert_int_equal(open_with(bytes, mesh(), wrong_key), BEACON_NOT_AUTHENTIC);
    assert_int_equal(open_with(bytes_of_string("hello"), mesh(), key),
                     BEACON_NOT_OURS);
    assert_false(is_authentic(bytes, &other));
}

static void the_largest_fits_and_one_more_does_not(void **state)
{
    static uint8_t announcement[BEACON_SIZE];
    struct signer node = signer_of(2);
    struct beacon b = sample();
    struct bytes bytes;

    (void)state;
    b.announcement = bytes_of(announcement, BEACON_SIZE - BEACON_OVERHEAD);
    bytes = sealed(&b, &node);
    assert_int_equal(bytes.size, BEACON_SIZE);
    assert_true(is_authentic(bytes, &node));
    b.announcement.size++;
    assert_int_equal(sealed(&b, &node).size, 0);
}

/* Of a beacon in another version the decoder reads only the version, and only
 * if the beacon is of this mesh [P-1.3]. */
static void versions_are_told_apart(void **state)
{
    struct signer node = signer_of(2), other = signer_of(3);
    struct beacon b = sample(), back;
    struct mesh_id id = mesh();
    struct bytes opened;

    (void)state;
    for (b.version = 0; b.version < 10; b.version++) {
        struct bytes bytes = sealed(&b, &node);
        enum beacon_verdict verdict =
            beacon_open(bytes, &id, key, opened_room, &back, &opened);
        bool spoken =
            b.version == PROTOCOL_VERSION || b.version == PROTOCOL_BEFORE;
        assert_int_equal(verdict,
                         spoken ? BEACON_OPENED : BEACON_OTHER_VERSION);
        assert_int_equal(back.version, b.version);
        assert_int_equal(open_with(bytes, mesh_of(&other), key),
                         BEACON_WRONG_MESH);
    }
}

/* A member can seal any bytes, so the decoder checks the opened bytes as well.
 */
static void an_unknown_kind_is_refused(void **state)
{
    struct signer node = signer_of(2);
    struct beacon b = sample();

    (void)state;
    b.kind = (enum beacon_kind)0;
    assert_int_equal(open_with(sealed(&b, &node), mesh(), key),
                     BEACON_NOT_AUTHENTIC);
    b.kind = (enum beacon_kind)4;
    assert_int_equal(open_with(sealed(&b, &node), mesh(), key),
                     BEACON_NOT_AUTHENTIC);
}

static void refusals_have_names(void **state)
{
    (void)state;
    for (uint8_t i = 0; i <= REFUSAL_SHUTDOWN; i++)
        assert_string_not_equal(refusal_name(i), "unknown");
    assert_string_equal(refusal_name(REFUSAL_SHUTDOWN + 1), "unknown");
    assert_string_equal(refusal_name(255), "unknown");
    for (int i = CERTIFICATE_MALFORMED; i <= CERTIFICATE_EXPIRED; i++) {
        enum certificate_verdict v = (enum certificate_verdict)i;

        assert_string_equal(refusal_name((uint8_t)refusal_of(v)),
                            certificate_verdict_name(v));
    }
    assert_int_equal(refusal_of(CERTIFICATE_GOOD), REFUSAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_beacon_comes_back),
        cmocka_unit_test(cuts_and_flips_are_refused),
        cmocka_unit_test(each_verdict_is_given),
        cmocka_unit_test(the_largest_fits_and_one_more_does_not),
        cmocka_unit_test(an_unknown_kind_is_refused),
        cmocka_unit_test(versions_are_told_apart),
        cmocka_unit_test(refusals_have_names),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
