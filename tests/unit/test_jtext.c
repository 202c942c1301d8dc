/* JSON as text: which texts are valid, compared with a table and jansson. */
#include "common/base/jtext.h"
#include "common/base/text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool valid(const char *text)
{
    return jtext_valid(bytes_of_string(text));
}

static void right_texts_are_taken(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "10",
        "1.5",
        "-1.5e+10",
        "2E3",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        "\"\\u00e4\\n\\\\\\/\"",
        "\"\\ud83d\\ude00\"",
        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "[]",
        "{}",
        "[[],{}]",
        " [ 1 , 2 ] ",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"\"}",
        "\t\r\n1\n",
        "{ }",
        "[ ]",
        "[{}]",
        "{\"\":0}",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!valid(texts[i]))
            fail_msg("refused: %s", texts[i]);
}

static void wrong_texts_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "tru",
        "nul",
        "truee",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\n\"",
        "\"\x01\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xe0\x80\x80\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "1 2",
        "[] []",
        "{}}",
        "'a'",
        "NaN",
        "\\",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (valid(texts[i]))
            fail_msg("taken: %s", texts[i]);
}

static void nesting_is_bounded(void **state)
{
    char text[2 * JTEXT_DEPTH + 3];
    (void)state;

    memset(text, '[', JTEXT_DEPTH);
    memset(text + JTEXT_DEPTH, ']', JTEXT_DEPTH);
    text[2 * JTEXT_DEPTH] = '\0';
    assert_true(valid(text));
    memset(text, '[', JTEXT_DEPTH + 1);
    memset(text + JTEXT_DEPTH + 1, ']', JTEXT_DEPTH + 1);
    text[2 * JTEXT_DEPTH + 2] = '\0';
    assert_false(valid(text));
}

/* The parser agrees with jansson about every text that differs from a valid one
 * in a byte or two. */
static void jansson_agrees_on_damaged_texts(void **state)
{
    static const char right[] = "{\"a\":[1,-2.5e1,\"x\\u00e4\\n\",true],"
                                "\"b\":{\"c\":null,\"d\":\"\xc3\xa4\"} }";
    static const char bytes[] = "\"\\{}[]:,0-.e \ntu\x01\xc3\xff";
    (void)state;
    size_t refused = 0;

    for (size_t i = 0; i < sizeof(right) - 1; i++) {
        for (size_t j = 0; j < sizeof(bytes) - 1; j++) {
            char text[sizeof(right)];
            memcpy(text, right, sizeof(right));
            text[i] = bytes[j];
            text[(i * 7 + j) % (sizeof(right) - 1)] = bytes[(i + j) % 18];
            json_t *judged = json_loadb(text, sizeof(right) - 1,
                                        JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
            bool ours = jtext_valid(bytes_of(text, sizeof(right) - 1));
            if (ours != (judged != NULL))
                fail_msg("judged otherwise: %s", text);
            refused += !ours;
            json_decref(judged);
        }
    }
    assert_true(refused > 100);
}

static void members_are_views_into_the_text(void **state)
{
    struct jtext_walk w;
    struct bytes key, value;
    (void)state;

    assert_true(jtext_enter(
        &w, bytes_of_string(" {\"a\" : [1, 2] ,\"b\":\"x\"} "), '{'));
    assert_true(jtext_member(&w, &key, &value));
    assert_true(jtext_is(key, "a") && jtext_is(value, "[1, 2]"));
    assert_false(jtext_is_scalar(value));
    assert_false(jtext_left(&w));
    assert_true(jtext_member(&w, &key, &value));
    assert_true(jtext_is(key, "b") && jtext_is(value, "\"x\""));
    assert_true(jtext_is_string(value) && jtext_is_scalar(value));
    assert_false(jtext_member(&w, &key, &value));
    assert_true(jtext_left(&w));

    assert_true(jtext_enter(&w, bytes_of_string("[1,{}]"), '['));
    assert_true(jtext_element(&w, &value) && jtext_is(value, "1"));
    assert_true(jtext_element(&w, &value) && jtext_is(value, "{}"));
    assert_false(jtext_element(&w, &value));
    assert_true(jtext_left(&w));
    assert_false(jtext_enter(&w, bytes_of_string("[]"), '{'));
    assert_false(jtext_enter(&w, bytes_of_string(""), '{'));
}

static void a_walk_tells_what_is_wrong_at_its_end(void **state)
{
    static const char *const texts[] = {"{",
                                        "{\"a\":1",
                                        "{\"a\":1}x",
                                        "{\"a\":1,}",
                                        "{\"a\":1 \"b\":2}",
                                        "{\"a\":[}",
                                        "{a:1}",
                                        "{}{}"};
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct jtext_walk w;
        struct bytes key, value;
        assert_true(jtext_enter(&w, bytes_of_string(texts[i]), '{'));
        while (jtext_member(&w, &key, &value))
            ;
        assert_false(jtext_left(&w));
    }
}

static void strings_are_resolved_within_their_room(void **state)
{
    static const char value[] =
        "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20ac\\ud83d\\ude00z\"";
    static const char meant[] = "a\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac"
                                "\xf0\x9f\x98\x80z";
    char room[64];
    size_t length;
    (void)state;

    assert_true(
        jtext_string(bytes_of_string(value), room, sizeof(room), &length));
    assert_string_equal(room, meant);
    assert_int_equal(length, strlen(meant));
    assert_true(
        jtext_string(bytes_of_string(value), room, sizeof(meant), &length));
    assert_false(
        jtext_string(bytes_of_string(value), room, sizeof(meant) - 1, &length));
    assert_false(jtext_string(bytes_of_string("17"), room, 64, &length));
    assert_false(jtext_string((struct bytes){0}, room, 64, &length));
}

static void numbers_are_whole_and_fit(void **state)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "1.0",
                                      "1e3",
                                      "x",
                                      "18446744073709551616",
                                      "99999999999999999999",
                                      "\"1\""};
    uint64_t n;
    (void)state;

    assert_true(jtext_number(bytes_of_string("0"), &n) && n == 0);
    assert_true(jtext_number(bytes_of_string("18446744073709551615"), &n));
    assert_true(n == UINT64_MAX);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(jtext_number(bytes_of_string(bad[i]), &n));
}

static void written_text_can_be_read_again(void **state)
{
    struct text t = {0};
    char bytes[256];
    (void)state;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    text_add_json(&t, bytes_of(bytes, 128));
    json_t *back =
        json_loadb(t.data, t.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(back);
    assert_int_equal(json_string_length(back), 128);
    assert_memory_equal(json_string_value(back), bytes, 128);
    json_decref(back);

    text_clear(&t);
    text_add_json(&t, bytes_of(bytes + 128, 128)); /* not UTF-8 at all */
    assert_true(jtext_valid(text_bytes(&t)));
    assert_int_equal(t.size, 2 + 3 * 128);
    text_close(&t);
}

/* The parser looks at eight bytes at once, so the test puts each byte at each
 * place among them. */
static void plain_bytes_are_told_from_others(void **state)
{
    uint8_t text[17];
    (void)state;

    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 0; at < sizeof(text); at++) {
            bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            memset(text, at % 2 == 0 ? ' ' : 0x7f, sizeof(text));
            text[at] = (uint8_t)c;
            size_t end =
                (size_t)(jtext_plain(text, text + sizeof(text)) - text);
            assert_int_equal(end, plain ? sizeof(text) : at);
        }
    }
}

static void numbers_and_times_are_written_shortly(void **state)
{
    struct text t = {0};
    (void)state;

    text_add_ms(&t, 12100);
    text_add_char(&t, ' ');
    text_add_ms(&t, 43);
    text_add_char(&t, ' ');
    text_add_ms(&t, 3000000);
    text_add_char(&t, ' ');
    text_add_ms(&t, 0);
    text_add_char(&t, ' ');
    text_add_number(&t, UINT64_MAX);
    assert_string_equal(text_string(&t),
                        "12.1 0.043 3000 0 18446744073709551615");
    text_drop(&t, 5);
    assert_string_equal(text_string(&t), "0.043 3000 0 18446744073709551615");
    text_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_texts_are_taken),
        cmocka_unit_test(wrong_texts_are_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(jansson_agrees_on_damaged_texts),
        cmocka_unit_test(members_are_views_into_the_text),
        cmocka_unit_test(a_walk_tells_what_is_wrong_at_its_end),
        cmocka_unit_test(strings_are_resolved_within_their_room),
        cmocka_unit_test(numbers_are_whole_and_fit),
        cmocka_unit_test(written_text_can_be_read_again),
        cmocka_unit_test(plain_bytes_are_told_from_others),
        cmocka_unit_test(numbers_and_times_are_written_shortly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
