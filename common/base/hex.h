/*
 * hex - bytes as lower-case hexadecimal digits and back.
 */
#ifndef COMMON_BASE_HEX_H
#define COMMON_BASE_HEX_H

#include "common/base/bytes.h"

/* Writes 2 * size lower-case digits and a NUL; `text` must have 2 * size + 1
 * bytes. */
void hex_encode(struct bytes bytes, char *text);
/* The value of a digit of either case; -1 if it is none. */
int hex_value(char digit);
/* Reads 2 * size digits of either case, which must be the whole of `text`. On
 * false, `to` may be half written. */
bool hex_decode(const char *text, uint8_t *to, size_t size) MUST_USE;

#endif
