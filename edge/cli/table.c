#include "edge/cli/table.h"

#include "common/base/memory.h"
#include "edge/cli/escape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 };

void table_add(struct text_table *t, const char *cell)
{
    if (t->count % CHUNK == 0)
        t->cells = memory_resize(t->cells, t->count + CHUNK, sizeof(*t->cells));
    struct text shown = {0};
    escape_text(&shown, bytes_of_string(cell ? cell : ""), ESCAPE_LINE);
    t->cells[t->count++] = memory_string(text_string(&shown));
    text_close(&shown);
}

/* The width of a cell, counting each UTF-8 character as one column. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Counts a row's cells up to the last that is not empty. */
static size_t filled(const struct text_table *t, char *const *row)
{
    size_t count = t->columns;

    while (count > 0 && row[count - 1][0] == '\0')
        count--;
    return count;
}

static void print_row(const struct text_table *t, char *const *row,
                      const size_t *widths, const char *margin)
{
    size_t count = filled(t, row);

    for (size_t i = 0; i < count; i++) {
        size_t pad = i + 1 < count ? widths[i] - width_of(row[i]) : 0;
        printf("%s%s%*s", i == 0 ? margin : "  ", row[i], (int)pad, "");
    }
    putchar('\n');
}

void table_print(struct text_table *t, const char *margin)
{
    size_t widths[TABLE_COLUMNS] = {0};

    for (size_t i = 0; i < t->count; i++) {
        size_t width = width_of(t->cells[i]);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    for (size_t i = 0; i < t->count; i += t->columns)
        print_row(t, t->cells + i, widths, margin);
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    t->cells = NULL;
    t->count = 0;
}
