/*
 * frame - the head of a ZMTP frame, the greeting, and integers in network byte
 * order [RFC 37].
 */
#ifndef COMMON_ZMTP_FRAME_H
#define COMMON_ZMTP_FRAME_H

#include "common/base/bytes.h"
#include "common/zmtp/failure.h"

enum {
    GREETING_SIZE = 64,
    FRAME_HEAD_SIZE = 9, /* of a frame whose body has more than 255 bytes */
    FRAME_SHORT_HEAD_SIZE = 2,
    FRAME_SHORT_BODY = 255,
};

enum {
    FRAME_MORE = 0x01,
    FRAME_LONG = 0x02,
    FRAME_COMMAND = 0x04,
    FRAME_RESERVED = 0xf8,
};

struct frame_head {
    uint8_t flags;
    size_t size;        /* of the head itself; 0: its end is missing */
    uint64_t body_size; /* may be any number */
};

/* Reads the head at the start of `in`. While its end is missing, `size` is 0
 * and `body_size` the number of bytes that the head has; the flags are right
 * once the first byte is there. */
struct frame_head frame_head_read(struct bytes in) MUST_USE;

/* The size of the head that frame_head_write makes. */
static inline size_t frame_head_size(size_t body_size)
{
    return body_size > FRAME_SHORT_BODY ? FRAME_HEAD_SIZE
                                        : FRAME_SHORT_HEAD_SIZE;
}

/* `flags` is FRAME_COMMAND or 0. Returns the size of the head. */
size_t frame_head_write(uint8_t *out, uint8_t flags, size_t body_size);

/* The greeting of a CURVE server or client. */
void greeting_write(uint8_t out[GREETING_SIZE], bool as_server);
/* Judges as much of a greeting as is there, so that another protocol shows by
 * its first bytes [P-12.1]. */
enum zmtp_failure greeting_check(struct bytes in) MUST_USE;

static inline void put_be64(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static inline uint64_t get_be64(const uint8_t in[8])
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

#endif
