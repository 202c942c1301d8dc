#include "common/base/utf8.h"

#include "tests/unit/kit.h"

static const struct {
    const char *text;
    uint32_t first;
} rows[] = {
    {"a", 'a'},
    {"\xc3\xa9", 0xe9},
    {"\xe2\x82\xac", 0x20ac},
    {"\xf0\x9f\x98\x80", 0x1f600},
    {"\xf4\x8f\xbf\xbf", 0x10ffff},
    {"\x80", UTF8_BAD},     /* a tail alone */
    {"\xc0\x80", UTF8_BAD}, /* not the shortest */
    {"\xe0\x80\x80", UTF8_BAD},
    {"\xed\xa0\x80", UTF8_BAD},     /* a surrogate */
    {"\xf4\x90\x80\x80", UTF8_BAD}, /* beyond the end */
    {"\xe2\x82", UTF8_BAD},         /* cut */
    {"\xff", UTF8_BAD},
};

static void each_form_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes text = bytes_of_string(rows[i].text);
        bool valid = rows[i].first != UTF8_BAD;
        uint32_t c = 0;
        struct utf8 at = utf8_of(rows[i].text, text.size);
        assert_true(utf8_next(&at, &c));
        assert_int_equal(c, rows[i].first);
        assert_int_equal(utf8_valid(text), valid);
        assert_int_equal(utf8_length(text.data, text.data + text.size),
                         valid ? text.size : 0);
    }
}

static void a_walk_goes_on_behind_a_bad_byte(void **state)
{
    struct utf8 at = utf8_of("\xe2\x82x", 3);
    uint32_t c = 0;

    (void)state;
    assert_true(utf8_next(&at, &c));
    assert_int_equal(c, UTF8_BAD);
    assert_true(utf8_next(&at, &c));
    assert_int_equal(c, UTF8_BAD);
    assert_true(utf8_next(&at, &c));
    assert_int_equal(c, 'x');
    assert_false(utf8_next(&at, &c));
    assert_true(utf8_valid(bytes_of(NULL, 0)));
    assert_false(utf8_valid(bytes_of_string("good, then cut \xe2\x82")));
}

/* Encodes by RFC 3629, section 3, even characters that must not be encoded. */
static size_t encode(uint32_t c, uint8_t to[4])
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        to[i] = (uint8_t)(0x80 | (c & 0x3f));
    to[0] = (uint8_t)(lead[size] | c);
    return size;
}

static void each_character_but_surrogates_is_valid(void **state)
{
    uint8_t text[4];

    (void)state;
    for (uint32_t c = 0; c < 0x110800; c++) {
        size_t size = encode(c, text);
        bool valid = c <= 0x10ffff && (c < 0xd800 || c >= 0xe000);
        uint32_t got = 0;
        struct utf8 at = utf8_of((const char *)text, size);
        assert_true(utf8_next(&at, &got));
        assert_int_equal(got, valid ? c : UTF8_BAD);
        assert_int_equal(utf8_valid(bytes_of(text, size)), valid);
    }
}

static void a_text_may_come_in_pieces(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    size_t size = sizeof text - 1;

    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        struct utf8_check u = {0};
        assert_true(utf8_check(&u, bytes_of(text, cut)));
        assert_int_equal(u.need == 0, utf8_valid(bytes_of(text, cut)));
        assert_true(utf8_check(&u, bytes_of(text + cut, size - cut)));
        assert_int_equal(u.need, 0);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes whole = bytes_of_string(rows[i].text);
        struct utf8_check u = {0};
        bool good = true;
        for (size_t at = 0; good && at < whole.size; at++)
            good = utf8_check(&u, bytes_of(whole.data + at, 1));
        assert_int_equal(good && u.need == 0, rows[i].first != UTF8_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_judged),
        cmocka_unit_test(a_walk_goes_on_behind_a_bad_byte),
        cmocka_unit_test(each_character_but_surrogates_is_valid),
        cmocka_unit_test(a_text_may_come_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
