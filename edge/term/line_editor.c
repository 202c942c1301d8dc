#include "edge/term/line_editor.h"

#include "common/base/utf8.h"
#include "common/base/memory.h"
#include "edge/term/sanitize.h"
#include "edge/term/glyph.h"

#include <stdlib.h>
#include <string.h>

void line_editor_close(struct line_editor *e)
{
    for (size_t i = 0; i < e->line_count; i++)
        free(e->lines[i]);
    free(e->draft);
    text_close(&e->line);
    *e = (struct line_editor){0};
}

static void replace(struct line_editor *e, size_t begin, size_t end,
                    struct bytes with)
{
    struct text line = {0};

    text_add(&line, bytes_of(e->line.data, begin));
    text_add(&line, with);
    text_add(&line, bytes_of(e->line.data + end, e->line.size - end));
    text_close(&e->line);
    e->line = line;
    e->cursor = begin + with.size;
}

void line_editor_insert(struct line_editor *e, struct bytes text)
{
    if (e->line.size + text.size > LINE_EDITOR_BYTES || !utf8_valid(text))
        return;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] == 0x7f)
            return;
    replace(e, e->cursor, e->cursor, text);
}

void line_editor_set(struct line_editor *e, const char *line)
{
    text_clear(&e->line);
    text_add_string(&e->line, line);
    e->cursor = e->line.size;
}

static size_t next(const struct line_editor *e)
{
    return e->cursor + glyph_next(bytes_of(e->line.data + e->cursor,
                                           e->line.size - e->cursor),
                                  NULL);
}

static size_t before(const struct line_editor *e)
{
    return glyph_before(text_bytes(&e->line), e->cursor);
}

static size_t word_before(const struct line_editor *e)
{
    size_t at = e->cursor;

    while (at > 0 && e->line.data[at - 1] == ' ')
        at--;
    while (at > 0 && e->line.data[at - 1] != ' ')
        at--;
    return at;
}

static void show_line(struct line_editor *e, size_t number)
{
    if (number > e->line_count || number == e->shown)
        return;
    if (e->shown == 0) {
        free(e->draft);
        e->draft = memory_string(text_string(&e->line));
    }
    e->shown = number;
    line_editor_set(e, number == 0 ? e->draft : e->lines[number - 1]);
}

void line_editor_press(struct line_editor *e, enum line_editor_key key)
{
    struct bytes nothing = bytes_of("", 0);

    switch (key) {
    case LINE_EDITOR_LEFT:
        e->cursor = e->cursor > 0 ? before(e) : 0;
        return;
    case LINE_EDITOR_RIGHT:
        e->cursor = next(e);
        return;
    case LINE_EDITOR_HOME:
        e->cursor = 0;
        return;
    case LINE_EDITOR_END:
        e->cursor = e->line.size;
        return;
    case LINE_EDITOR_BACKSPACE:
        if (e->cursor > 0)
            replace(e, before(e), e->cursor, nothing);
        return;
    case LINE_EDITOR_DELETE:
        replace(e, e->cursor, next(e), nothing);
        return;
    case LINE_EDITOR_ERASE_WORD:
        replace(e, word_before(e), e->cursor, nothing);
        return;
    case LINE_EDITOR_ERASE_BEFORE:
        replace(e, 0, e->cursor, nothing);
        return;
    case LINE_EDITOR_ERASE_AFTER:
        replace(e, e->cursor, e->line.size, nothing);
        return;
    case LINE_EDITOR_OLDER:
        show_line(e, e->shown + 1);
        return;
    case LINE_EDITOR_NEWER:
        if (e->shown > 0)
            show_line(e, e->shown - 1);
        return;
    }
}

void line_editor_done(struct line_editor *e)
{
    const char *line = text_string(&e->line);

    if (line[0] != '\0' &&
        (e->line_count == 0 || strcmp(e->lines[0], line) != 0)) {
        if (e->line_count == LINE_EDITOR_LINES)
            free(e->lines[--e->line_count]);
        memmove(e->lines + 1, e->lines, e->line_count * sizeof(e->lines[0]));
        e->lines[0] = memory_string(line);
        e->line_count++;
    }
    e->shown = 0;
    line_editor_set(e, "");
}

void line_editor_draw(const struct line_editor *e, struct canvas *c, int row,
                      int column, int end)
{
    struct bytes line = text_bytes(&e->line);
    int room = end - column - 1; /* One for the cursor at the end. */
    size_t begin = 0, size;
    int width;

    if (room < 1)
        return;
    int wanted = glyph_columns(bytes_of(line.data, e->cursor));
    /* Scroll by half of the width, so that not every key moves the line. */
    int left = wanted > room ? (wanted - room + room / 2) / (room / 2 + 1) *
                                   (room / 2 + 1)
                             : 0;
    for (int skipped = 0; skipped < left; skipped += width) {
        size =
            glyph_next(bytes_of(line.data + begin, line.size - begin), &width);
        begin += size;
    }
    canvas_put(c, row, column, end, STYLE_PLAIN,
               bytes_of(line.data + begin, line.size - begin));
    c->cursor_row = row;
    c->cursor_column =
        column + glyph_columns(bytes_of(line.data + begin, e->cursor - begin));
}
