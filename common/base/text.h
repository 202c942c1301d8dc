/*
 * text - a text buffer that grows as the caller appends.
 *
 * For output that is put together by hand, such as the local API's answers. The
 * buffer has no limit of its own; its owner watches the size.
 */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include "common/base/bytes.h"

/* A zeroed text is empty and ready for use. */
struct text {
    char *data; /* no NUL at its end; see text_string */
    size_t size;
    size_t capacity;
};

/* Frees the memory; the text is empty and may be used again. */
void text_close(struct text *t);
/* Removes the content and keeps the memory. */
void text_clear(struct text *t);
/* Removes the first `size` bytes. */
void text_drop(struct text *t, size_t size);
struct bytes text_bytes(const struct text *t);
/* The content followed by a NUL, valid until the next change of the text. */
const char *text_string(struct text *t);

/* Space for at least `size` more bytes, which the caller fills. text_wrote then
 * says how many bytes it filled. */
char *text_room(struct text *t, size_t size);
void text_wrote(struct text *t, size_t size);

void text_add(struct text *t, struct bytes bytes);
void text_add_string(struct text *t, const char *string);
void text_add_char(struct text *t, char c);
void text_add_number(struct text *t, uint64_t value);
/* Appends microseconds as a number of milliseconds: 12.1, 0.043, 3. */
void text_add_ms(struct text *t, int64_t us);
void text_add_hex(struct text *t, struct bytes bytes);
/* Appends a JSON string with its quotes; bytes that are not UTF-8 become
 * U+FFFD. */
void text_add_json(struct text *t, struct bytes bytes);
/* An upper bound of the bytes that text_add_json appends for `bytes`. */
size_t text_json_size(struct bytes bytes);

#endif
