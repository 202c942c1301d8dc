/*
 * byte_queue - bytes that are written at one end and sent from the other, in
 * one piece of memory.
 *
 *     uint8_t *to = byte_queue_reserve(&q, size);   write up to `size` bytes
 *     byte_queue_added(&q, written);
 *     ... send byte_queue_bytes(&q) ...
 *     byte_queue_took(&q, sent);
 *
 * An empty queue may keep its memory for the next bytes; a zeroed one has none.
 */
#ifndef COMMON_IO_BYTE_QUEUE_H
#define COMMON_IO_BYTE_QUEUE_H

#include "common/base/bytes.h"

struct byte_queue {
    uint8_t *data;
    size_t first; /* the first byte that was not taken yet */
    size_t end;
    size_t room; /* allocated bytes */
};

static inline size_t byte_queue_size(const struct byte_queue *q)
{
    return q->end - q->first;
}

static inline struct bytes byte_queue_bytes(const struct byte_queue *q)
{
    return bytes_of(q->data + q->first, q->end - q->first);
}

/* Room for `size` more bytes, behind those that are there. Moves them. NULL if
 * memory_try has none: then nothing has changed. */
uint8_t *byte_queue_reserve(struct byte_queue *q, size_t size);
/* So many bytes were written to the room. */
static inline void byte_queue_added(struct byte_queue *q, size_t size)
{
    q->end += size;
}
/* The first `size` bytes are not needed any more. */
void byte_queue_took(struct byte_queue *q, size_t size);
/* Drops all bytes and frees the memory. */
void byte_queue_free(struct byte_queue *q);

#endif
