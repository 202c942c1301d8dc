/* Text from other nodes, made safe to show. */
#include "edge/term/sanitize.h"

#include "common/base/utf8.h"
#include "tests/unit/kit.h"

#include <locale.h>
#include <stdlib.h>

static void assert_clean(struct bytes text, enum sanitize_form form,
                         const char *want)
{
    char *got = sanitize_string(text, form, 1000);

    assert_string_equal(got, want);
    free(got);
}

static void control_sequences_of_terminals_are_removed(void **state)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"plain \xc3\xa4 \xe4\xbd\xa0", "plain \xc3\xa4 \xe4\xbd\xa0"},
        {"\x1b[31mred\x1b]0;title\a", "?[31mred?]0;title?"},
        {"\xc2\x9b"
         "2J",
         "?2J"}, /* CSI as one C1 character */
        {"a\x9b"
         "2J",
         "a?2J"}, /* as a byte, which is not UTF-8 */
        {"a\rb", "a?b"},
        {"a\r\nb", "a\nb"},
        {"a\tb\x7f\x08", "a b??"},
        /* NOLINTNEXTLINE(misc-misleading-bidirectional) */
        {"\xe2\x80\xae"
         "evil",
         "?evil"},                 /* right to left */
        {"\xe2\x80\xa8", "?"},     /* a line separator */
        {"\xef\xbb\xbfx", "?x"},   /* a byte order mark */
        {"\xf3\xa0\x81\x81", "?"}, /* a tag */
        {"p\xe2\x80\x8d\xef\xb8\x8fq", "pq"},
        {"\xf0\x9f\x91\x8b\xf0\x9f\x8f\xbd", "\xf0\x9f\x91\x8b"},
        {"\xc0\xaf\xed\xa0\x80", "?????"}, /* overlong, half a pair */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_clean(bytes_of_string(cases[i].text), SANITIZE_LINES,
                     cases[i].clean);
    assert_clean(bytes_of("a\0b", 3), SANITIZE_LINES, "a?b");
}

static void a_line_stays_one(void **state)
{
    (void)state;
    assert_clean(bytes_of_string("hi\nalice: forged"), SANITIZE_LINE,
                 "hi / alice: forged");
}

static void marks_do_not_pile_up(void **state)
{
    char text[64] = "a", want[16] = "a";

    (void)state;
    for (int i = 0; i < 20; i++)
        strcat(text, "\xcc\x81");
    for (int i = 0; i < 4; i++)
        strcat(want, "\xcc\x81");
    assert_clean(bytes_of_string(text), SANITIZE_LINES, want);
}

static void long_text_is_cut_between_characters(void **state)
{
    char *got;

    (void)state;
    got = sanitize_string(bytes_of_string("abcdefgh"), SANITIZE_LINE, 5);
    assert_string_equal(got, "abcde... (3 bytes more)");
    free(got);
    got = sanitize_string(bytes_of_string("abc\xe4\xbd\xa0"), SANITIZE_LINE, 5);
    assert_string_equal(got, "abc... (3 bytes more)");
    free(got);
}

/* Any bytes become UTF-8 without control characters. */
static void any_bytes_become_plain_text(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[40];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(seed >> 24);
        }
        char *got = sanitize_string(bytes_of(bytes, sizeof(bytes)),
                                    SANITIZE_LINE, sizeof(bytes));
        assert_true(utf8_valid(bytes_of_string(got)));
        for (const char *c = got; *c; c++)
            assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_sequences_of_terminals_are_removed),
        cmocka_unit_test(a_line_stays_one),
        cmocka_unit_test(marks_do_not_pile_up),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(any_bytes_become_plain_text),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
