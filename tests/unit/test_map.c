#include "common/base/map.h"

#include "tests/unit/kit.h"

enum { KEYS = 3000 };

static const uint8_t hash_key[16] = {1, 2, 3};
static int values[KEYS];

static void an_item_is_found_until_it_is_removed(void **state)
{
    struct map m;

    (void)state;
    map_init(&m, sizeof(uint32_t), hash_key);
    for (uint32_t i = 0; i < KEYS; i++)
        assert_null(map_put(&m, &i, &values[i]));
    assert_int_equal(m.count, KEYS);
    for (uint32_t i = 0; i < KEYS; i += 2)
        assert_ptr_equal(map_remove(&m, &i), &values[i]);
    for (uint32_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&m, &i), i % 2 ? &values[i] : NULL);
    assert_int_equal(m.count, KEYS / 2);
    map_close(&m);
}

static void a_second_put_replaces(void **state)
{
    const uint8_t key[5] = "abcd";
    struct map m;

    (void)state;
    map_init(&m, sizeof(key), hash_key);
    assert_null(map_get(&m, key));
    assert_null(map_remove(&m, key));
    assert_null(map_put(&m, key, &values[0]));
    assert_ptr_equal(map_put(&m, key, &values[1]), &values[0]);
    assert_int_equal(m.count, 1);
    assert_ptr_equal(map_remove(&m, key), &values[1]);
    assert_null(map_get(&m, key));
    map_close(&m);
}

static void a_walk_meets_each_once_and_may_remove(void **state)
{
    static int seen[KEYS];
    struct map m;
    size_t cursor = 0;
    int *value;

    (void)state;
    map_init(&m, sizeof(uint32_t), hash_key);
    for (uint32_t i = 0; i < KEYS; i++)
        map_put(&m, &i, &values[i]);
    while ((value = map_next(&m, &cursor)) != NULL) {
        uint32_t key = (uint32_t)(value - values);

        seen[key]++;
        if (key % 3 != 0)
            assert_ptr_equal(map_remove(&m, &key), value);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(m.count, KEYS / 3);
    map_close(&m);
}

/* Adding and removing items must neither fill the table with tombstones nor
 * grow it. */
static void long_use_stays_small(void **state)
{
    struct map m;

    (void)state;
    map_init(&m, sizeof(uint32_t), hash_key);
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t old = i - 5;

        assert_null(map_put(&m, &i, &values[i % KEYS]));
        if (i >= 5)
            assert_ptr_equal(map_remove(&m, &old), &values[old % KEYS]);
    }
    assert_int_equal(m.count, 5);
    assert_true(m.capacity <= 32);
    map_close(&m);
}

static void an_empty_walk_ends(void **state)
{
    struct map m;
    size_t cursor = 0;

    (void)state;
    map_init(&m, 32, hash_key);
    assert_null(map_next(&m, &cursor));
    map_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_found_until_it_is_removed),
        cmocka_unit_test(a_second_put_replaces),
        cmocka_unit_test(a_walk_meets_each_once_and_may_remove),
        cmocka_unit_test(long_use_stays_small),
        cmocka_unit_test(an_empty_walk_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
