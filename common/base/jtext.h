/*
 * jtext - JSON as text: checked and walked through, without making a tree.
 *
 * Values are handed out as views into the text, so that a message's data
 * crosses the API without being taken apart and put together again. Strict as
 * RFC 8259: UTF-8 is checked, nesting is bounded, nothing may be missing.
 *
 *     struct jtext_walk w;
 *     struct bytes key, value;
 *     if (!jtext_enter(&w, line, '{'))
 *         ... it is no object ...
 *     while (jtext_member(&w, &key, &value))
 *         ...
 *     if (!jtext_left(&w))
 *         ... it is not JSON, and what was handed out is to be forgotten ...
 */
#ifndef COMMON_BASE_JTEXT_H
#define COMMON_BASE_JTEXT_H

#include "common/base/bytes.h"

enum { JTEXT_DEPTH = 256 };

/* True if the whole text is one JSON value. */
bool jtext_valid(struct bytes text) MUST_USE;

struct jtext_walk {
    const uint8_t *at;
    const uint8_t *end;
    char close;  /* '}' or ']' */
    bool begun;  /* something was taken */
    bool closed; /* the bracket came */
    bool failed;
};

/* Goes into an object ('{') or an array ('['); false if it is none. */
bool jtext_enter(struct jtext_walk *w, struct bytes text, char open) MUST_USE;
/* The next member, or false at the end or where it is wrong. The key is what
 * stands between its quotes, escapes and all. */
bool jtext_member(struct jtext_walk *w, struct bytes *key, struct bytes *value);
bool jtext_element(struct jtext_walk *w, struct bytes *value);
/* True if all was right to the end of the text. */
bool jtext_left(const struct jtext_walk *w) MUST_USE;

/* True if the value is a string, number, true, false or null. */
bool jtext_is_scalar(struct bytes value);
bool jtext_is(struct bytes value, const char *literal);
bool jtext_is_string(struct bytes value);

/*
 * What a valid string value means, escapes resolved, with a NUL after it.
 * False if the value is no string or needs more than `size` bytes.
 */
bool jtext_string(struct bytes value, char *room, size_t size,
                  size_t *length) MUST_USE;
/* A whole number from 0 to 2^64 - 1; false if the value is anything else. */
bool jtext_number(struct bytes value, uint64_t *number) MUST_USE;

/* Where the first byte stands that a JSON string may not hold as it is, or that
 * is not ASCII; `end` if there is none. */
const uint8_t *jtext_plain(const uint8_t *at, const uint8_t *end);

/* The length of the UTF-8 character at `at`; 0 if there is none. */
size_t utf8_length(const uint8_t *at, const uint8_t *end);
bool utf8_valid(struct bytes text) MUST_USE;

#endif
