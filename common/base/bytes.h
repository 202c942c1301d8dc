/*
 * bytes - a borrowed view of bytes, and bounded cursors that read and write.
 *
 * The cursors' errors are sticky: once a read or write would have gone beyond
 * the end, all later calls do nothing, so the caller checks once, at the end.
 * Integers are little-endian [P-1.1].
 */
#ifndef COMMON_BASE_BYTES_H
#define COMMON_BASE_BYTES_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed: the function that returns a view says how long it stays valid. */
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
    bool failed; /* if true, nothing is left: at == end */
};

static inline struct reader reader_of(struct bytes bytes);
static inline size_t reader_left(const struct reader *r);
/* After a failure the read functions return 0 or an empty view. */
static inline uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
/* LEB128 of at most 10 bytes. A longer form than necessary is a failure. */
static inline uint64_t read_varint(struct reader *r);
/* A view into the data that the reader was made of; it copies nothing. */
static inline struct bytes read_bytes(struct reader *r, size_t size);
/* Copies `size` bytes to `to`; on failure it writes zeros there. */
void read_copy(struct reader *r, void *to, size_t size);
/* Marks the reader as failed, for a caller that finds a bad value. */
void reader_fail(struct reader *r);
/* True if no read failed. */
static inline bool reader_ok(const struct reader *r) MUST_USE;
/* True if no read failed and every byte was read. */
static inline bool reader_done(const struct reader *r) MUST_USE;

struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

struct writer writer_of(void *buffer, size_t size);
static inline size_t writer_left(const struct writer *w);
static inline void write_u8(struct writer *w, uint8_t value);
void write_u16(struct writer *w, uint16_t value);
void write_u32(struct writer *w, uint32_t value);
void write_u64(struct writer *w, uint64_t value);
static inline void write_varint(struct writer *w, uint64_t value);
static inline void write_bytes(struct writer *w, struct bytes bytes);
/* Reserves `size` bytes that the caller fills in itself; NULL on failure. */
static inline uint8_t *write_room(struct writer *w, size_t size);
/* The bytes written so far, as a view into the writer's buffer. */
static inline struct bytes writer_bytes(const struct writer *w);
static inline bool writer_ok(const struct writer *w) MUST_USE;
/* The bytes that a value takes as a varint, 1 to 10. */
size_t varint_size(uint64_t value);

/* --- inline, because every record of every message passes through these --- */

/* Varints of more than one byte; read_long_varint also takes an empty reader.
 */
uint64_t read_long_varint(struct reader *r);
void write_long_varint(struct writer *w, uint64_t value);

static inline struct reader reader_of(struct bytes bytes)
{
    /* The data pointer of an empty view may be NULL, and NULL + 0 is undefined
     * behaviour. */
    static const uint8_t nowhere;
    const uint8_t *at = bytes.size > 0 ? bytes.data : &nowhere;

    return (struct reader){.at = at, .end = at + bytes.size};
}

static inline bool reader_ok(const struct reader *r)
{
    return !r->failed;
}

static inline bool reader_done(const struct reader *r)
{
    return !r->failed && r->at == r->end;
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static inline uint8_t read_u8(struct reader *r)
{
    if (r->at == r->end) {
        reader_fail(r);
        return 0;
    }
    return *r->at++;
}

static inline uint64_t read_varint(struct reader *r)
{
    if (r->at != r->end && *r->at < 0x80)
        return *r->at++;
    return read_long_varint(r);
}

static inline struct bytes read_bytes(struct reader *r, size_t size)
{
    const uint8_t *at = r->at;

    if (size > reader_left(r)) {
        reader_fail(r);
        return bytes_of(r->at, 0);
    }
    r->at += size;
    return bytes_of(at, size);
}

static inline bool writer_ok(const struct writer *w)
{
    return !w->failed;
}

static inline struct bytes writer_bytes(const struct writer *w)
{
    return bytes_of(w->start, (size_t)(w->at - w->start));
}

static inline size_t writer_left(const struct writer *w)
{
    return (size_t)(w->end - w->at);
}

static inline uint8_t *write_room(struct writer *w, size_t size)
{
    uint8_t *at = w->at;

    if (w->failed || size > writer_left(w)) {
        w->failed = true;
        return NULL;
    }
    w->at += size;
    return at;
}

static inline void write_u8(struct writer *w, uint8_t value)
{
    uint8_t *at = write_room(w, 1);

    if (at != NULL)
        *at = value;
}

static inline void write_varint(struct writer *w, uint64_t value)
{
    if (value < 0x80)
        write_u8(w, (uint8_t)value);
    else
        write_long_varint(w, value);
}

static inline void write_bytes(struct writer *w, struct bytes bytes)
{
    uint8_t *at = write_room(w, bytes.size);

    if (at != NULL && bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
}

#endif
