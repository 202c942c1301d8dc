/*
 * utf8 - walks text that may or may not be UTF-8, a character at a time.
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
/* False at the end. UTF8_BAD for a byte that begins no shortest-form character
 * (surrogates are none), and the walk goes on behind that byte. */
bool utf8_next(struct utf8 *u, uint32_t *character);

#endif
