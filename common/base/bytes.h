/*
 * bytes - a borrowed view of bytes, and bounded cursors to read and write.
 *
 * The cursors' errors are sticky: after the first read past the end or write
 * past the room everything else is a no-op, and one check at the end suffices.
 * Integers are little-endian [P-1.1].
 */
#ifndef COMMON_BASE_BYTES_H
#define COMMON_BASE_BYTES_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed: valid as long as whoever handed it out says. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){data, size};
}

struct bytes bytes_of_string(const char *text);
bool bytes_equal(struct bytes a, struct bytes b);

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct reader reader_of(struct bytes bytes);
/* These answer 0 (or an empty view) once the reader failed. */
uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
/* LEB128, at most 10 bytes, the shortest form only. */
uint64_t read_varint(struct reader *r);
/* A view into what is read; empty once the reader failed. */
struct bytes read_bytes(struct reader *r, size_t size);
/* Copies `size` bytes out; zeroes them once the reader failed. */
void read_copy(struct reader *r, void *to, size_t size);
size_t reader_left(const struct reader *r);
void reader_fail(struct reader *r);
/* True if nothing failed. */
bool reader_ok(const struct reader *r) MUST_USE;
/* True if nothing failed and nothing is left. */
bool reader_done(const struct reader *r) MUST_USE;

struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

struct writer writer_of(void *room, size_t size);
void write_u8(struct writer *w, uint8_t value);
void write_u16(struct writer *w, uint16_t value);
void write_u32(struct writer *w, uint32_t value);
void write_u64(struct writer *w, uint64_t value);
void write_varint(struct writer *w, uint64_t value);
void write_bytes(struct writer *w, struct bytes bytes);
/* Room for `size` bytes to be filled in later, or NULL once failed. */
uint8_t *write_room(struct writer *w, size_t size);
size_t writer_left(const struct writer *w);
/* What was written so far. */
struct bytes writer_bytes(const struct writer *w);
bool writer_ok(const struct writer *w) MUST_USE;
size_t varint_size(uint64_t value);

#endif
