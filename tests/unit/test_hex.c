#include "common/base/hex.h"

#include "tests/unit/kit.h"

static void digits_come_back(void **state)
{
    static const uint8_t data[] = {0x00, 0x9a, 0xff, 0x10};
    uint8_t back[4];
    char text[9];

    (void)state;
    hex_encode(bytes_of(data, sizeof(data)), text);
    assert_string_equal(text, "009aff10");
    assert_true(hex_decode(text, back, sizeof(back)));
    assert_memory_equal(back, data, sizeof(data));
    assert_true(hex_decode("009AfF10", back, sizeof(back)));
    assert_memory_equal(back, data, sizeof(data));
    hex_encode(bytes_of(NULL, 0), text);
    assert_string_equal(text, "");
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {"",     "0",    "009",       "009aff1",
                                      "009a", "00g0", "009a0",     "0x9a",
                                      "00 a", "-09a", "009aff10ff"};
    uint8_t back[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(hex_decode(bad[i], back, sizeof(back)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_come_back),
        cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
