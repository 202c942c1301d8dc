/*
 * Each test runs with both ciphers, as far as this processor has them.
 */
#include "common/core/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

static const char header_text[] = "header";
static const char text[] = "what only the two ends may read";

enum { TEXT = sizeof(text), SEALED = TEXT + SEAL_TAG_SIZE };

static struct bytes header(void)
{
    return bytes_of_string(header_text);
}

static enum cipher cipher;
static struct seal a, b; /* the two ends */

static int wipe_both(void **state)
{
    (void)state;
    seal_wipe(&a);
    seal_wipe(&b);
    return 0;
}

static void pair_up(void)
{
    uint8_t one[32], two[32];

    memset(one, 1, sizeof(one));
    memset(two, 2, sizeof(two));
    seal_wipe(&a);
    seal_wipe(&b);
    seal_init(&a, cipher, one, two);
    seal_init(&b, cipher, two, one);
}

static uint64_t seal_text(struct seal *s, uint8_t room[SEALED])
{
    uint64_t number = seal_number(s);

    memcpy(room, text, TEXT);
    seal_close(s, header(), bytes_of(room, TEXT), room);
    return number;
}

static uint64_t seal_text_as(struct seal *s, uint64_t number,
                             uint8_t room[SEALED])
{
    s->next_number = number;
    return seal_text(s, room);
}

static enum seal_verdict open_text(struct seal *s, uint64_t number,
                                   const uint8_t sealed[SEALED])
{
    uint8_t plain[SEALED];
    enum seal_verdict verdict =
        seal_open(s, number, header(), bytes_of(sealed, SEALED), plain);

    if (verdict == SEAL_OPENED)
        assert_memory_equal(plain, text, TEXT);
    return verdict;
}

static void opens_at_the_other_end_both_ways(void **state)
{
    uint8_t room[SEALED];

    (void)state;
    pair_up();
    for (uint64_t n = 1; n <= 100; n++) {
        assert_int_equal(seal_text(&a, room), n);
        assert_memory_not_equal(room, text, TEXT);
        assert_int_equal(open_text(&b, n, room), SEAL_OPENED);
        assert_int_equal(seal_text(&b, room), n);
        assert_int_equal(open_text(&a, n, room), SEAL_OPENED);
    }
}

static void opens_in_place(void **state)
{
    uint8_t room[SEALED];

    (void)state;
    pair_up();
    seal_text(&a, room);
    assert_int_equal(seal_open(&b, 1, header(), bytes_of(room, SEALED), room),
                     SEAL_OPENED);
    assert_memory_equal(room, text, TEXT);
}

/* Computes the packet from the keys and nonces of [P-6.3]. */
static void key_and_nonce_are_as_the_rule_says(void **state)
{
    static const char label[] = "zs1 aes-256-gcm";
    static const uint8_t nonce[12] = {0,    0, 0, 0, 0x08, 0x07,
                                      0x06, 5, 4, 3, 2,    1};
    const uint8_t *ad = (const uint8_t *)header_text;
    uint8_t room[SEALED], plain[TEXT], split[32], key[32];
    int opened;

    (void)state;
    pair_up();
    seal_text_as(&a, 0x0102030405060708, room);
    memset(split, 1, sizeof(split));
    crypto_generichash(key, 32, (const uint8_t *)label, strlen(label), split,
                       32);
    if (cipher == CIPHER_AES)
        opened =
            crypto_aead_aes256gcm_decrypt(plain, NULL, NULL, room, SEALED, ad,
                                          strlen(header_text), nonce, key);
    else
        opened = crypto_aead_chacha20poly1305_ietf_decrypt(
            plain, NULL, NULL, room, SEALED, ad, strlen(header_text), nonce,
            split);
    assert_int_equal(opened, 0);
    assert_memory_equal(plain, text, TEXT);
}

static void worn_when_either_key_did_its_share(void **state)
{
    uint64_t share = (uint64_t)1 << (cipher == CIPHER_AES ? 23 : 32);
    uint8_t room[SEALED];

    (void)state;
    pair_up();
    assert_false(seal_is_worn(&a));
    seal_text_as(&a, share - 1, room);
    assert_int_equal(open_text(&b, share - 1, room), SEAL_OPENED);
    assert_false(seal_is_worn(&a));
    assert_false(seal_is_worn(&b));
    seal_text(&a, room);
    assert_int_equal(open_text(&b, share, room), SEAL_OPENED);
    assert_true(seal_is_worn(&a));
    assert_true(seal_is_worn(&b));
}

static void refuses_whatever_was_changed(void **state)
{
    uint8_t room[SEALED], plain[SEALED];

    (void)state;
    pair_up();
    seal_text(&a, room);
    for (size_t i = 0; i < SEALED; i++) {
        room[i] ^= 1;
        assert_int_equal(open_text(&b, 1, room), SEAL_FORGED);
        room[i] ^= 1;
    }
    assert_int_equal(open_text(&b, 2, room), SEAL_FORGED); /* another number */
    assert_int_equal(seal_open(&b, 1, bytes_of_string("Header"),
                               bytes_of(room, SEALED), plain),
                     SEAL_FORGED);
    assert_int_equal(
        seal_open(&b, 1, header(), bytes_of(room, SEALED - 1), plain),
        SEAL_FORGED);
    assert_int_equal(open_text(&a, 1, room), SEAL_FORGED); /* reflected */
    /* After all forgeries the genuine packet still opens. */
    assert_int_equal(open_text(&b, 1, room), SEAL_OPENED);
}

static void refuses_what_is_shorter_than_a_tag(void **state)
{
    uint8_t room[SEALED] = {0}, plain[SEALED];

    (void)state;
    pair_up();
    for (size_t size = 0; size < SEAL_TAG_SIZE; size++)
        assert_int_equal(
            seal_open(&b, 1, header(), bytes_of(room, size), plain),
            SEAL_FORGED);
    /* The tag alone is an empty text. */
    seal_close(&a, header(), bytes_of(room, 0), room);
    assert_int_equal(
        seal_open(&b, 1, header(), bytes_of(room, SEAL_TAG_SIZE), plain),
        SEAL_OPENED);
}

static void refuses_replays_and_number_zero(void **state)
{
    uint8_t room[SEALED];

    (void)state;
    pair_up();
    seal_text(&a, room);
    assert_int_equal(open_text(&b, 1, room), SEAL_OPENED);
    assert_int_equal(open_text(&b, 1, room), SEAL_REPLAYED);
    seal_text_as(&a, 0, room);
    assert_int_equal(open_text(&b, 0, room), SEAL_REPLAYED);
}

static void takes_each_of_a_shuffled_window_once(void **state)
{
    uint8_t room[SEALED];

    (void)state;
    pair_up();
    for (uint64_t i = 0; i < SEAL_WINDOW; i++) { /* 1021: a prime */
        uint64_t number = 1 + i * 1021 % SEAL_WINDOW;

        seal_text_as(&a, number, room);
        assert_int_equal(open_text(&b, number, room), SEAL_OPENED);
        assert_int_equal(open_text(&b, number, room), SEAL_REPLAYED);
    }
}

static void window_ends_exactly(void **state)
{
    static const uint64_t tops[] = {SEAL_WINDOW + 1, SEAL_WINDOW + 64,
                                    2 * SEAL_WINDOW, 1000000007};
    uint8_t room[SEALED];

    (void)state;
    for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
        uint64_t oldest = tops[i] - SEAL_WINDOW + 1;

        pair_up();
        seal_text_as(&a, tops[i], room);
        assert_int_equal(open_text(&b, tops[i], room), SEAL_OPENED);
        seal_text_as(&a, oldest - 1, room);
        assert_int_equal(open_text(&b, oldest - 1, room), SEAL_REPLAYED);
        seal_text_as(&a, oldest, room);
        assert_int_equal(open_text(&b, oldest, room), SEAL_OPENED);
        assert_int_equal(open_text(&b, oldest, room), SEAL_REPLAYED);
    }
}

/* When the window moves, a slot still has the mark of an earlier number, which
 * must not count. */
static void places_are_fresh_when_the_window_moves(void **state)
{
    static const uint64_t steps[] = {1, 2, 63, 64, 65, 4095, 4096, 4097, 9999};
    uint8_t room[SEALED];

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        pair_up();
        for (uint64_t n = 1; n <= SEAL_WINDOW; n++) {
            seal_text_as(&a, n, room);
            assert_int_equal(open_text(&b, n, room), SEAL_OPENED);
        }
        seal_text_as(&a, SEAL_WINDOW + steps[i], room);
        assert_int_equal(open_text(&b, SEAL_WINDOW + steps[i], room),
                         SEAL_OPENED);
        for (uint64_t n = steps[i] + 1; n < SEAL_WINDOW + steps[i]; n++) {
            seal_text_as(&a, n, room);
            assert_int_equal(open_text(&b, n, room),
                             n <= SEAL_WINDOW ? SEAL_REPLAYED : SEAL_OPENED);
        }
    }
}

static void far_ahead_moves_it_only_if_authentic(void **state)
{
    uint8_t room[SEALED], forged[SEALED] = {0};

    (void)state;
    pair_up();
    seal_text(&a, room);
    assert_int_equal(open_text(&b, UINT64_MAX, forged), SEAL_FORGED);
    assert_int_equal(open_text(&b, 1, room), SEAL_OPENED);

    seal_text_as(&a, UINT64_MAX - 2, room);
    assert_int_equal(open_text(&b, UINT64_MAX - 2, room), SEAL_OPENED);
    seal_text_as(&a, UINT64_MAX - 1, room);
    assert_int_equal(open_text(&b, UINT64_MAX - 1, room), SEAL_OPENED);
    assert_int_equal(open_text(&b, UINT64_MAX - 1, room), SEAL_REPLAYED);
    seal_text_as(&a, 2, room);
    assert_int_equal(open_text(&b, 2, room), SEAL_REPLAYED);
}

static void wiping_leaves_nothing(void **state)
{
    static const struct seal empty;

    (void)state;
    pair_up();
    seal_wipe(&a);
    assert_memory_equal(&a, &empty, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(opens_at_the_other_end_both_ways, wipe_both),
        cmocka_unit_test_teardown(opens_in_place, wipe_both),
        cmocka_unit_test_teardown(key_and_nonce_are_as_the_rule_says,
                                  wipe_both),
        cmocka_unit_test_teardown(worn_when_either_key_did_its_share,
                                  wipe_both),
        cmocka_unit_test_teardown(refuses_whatever_was_changed, wipe_both),
        cmocka_unit_test_teardown(refuses_what_is_shorter_than_a_tag,
                                  wipe_both),
        cmocka_unit_test_teardown(refuses_replays_and_number_zero, wipe_both),
        cmocka_unit_test_teardown(takes_each_of_a_shuffled_window_once,
                                  wipe_both),
        cmocka_unit_test_teardown(window_ends_exactly, wipe_both),
        cmocka_unit_test_teardown(places_are_fresh_when_the_window_moves,
                                  wipe_both),
        cmocka_unit_test_teardown(far_ahead_moves_it_only_if_authentic,
                                  wipe_both),
        cmocka_unit_test_teardown(wiping_leaves_nothing, wipe_both),
    };

    int failed;

    if (sodium_init() < 0)
        return 1;
    cipher = CIPHER_CHACHA;
    failed = cmocka_run_group_tests_name("chacha", tests, NULL, NULL);
    if (crypto_aead_aes256gcm_is_available()) {
        cipher = CIPHER_AES;
        failed += cmocka_run_group_tests_name("aes", tests, NULL, NULL);
    }
    return failed;
}
