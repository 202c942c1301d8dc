/*
 * utf8 - checks and decodes UTF-8 (RFC 3629).
 *
 * Valid is only the shortest form of a character up to U+10FFFF that is no
 * surrogate. For a whole text use utf8_valid; for text that comes in pieces
 * utf8_check; to look at each character utf8_next.
 */
#ifndef COMMON_BASE_UTF8_H
#define COMMON_BASE_UTF8_H

#include "common/base/bytes.h"

#define UTF8_BAD UINT32_MAX

/* True if the whole text is valid. */
bool utf8_valid(struct bytes text) MUST_USE;
/* The length in bytes of the character at `at`; 0 if it is invalid, or if `at`
 * is `end`. */
size_t utf8_length(const uint8_t *at, const uint8_t *end);

/* The state between two pieces. Zeroed: at the start of a character. */
struct utf8_check {
    uint8_t need;      /* bytes of the character that are still missing */
    uint8_t low, high; /* bounds of the next byte */
};

/* Checks the next piece; false if the text is invalid. The text is complete
 * only where `need` is 0. */
bool utf8_check(struct utf8_check *u, struct bytes piece) MUST_USE;

/* Walks a text that need not be valid. */
struct utf8 {
    const uint8_t *at;
    const uint8_t *end;
};

struct utf8 utf8_of(const char *text, size_t size);
/* Decodes the next character; false at the end. A byte that begins no valid
 * character gives UTF8_BAD, and the walk goes on behind that byte. */
bool utf8_next(struct utf8 *u, uint32_t *character);

#endif
