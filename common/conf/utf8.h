/*
 * utf8 - walks a text character by character; the text need not be valid UTF-8.
 */
#ifndef COMMON_CONF_UTF8_H
#define COMMON_CONF_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD UINT32_MAX

struct utf8 {
    const unsigned char *at;
    const unsigned char *end;
};

struct utf8 utf8_of(const char *text, size_t size);
/* Reads the next character; false at the end. A byte that begins no valid
 * character gives UTF8_BAD, and the walk goes on behind that byte. */
bool utf8_next(struct utf8 *u, uint32_t *character);

#endif
