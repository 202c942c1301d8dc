/*
 * escape - escapes text from other nodes before zs prints it.
 *
 * Such text must not look like a line of zs's own, or control the terminal.
 * Control characters (C0 and C1), Unicode's line ends and the characters that
 * change the direction of writing are printed as JSON writes them: \n, \r,
 * \u001b. Output to a pipe is escaped too. Backslashes of the text stay as they
 * are; only --json escapes them.
 */
#ifndef EDGE_CLI_ESCAPE_H
#define EDGE_CLI_ESCAPE_H

#include "common/base/text.h"

enum escape_form {
    ESCAPE_LINE,
    ESCAPE_LINES, /* line ends stay, as no line of zs's own follows */
};

/* Appends the escaped text; a byte that is not UTF-8 becomes '?'. Escaped JSON
 * is JSON of the same value. */
void escape_text(struct text *out, struct bytes text, enum escape_form form);
/* Appends a message's data, given as the JSON values of its members `data` and
 * `data_b64` (empty: missing): a string's content, other JSON as it is, bytes
 * as base64. */
void escape_data(struct text *out, struct bytes data, struct bytes data_b64);
/* Appends the content of a JSON string. */
void escape_string(struct text *out, struct bytes value);

#endif
