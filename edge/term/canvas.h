/*
 * canvas - what a terminal is to show: rows of glyphs, each in a style.
 *
 * It is drawn on without a terminal, so that a test can read it; edge/cli
 * paints it with curses, or prints it as plain lines.
 */
#ifndef EDGE_TERM_CANVAS_H
#define EDGE_TERM_CANVAS_H

#include "common/base/text.h"

enum style {
    STYLE_PLAIN,
    STYLE_STRONG,
    STYLE_QUIET,   /* times, paths, marks */
    STYLE_NAME,    /* of others */
    STYLE_SELF,    /* of this node */
    STYLE_PRIVATE, /* between two */
    STYLE_GOOD,
    STYLE_WARN,
    STYLE_WRONG,
    STYLE_BAR,     /* the row at the top */
    STYLE_BAR_WARN /* of it, what is amiss */
};

enum { CANVAS_GLYPH = 30, CANVAS_MOST = 10000 };

struct canvas_cell {
    char glyph[CANVAS_GLYPH]; /* no NUL */
    uint8_t size;             /* of it; 0: the second half of a wide glyph */
    uint8_t style;            /* enum style */
};

/* A zeroed canvas has no rows and is ready. */
struct canvas {
    int rows, columns;
    int cursor_row, cursor_column; /* of the terminal's; row < 0: hidden */
    struct canvas_cell *cells;
};

void canvas_close(struct canvas *c);
/* Empty, of this size (1 to CANVAS_MOST each way), the cursor hidden. */
void canvas_size(struct canvas *c, int rows, int columns);

/*
 * Writes one line at `row` (outside: nothing is written), from `column` up to
 * but not including the column `end`. Returns the column after the last glyph.
 */
int canvas_put(struct canvas *c, int row, int column, int end, enum style style,
               struct bytes text);
int canvas_put_string(struct canvas *c, int row, int column, int end,
                      enum style style, const char *text);
/* So that it ends before the column `end`; begins at `begin` at the earliest.
 * Returns the column where it begins. */
int canvas_put_right(struct canvas *c, int row, int begin, int end,
                     enum style style, const char *text);
/* The whole row in a style, from `column` on, repeating one glyph. */
void canvas_fill(struct canvas *c, int row, int column, int end,
                 enum style style, const char *glyph);

const struct canvas_cell *canvas_cell(const struct canvas *c, int row,
                                      int column);
/* The row's text, less the spaces at its end. */
void canvas_row(const struct canvas *c, int row, struct text *out);

#endif
