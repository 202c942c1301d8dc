#include "common/wire/notice.h"

#include "tests/unit/wire_kit.h"

static const uint8_t key[32] = {1}, nonce[24] = {2};
static uint8_t room[SEALED_NOTICE_SIZE], opened_room[SEALED_NOTICE_SIZE];

static const struct notice sample = {.reason = 12,
                                     .whom = {{3}},
                                     .whom_epoch = {4},
                                     .epoch = {5},
                                     .counter = 6,
                                     .unix_seconds = 7};

static struct bytes sealed(const struct signer *node)
{
    return notice_seal(&sample, key, nonce, node->secret_key, room);
}

static bool is_authentic(struct bytes bytes, const void *node)
{
    struct node_id id = node_of(node);
    struct notice m;
    struct bytes opened;

    return notice_open(bytes, key, opened_room, &m, &opened) &&
           notice_signed_by(opened, &id);
}

static void a_sealed_notice_comes_back(void **state)
{
    struct signer node = signer_of(2);
    struct notice m;
    struct bytes opened;

    (void)state;
    assert_true(notice_open(sealed(&node), key, opened_room, &m, &opened));
    assert_int_equal(m.reason, 12);
    assert_true(node_id_equal(&m.whom, &sample.whom));
    assert_int_equal(m.whom_epoch.value, 4);
    assert_int_equal(m.epoch.value, 5);
    assert_int_equal(m.counter, 6);
    assert_int_equal(m.unix_seconds, 7);
}

static void cuts_and_flips_are_refused(void **state)
{
    struct signer node = signer_of(2);

    (void)state;
    assert_all_cuts_refused(sealed(&node), is_authentic, &node);
    assert_all_flips_refused(sealed(&node), is_authentic, &node);
}

/* A relay does not have the key; a member signs with another key. */
static void only_the_refuser_can_make_a_notice(void **state)
{
    static const uint8_t other_key[32] = {9};
    struct signer node = signer_of(2), other = signer_of(3);
    struct notice m;
    struct bytes opened;

    (void)state;
    assert_false(
        notice_open(sealed(&node), other_key, opened_room, &m, &opened));
    assert_false(is_authentic(sealed(&other), &node));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_notice_comes_back),
        cmocka_unit_test(cuts_and_flips_are_refused),
        cmocka_unit_test(only_the_refuser_can_make_a_notice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
