/* Characters, their columns, and where a line is broken. */
#include "edge/term/glyph.h"

#include "tests/unit/kit.h"

#include <locale.h>

#define NIHAO "\xe4\xbd\xa0\xe5\xa5\xbd"

static struct bytes of(const char *text)
{
    return bytes_of_string(text);
}

static void columns_are_those_of_a_terminal(void **state)
{
    static const struct {
        const char *text;
        int columns;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {NIHAO, 4},
        {"e\xcc\x81", 1},        /* e and an acute accent */
        {"\xcc\x81", 1},         /* an accent alone */
        {"\xf0\x9f\x91\x8b", 2}, /* an emoji */
        {"\xff\xfe", 2},         /* not UTF-8 */
        {"a\xc3\xa4\xe2\x82\xac", 3},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(glyph_columns(of(cases[i].text)), cases[i].columns);
}

static void a_glyph_is_a_character_with_its_marks(void **state)
{
    int columns;

    (void)state;
    assert_int_equal(glyph_next(of("e\xcc\x81x"), &columns), 3);
    assert_int_equal(columns, 1);
    assert_int_equal(glyph_next(of(NIHAO), &columns), 3);
    assert_int_equal(columns, 2);
    assert_int_equal(glyph_next(of(""), &columns), 0);
    assert_int_equal(glyph_before(of("ae\xcc\x81"), 4), 1);
    assert_int_equal(glyph_before(of("ab"), 1), 0);
}

static void no_half_of_a_wide_glyph_fits(void **state)
{
    (void)state;
    assert_int_equal(glyph_fit(of(NIHAO), 3), 3);
    assert_int_equal(glyph_fit(of(NIHAO), 4), 6);
    assert_int_equal(glyph_fit(of("abc"), 0), 0);
}

static void a_line_is_broken_at_a_space_if_it_can(void **state)
{
    static const struct {
        const char *text;
        int columns;
        size_t taken, skip;
    } cases[] = {
        {"one two", 10, 7, 0},  {"one two", 7, 7, 0},   {"one two", 6, 3, 1},
        {"one two", 3, 3, 1},   {"onetwo", 4, 4, 0},    {"a\nb", 9, 1, 1},
        {"\nb", 9, 0, 1},       {NIHAO NIHAO, 5, 6, 0}, {NIHAO, 1, 3, 0},
        {"ab cd\nef", 4, 2, 1}, {" abcdef", 4, 0, 1},   {"", 4, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t skip;
        assert_int_equal(glyph_wrap(of(cases[i].text), cases[i].columns, &skip),
                         cases[i].taken);
        assert_int_equal(skip, cases[i].skip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(a_glyph_is_a_character_with_its_marks),
        cmocka_unit_test(no_half_of_a_wide_glyph_fits),
        cmocka_unit_test(a_line_is_broken_at_a_space_if_it_can),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
