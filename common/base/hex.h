/*
 * hex - bytes as lower-case hexadecimal digits and back.
 */
#ifndef COMMON_BASE_HEX_H
#define COMMON_BASE_HEX_H

#include "common/base/bytes.h"

/* Writes 2 * size digits and a NUL; `text` has room for 2 * size + 1. */
void hex_encode(struct bytes bytes, char *text);
/* Exactly 2 * size digits of either case; false if `text` is anything else. */
bool hex_decode(const char *text, uint8_t *to, size_t size) MUST_USE;

#endif
