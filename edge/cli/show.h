/*
 * show - what came in, as text for people.
 */
#ifndef EDGE_CLI_SHOW_H
#define EDGE_CLI_SHOW_H

#include "common/base/text.h"

/* A message's data, from its members as JSON values (empty: missing): a string
 * as what it says, other JSON as it is, bytes in base64. */
void show_data(struct text *out, struct bytes data, struct bytes data_b64);
/* A string value as what it says; control characters, which could play tricks
 * on a terminal, only where `raw`. */
void show_string(struct text *out, struct bytes value, bool raw);

#endif
