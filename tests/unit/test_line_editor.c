/* Editing the line that the user types, and drawing it on a canvas. */
#include "edge/term/line_editor.h"

#include "tests/unit/kit.h"

#include <locale.h>
#include <stdio.h>

#define NI "\xe4\xbd\xa0"
#define E_ACUTE "e\xcc\x81"

static void type(struct line_editor *e, const char *text)
{
    line_editor_insert(e, bytes_of_string(text));
}

static void press(struct line_editor *e, enum line_editor_key key, int times)
{
    while (times-- > 0)
        line_editor_press(e, key);
}

static void assert_line(struct line_editor *e, const char *line, size_t cursor)
{
    assert_string_equal(text_string(&e->line), line);
    assert_int_equal(e->cursor, cursor);
}

static void letters_are_set_in_and_taken_out(void **state)
{
    struct line_editor e = {0};

    (void)state;
    type(&e, "ab");
    press(&e, LINE_EDITOR_LEFT, 1);
    type(&e, "x");
    assert_line(&e, "axb", 2);
    press(&e, LINE_EDITOR_BACKSPACE, 1);
    assert_line(&e, "ab", 1);
    press(&e, LINE_EDITOR_DELETE, 1);
    assert_line(&e, "a", 1);
    press(&e, LINE_EDITOR_DELETE, 1);
    press(&e, LINE_EDITOR_BACKSPACE, 3);
    assert_line(&e, "", 0);
    line_editor_close(&e);
}

static void a_glyph_moves_as_one(void **state)
{
    struct line_editor e = {0};

    (void)state;
    type(&e, "a" E_ACUTE NI);
    press(&e, LINE_EDITOR_LEFT, 1);
    assert_int_equal(e.cursor, 4);
    press(&e, LINE_EDITOR_LEFT, 1);
    assert_int_equal(e.cursor, 1);
    press(&e, LINE_EDITOR_DELETE, 1);
    assert_line(&e, "a" NI, 1);
    press(&e, LINE_EDITOR_RIGHT, 5);
    assert_line(&e, "a" NI, 4);
    press(&e, LINE_EDITOR_BACKSPACE, 1);
    assert_line(&e, "a", 1);
    line_editor_close(&e);
}

static void words_and_ends_are_erased(void **state)
{
    struct line_editor e = {0};

    (void)state;
    type(&e, "one two  ");
    press(&e, LINE_EDITOR_ERASE_WORD, 1);
    assert_line(&e, "one ", 4);
    type(&e, "three");
    press(&e, LINE_EDITOR_HOME, 1);
    press(&e, LINE_EDITOR_RIGHT, 3);
    press(&e, LINE_EDITOR_ERASE_AFTER, 1);
    assert_line(&e, "one", 3);
    press(&e, LINE_EDITOR_LEFT, 1);
    press(&e, LINE_EDITOR_ERASE_BEFORE, 1);
    assert_line(&e, "e", 0);
    press(&e, LINE_EDITOR_END, 1);
    assert_int_equal(e.cursor, 1);
    line_editor_close(&e);
}

static void control_characters_are_not_text(void **state)
{
    struct line_editor e = {0};

    (void)state;
    type(&e, "\x1b[2J");
    type(&e, "\xff");
    assert_line(&e, "", 0);
    line_editor_close(&e);
}

static void lines_before_come_again(void **state)
{
    struct line_editor e = {0};

    (void)state;
    type(&e, "first");
    line_editor_done(&e);
    type(&e, "second");
    line_editor_done(&e);
    line_editor_done(&e); /* An empty line is not kept. */
    type(&e, "draft");
    press(&e, LINE_EDITOR_OLDER, 1);
    assert_line(&e, "second", 6);
    press(&e, LINE_EDITOR_OLDER, 5);
    assert_line(&e, "first", 5);
    press(&e, LINE_EDITOR_NEWER, 2);
    assert_line(&e, "draft", 5);
    press(&e, LINE_EDITOR_NEWER, 1);
    assert_line(&e, "draft", 5);
    line_editor_close(&e);
}

static void only_so_many_lines_are_kept(void **state)
{
    struct line_editor e = {0};
    char line[16];

    (void)state;
    for (int i = 0; i < LINE_EDITOR_LINES + 10; i++) {
        snprintf(line, sizeof(line), "line %d", i);
        type(&e, line);
        line_editor_done(&e);
    }
    press(&e, LINE_EDITOR_OLDER, LINE_EDITOR_LINES + 10);
    assert_string_equal(text_string(&e.line), "line 10");
    line_editor_close(&e);
}

static void the_cursor_is_always_in_sight(void **state)
{
    struct canvas c = {0};
    struct line_editor e = {0};

    (void)state;
    for (int i = 0; i < 60; i++) {
        canvas_size(&c, 1, 20);
        line_editor_draw(&e, &c, 0, 2, 20);
        assert_int_equal(c.cursor_row, 0);
        assert_in_range(c.cursor_column, 2, 19);
        type(&e, i % 3 == 0 ? NI : "x");
    }
    press(&e, LINE_EDITOR_HOME, 1);
    canvas_size(&c, 1, 20);
    line_editor_draw(&e, &c, 0, 2, 20);
    assert_int_equal(c.cursor_column, 2);
    canvas_close(&c);
    line_editor_close(&e);
}

/* --- The canvas itself */

static void assert_row(const struct canvas *c, int row, const char *want)
{
    struct text got = {0};

    canvas_row(c, row, &got);
    assert_string_equal(text_string(&got), want);
    text_close(&got);
}

static void a_canvas_is_not_written_beyond(void **state)
{
    struct canvas c = {0};

    (void)state;
    canvas_size(&c, 2, 5);
    assert_int_equal(canvas_put_string(&c, 0, 0, 99, STYLE_NAME, "abcdefg"), 5);
    assert_int_equal(canvas_put_string(&c, 1, 2, 99, STYLE_NAME, NI NI), 4);
    canvas_put_string(&c, 2, 0, 99, STYLE_NAME, "below");
    canvas_put_string(&c, -1, 0, 99, STYLE_NAME, "above");
    assert_row(&c, 0, "abcde");
    assert_row(&c, 1, "  " NI);
    assert_int_equal(canvas_cell(&c, 1, 2)->style, STYLE_NAME);
    assert_int_equal(canvas_cell(&c, 1, 3)->size, 0);
    canvas_close(&c);
}

static void text_stands_at_the_right(void **state)
{
    struct canvas c = {0};

    (void)state;
    canvas_size(&c, 1, 8);
    assert_int_equal(canvas_put_right(&c, 0, 0, 8, STYLE_PLAIN, NI), 6);
    assert_row(&c, 0, "      " NI);
    assert_int_equal(
        canvas_put_right(&c, 0, 3, 8, STYLE_PLAIN, "too long for it"), 3);
    assert_row(&c, 0, "   too l");
    canvas_close(&c);
}

static void any_size_is_a_canvas(void **state)
{
    struct canvas c = {0};

    (void)state;
    canvas_size(&c, 0, -3);
    assert_int_equal(c.rows, 1);
    assert_int_equal(c.columns, 1);
    assert_row(&c, 0, "");
    canvas_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_set_in_and_taken_out),
        cmocka_unit_test(a_glyph_moves_as_one),
        cmocka_unit_test(words_and_ends_are_erased),
        cmocka_unit_test(control_characters_are_not_text),
        cmocka_unit_test(lines_before_come_again),
        cmocka_unit_test(only_so_many_lines_are_kept),
        cmocka_unit_test(the_cursor_is_always_in_sight),
        cmocka_unit_test(a_canvas_is_not_written_beyond),
        cmocka_unit_test(text_stands_at_the_right),
        cmocka_unit_test(any_size_is_a_canvas),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
