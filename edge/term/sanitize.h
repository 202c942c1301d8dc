/*
 * sanitize - makes text from other nodes safe to show on a terminal.
 *
 * Control characters (C0 and C1), characters that change the direction of
 * writing, invisible characters and bytes that are not UTF-8 become '?'; a tab
 * becomes a space. Combining marks beyond four on one character are dropped,
 * because a pile of them covers the lines above, and so are characters that
 * join or colour emoji, because terminals disagree about the width of these.
 */
#ifndef EDGE_TERM_SANITIZE_H
#define EDGE_TERM_SANITIZE_H

#include "common/base/text.h"

enum sanitize_form {
    SANITIZE_LINE, /* a line break becomes " / " */
    SANITIZE_LINES /* a line break stays, as '\n' */
};

/* Appends the sanitized text. */
void sanitize_add(struct text *out, struct bytes text, enum sanitize_form form);
/* Returns the sanitized text as a C string, which the caller frees. Only the
 * first `most` bytes of `text` are used; the end then says how many are
 * missing. */
char *sanitize_string(struct bytes text, enum sanitize_form form, size_t most);

#endif
