/*
 * glyph - what stands in one place of a terminal: a character with the marks
 * that are set on it, and how many columns it takes.
 *
 * Text is UTF-8; a byte that is none counts as a glyph of one column. Widths
 * are the C library's, so LC_CTYPE is to be a UTF-8 locale.
 */
#ifndef EDGE_TERM_GLYPH_H
#define EDGE_TERM_GLYPH_H

#include "common/base/bytes.h"

/* The character at the front of `text`, which is not empty; its bytes in
 * *size. A byte that is no UTF-8 is U+FFFD. */
uint32_t glyph_decode(struct bytes text, size_t *size);
/* 0 for a mark on what stands before it, else 1 or 2. */
int glyph_width(uint32_t character);

/* The bytes of the first glyph of `text`, 0 at its end; its width in *columns
 * (may be NULL). */
size_t glyph_next(struct bytes text, int *columns);
/* Where the glyph before the offset `at` begins. */
size_t glyph_before(struct bytes text, size_t at);
int glyph_columns(struct bytes text);
/* The bytes of the longest front of `text` that takes at most `columns`. */
size_t glyph_fit(struct bytes text, int columns);

/*
 * The bytes that go into a row of `columns`, at least one glyph: until a line
 * break, else until the last space that fits, else what fits. *skip is what
 * stands between that and the next row: the break or the space.
 */
size_t glyph_wrap(struct bytes text, int columns, size_t *skip);

#endif
