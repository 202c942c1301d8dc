/*
 * sanitize - what others wrote, so that a terminal shows it and obeys none of
 * it.
 *
 * Control characters (the C1 ones too), what turns the direction of writing,
 * invisible characters and bytes that are no UTF-8 become '?'; tabs spaces.
 * Left out are marks beyond four on one character, a pile of which reaches into
 * the lines above, and what joins or colours emoji, which every terminal draws
 * in another width.
 */
#ifndef EDGE_TERM_SANITIZE_H
#define EDGE_TERM_SANITIZE_H

#include "common/base/text.h"

enum sanitize_form {
    SANITIZE_LINE, /* one line: a line break becomes " / " */
    SANITIZE_LINES /* line breaks stay, as '\n' */
};

void sanitize_add(struct text *out, struct bytes text, enum sanitize_form form);
/* The same of a C string, to be freed; NULL is "". At most `most` bytes, and
 * what is missing is told at the end. */
char *sanitize_string(struct bytes text, enum sanitize_form form, size_t most);

#endif
