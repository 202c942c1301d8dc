/*
 * canvas - a picture of a terminal's screen: rows of glyphs, each in a style.
 *
 * Drawing on a canvas needs no terminal, so a test can read what was drawn.
 * edge/cli paints the canvas with curses, or prints it as plain lines.
 */
#ifndef EDGE_TERM_CANVAS_H
#define EDGE_TERM_CANVAS_H

#include "common/base/text.h"

enum style {
    STYLE_PLAIN,
    STYLE_STRONG,
    STYLE_QUIET,   /* times, paths, marks */
    STYLE_NAME,    /* the name of another node */
    STYLE_SELF,    /* the name of this node */
    STYLE_PRIVATE, /* a message between two nodes */
    STYLE_GOOD,
    STYLE_WARN,
    STYLE_WRONG,
    STYLE_BAR,     /* the row at the top */
    STYLE_BAR_WARN /* a problem named in that row */
};

enum { CANVAS_GLYPH = 30, CANVAS_MOST = 10000 };

struct canvas_cell {
    char glyph[CANVAS_GLYPH]; /* UTF-8, without a NUL */
    uint8_t size;  /* of the glyph, bytes; 0: second half of a wide glyph */
    uint8_t style; /* enum style */
};

/* A zeroed canvas has no rows and is ready. */
struct canvas {
    int rows, columns;
    int cursor_row, cursor_column; /* of the terminal; row < 0: hidden */
    struct canvas_cell *cells;
};

void canvas_close(struct canvas *c);
/* Sets the size, cut to 1 to CANVAS_MOST in each direction, clears all cells
 * and hides the cursor. */
void canvas_size(struct canvas *c, int rows, int columns);

/*
 * Writes one line of text at `row`, from `column` up to but not including the
 * column `end`; writes nothing if the row is outside. Returns the column after
 * the last glyph.
 */
int canvas_put(struct canvas *c, int row, int column, int end, enum style style,
               struct bytes text);
int canvas_put_string(struct canvas *c, int row, int column, int end,
                      enum style style, const char *text);
/* Writes the text so that it ends just before the column `end`, but begins it
 * no further left than `begin`. Returns the column where it begins. */
int canvas_put_right(struct canvas *c, int row, int begin, int end,
                     enum style style, const char *text);
/* Repeats one glyph from `column` up to but not including the column `end`. */
void canvas_fill(struct canvas *c, int row, int column, int end,
                 enum style style, const char *glyph);

const struct canvas_cell *canvas_cell(const struct canvas *c, int row,
                                      int column);
/* Appends the row's text, without the spaces at its end. */
void canvas_row(const struct canvas *c, int row, struct text *out);

#endif
