/*
 * glyph - splits text into glyphs, and tells their width on a terminal.
 *
 * A glyph is a character with the combining marks that follow it. Text is
 * UTF-8; a byte that is not UTF-8 is a glyph of one column. Widths come from
 * the C library (wcwidth), so LC_CTYPE must be a UTF-8 locale.
 */
#ifndef EDGE_TERM_GLYPH_H
#define EDGE_TERM_GLYPH_H

#include "common/base/bytes.h"

/* Returns the first character of `text`, which is not empty, and sets *size to
 * its bytes. A byte that is not UTF-8 gives U+FFFD. */
uint32_t glyph_decode(struct bytes text, size_t *size);
/* The columns of a character: 0 for a combining mark, else 1 or 2. */
int glyph_width(uint32_t character);

/* Returns the bytes of the first glyph of `text`, 0 if `text` is empty. Sets
 * *columns, if not NULL, to the glyph's width. */
size_t glyph_next(struct bytes text, int *columns);
/* The offset of the glyph that ends at the offset `at`. */
size_t glyph_before(struct bytes text, size_t at);
/* The width of the whole text. */
int glyph_columns(struct bytes text);
/* The bytes of the longest prefix of `text` that takes at most `columns`. */
size_t glyph_fit(struct bytes text, int columns);

/*
 * Wraps text: returns the bytes that go into the first row of `columns`, at
 * least one glyph. The row ends at a line break, else at the last space that
 * fits, else at the last glyph that fits. Sets *skip to the bytes between this
 * row and the next: those of the break or of the space.
 */
size_t glyph_wrap(struct bytes text, int columns, size_t *skip);

#endif
