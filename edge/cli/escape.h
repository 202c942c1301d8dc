/*
 * escape - what others wrote, so that nobody can forge a line of ours with it,
 * or give a terminal orders.
 *
 * Control characters (the C1 ones too), line ends of Unicode and what turns the
 * direction of writing become \n, \r or \u001b, as JSON spells them. So it is
 * in a pipe as on a terminal; --json spells a string's own backslashes as well.
 */
#ifndef EDGE_CLI_ESCAPE_H
#define EDGE_CLI_ESCAPE_H

#include "common/base/text.h"

enum escape_form {
    ESCAPE_LINE,
    ESCAPE_LINES, /* line ends stay: nothing of ours stands in other lines */
};

/* Text; a byte that is no UTF-8 becomes '?'. Of JSON it makes the same JSON. */
void escape_text(struct text *out, struct bytes text, enum escape_form form);
/* A message's data, from its members as JSON values (empty: missing): a string
 * as what it says, other JSON as it is, bytes in base64. */
void escape_data(struct text *out, struct bytes data, struct bytes data_b64);
/* A string value as what it says. */
void escape_string(struct text *out, struct bytes value);

#endif
