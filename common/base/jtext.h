/*
 * jtext - checks and walks JSON text without building a tree.
 *
 * Values are views into the text, so a message's data passes through the local
 * API unchanged and without a copy. The syntax is checked as strictly as RFC
 * 8259 says: UTF-8 must be valid, and nesting deeper than JTEXT_DEPTH is an
 * error.
 *
 *     struct jtext_walk w;
 *     struct bytes key, value;
 *     if (!jtext_enter(&w, line, '{'))
 *         ... not an object ...
 *     while (jtext_member(&w, &key, &value))
 *         ...
 *     if (!jtext_left(&w))
 *         ... not JSON: discard the members seen so far ...
 */
#ifndef COMMON_BASE_JTEXT_H
#define COMMON_BASE_JTEXT_H

#include "common/base/bytes.h"

enum { JTEXT_DEPTH = 256 };

/* True if the whole text is one JSON value, with space around it or not. */
bool jtext_valid(struct bytes text) MUST_USE;

struct jtext_walk {
    const uint8_t *at;
    const uint8_t *end;
    char close;  /* '}' or ']' */
    bool begun;  /* a member or element was read */
    bool closed; /* the closing bracket was read */
    bool failed;
};

/* Begins to walk an object (open is '{') or an array ('['). False if the text
 * does not begin with that bracket. */
bool jtext_enter(struct jtext_walk *w, struct bytes text, char open) MUST_USE;
/* Reads the next member or element. False at the end and at a syntax error;
 * jtext_left tells which. The key is the raw text between its quotes, with its
 * escapes. */
bool jtext_member(struct jtext_walk *w, struct bytes *key, struct bytes *value);
bool jtext_element(struct jtext_walk *w, struct bytes *value);
/* True if the walk reached the end of the text without an error. */
bool jtext_left(const struct jtext_walk *w) MUST_USE;

/* True if the value is neither an object nor an array. */
bool jtext_is_scalar(struct bytes value);
bool jtext_is(struct bytes value, const char *literal);
bool jtext_is_string(struct bytes value);

/*
 * Decodes a string value that was checked before: resolves the escapes and
 * appends a NUL. `*length` does not count the NUL. False if the value is no
 * string or needs more than `size` bytes.
 */
bool jtext_string(struct bytes value, char *buffer, size_t size,
                  size_t *length) MUST_USE;
/* Reads a whole number from 0 to 2^64 - 1; false if the value is anything else.
 */
bool jtext_number(struct bytes value, uint64_t *number) MUST_USE;

/* The first byte that is not ASCII or that a JSON string must escape (control
 * characters, quote, backslash); `end` if there is none. */
const uint8_t *jtext_plain(const uint8_t *at, const uint8_t *end);

#endif
