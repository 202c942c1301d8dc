#include "edge/term/canvas.h"

#include "common/base/memory.h"
#include "edge/term/glyph.h"

#include <stdlib.h>
#include <string.h>

void canvas_close(struct canvas *c)
{
    free(c->cells);
    *c = (struct canvas){0};
}

static int bounded(int size)
{
    if (size < 1)
        return 1;
    return size > CANVAS_MOST ? CANVAS_MOST : size;
}

static struct canvas_cell *cell_at(const struct canvas *c, int row, int column)
{
    return &c->cells[(size_t)row * (size_t)c->columns + (size_t)column];
}

static void set(struct canvas_cell *cell, enum style style, struct bytes glyph)
{
    cell->style = (uint8_t)style;
    cell->size = (uint8_t)glyph.size;
    memcpy(cell->glyph, glyph.data, glyph.size);
}

void canvas_size(struct canvas *c, int rows, int columns)
{
    rows = bounded(rows);
    columns = bounded(columns);
    if (rows != c->rows || columns != c->columns) {
        canvas_close(c);
        c->rows = rows;
        c->columns = columns;
        c->cells =
            memory_array((size_t)rows * (size_t)columns, sizeof(*c->cells));
    }
    c->cursor_row = -1;
    c->cursor_column = 0;
    for (int row = 0; row < rows; row++)
        canvas_fill(c, row, 0, columns, STYLE_PLAIN, " ");
}

int canvas_put(struct canvas *c, int row, int column, int end, enum style style,
               struct bytes text)
{
    size_t size;
    int width;

    if (row < 0 || row >= c->rows || column < 0)
        return column;
    if (end > c->columns)
        end = c->columns;
    while ((size = glyph_next(text, &width)) > 0 && column + width <= end) {
        struct bytes glyph = bytes_of(text.data, size);
        if (size > CANVAS_GLYPH)
            glyph = bytes_of_string("?");
        set(cell_at(c, row, column), style, glyph);
        if (width == 2)
            set(cell_at(c, row, column + 1), style, bytes_of("", 0));
        column += width;
        text = bytes_of(text.data + size, text.size - size);
    }
    return column;
}

int canvas_put_string(struct canvas *c, int row, int column, int end,
                      enum style style, const char *text)
{
    return canvas_put(c, row, column, end, style, bytes_of_string(text));
}

int canvas_put_right(struct canvas *c, int row, int begin, int end,
                     enum style style, const char *text)
{
    if (end > c->columns)
        end = c->columns;
    int at = end - glyph_columns(bytes_of_string(text));

    if (at < begin)
        at = begin;
    canvas_put_string(c, row, at, end, style, text);
    return at;
}

void canvas_fill(struct canvas *c, int row, int column, int end,
                 enum style style, const char *glyph)
{
    for (int at = column; at < end && at < c->columns; at++)
        canvas_put_string(c, row, at, end, style, glyph);
}

const struct canvas_cell *canvas_cell(const struct canvas *c, int row,
                                      int column)
{
    ASSERT(row >= 0 && row < c->rows && column >= 0 && column < c->columns);
    return cell_at(c, row, column);
}

void canvas_row(const struct canvas *c, int row, struct text *out)
{
    size_t start = out->size;

    for (int column = 0; column < c->columns; column++) {
        const struct canvas_cell *cell = canvas_cell(c, row, column);
        text_add(out, bytes_of(cell->glyph, cell->size));
    }
    while (out->size > start && out->data[out->size - 1] == ' ')
        out->size--;
}
