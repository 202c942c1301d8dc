#include "common/core/entropy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct entropy grown_from(uint8_t byte)
{
    struct entropy e;
    uint8_t seed[32];

    memset(seed, byte, sizeof(seed));
    entropy_init(&e, seed);
    return e;
}

static void same_seed_gives_the_same_bytes(void **state)
{
    struct entropy a = grown_from(1), b = grown_from(1), c = grown_from(2);
    uint8_t from_a[100], from_b[100], from_c[100];

    (void)state;
    for (int i = 0; i < 3; i++) {
        entropy_fill(&a, from_a, sizeof(from_a));
        entropy_fill(&b, from_b, sizeof(from_b));
        entropy_fill(&c, from_c, sizeof(from_c));
        assert_memory_equal(from_a, from_b, sizeof(from_a));
        assert_memory_not_equal(from_a, from_c, sizeof(from_a));
    }
}

static void each_draw_is_new_and_replaces_the_key(void **state)
{
    struct entropy e = grown_from(3);
    struct entropy before = e;
    uint8_t first[32], second[32];

    (void)state;
    entropy_fill(&e, first, sizeof(first));
    assert_memory_not_equal(&e, &before, sizeof(e));
    /* The drawn bytes are not the new key. */
    assert_memory_not_equal(e.key, first, sizeof(first));
    entropy_fill(&e, second, sizeof(second));
    assert_memory_not_equal(first, second, sizeof(first));
}

static void earlier_content_of_the_buffer_does_not_matter(void **state)
{
    struct entropy a = grown_from(4), b = grown_from(4);
    uint8_t zeros[64] = {0}, ones[64];

    (void)state;
    memset(ones, 0xff, sizeof(ones));
    entropy_fill(&a, zeros, sizeof(zeros));
    entropy_fill(&b, ones, sizeof(ones));
    assert_memory_equal(zeros, ones, sizeof(ones));
}

static void nothing_drawn_writes_nothing(void **state)
{
    struct entropy e = grown_from(5);
    uint8_t byte = 77;

    (void)state;
    entropy_fill(&e, &byte, 0);
    assert_int_equal(byte, 77);
}

static void below_stays_below_and_reaches_all(void **state)
{
    struct entropy e = grown_from(6);
    int hits[7] = {0};

    (void)state;
    for (int i = 0; i < 7000; i++) {
        uint64_t value = entropy_below(&e, 7);

        assert_true(value < 7);
        hits[value]++;
    }
    for (int i = 0; i < 7; i++) /* 1000 expected, deviation about 29 */
        assert_in_range(hits[i], 800, 1200);
    for (int i = 0; i < 10; i++)
        assert_int_equal(entropy_below(&e, 1), 0);
    for (int i = 0; i < 10; i++)
        assert_true(entropy_below(&e, UINT64_MAX) < UINT64_MAX);
}

static void a_pause_is_half_to_all_of_it(void **state)
{
    struct entropy e = grown_from(9);
    int64_t least = INT64_MAX, most = 0;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        int64_t us = entropy_pause(&e, span_us(101)).us;
        least = us < least ? us : least;
        most = us > most ? us : most;
    }
    assert_int_equal(least, 50);
    assert_int_equal(most, 100);
    assert_int_equal(entropy_pause(&e, span_us(0)).us, 0);
}

static void bits_are_even(void **state)
{
    struct entropy e = grown_from(7);
    int ones[64] = {0};

    (void)state;
    for (int i = 0; i < 4000; i++) {
        uint64_t value = entropy_u64(&e);

        for (int bit = 0; bit < 64; bit++)
            ones[bit] += (int)(value >> bit & 1);
    }
    for (int bit = 0; bit < 64; bit++) /* 2000 expected, deviation 32 */
        assert_in_range(ones[bit], 1800, 2200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_bytes),
        cmocka_unit_test(each_draw_is_new_and_replaces_the_key),
        cmocka_unit_test(earlier_content_of_the_buffer_does_not_matter),
        cmocka_unit_test(nothing_drawn_writes_nothing),
        cmocka_unit_test(below_stays_below_and_reaches_all),
        cmocka_unit_test(a_pause_is_half_to_all_of_it),
        cmocka_unit_test(bits_are_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
