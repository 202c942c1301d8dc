/*
 * text - a buffer of text that grows as it is written.
 *
 * For output that is put together by hand, as the local API's answers are. What
 * bounds it is the owner's matter.
 */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include "common/base/bytes.h"

/* A zeroed text is empty and ready. */
struct text {
    char *data; /* not terminated by a NUL; see text_string */
    size_t size;
    size_t capacity;
};

void text_close(struct text *t);
/* Forgets the content, keeps the memory. */
void text_clear(struct text *t);
/* Takes `size` bytes from the front. */
void text_drop(struct text *t, size_t size);
struct bytes text_bytes(const struct text *t);
/* The content with a NUL after it, valid until the next change. */
const char *text_string(struct text *t);

/* Room for `size` more bytes, to be followed by text_wrote. */
char *text_room(struct text *t, size_t size);
void text_wrote(struct text *t, size_t size);

void text_add(struct text *t, struct bytes bytes);
void text_add_string(struct text *t, const char *string);
void text_add_char(struct text *t, char c);
void text_add_number(struct text *t, uint64_t value);
/* Microseconds as milliseconds: 12.1, 0.043, 3. */
void text_add_ms(struct text *t, int64_t us);
void text_add_hex(struct text *t, struct bytes bytes);
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void text_add_json(struct text *t, struct bytes bytes);
/* So many bytes that one has at the most. */
size_t text_json_size(struct bytes bytes);

#endif
