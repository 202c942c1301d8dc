/*
 * store - packets in the order of sending, kept until all have them [P-9.9].
 *
 * One ring of bytes that grows as it is needed, so that a running stream does
 * not allocate. Packets are named by an index that only grows.
 */
#ifndef EDGE_CORE_STORE_H
#define EDGE_CORE_STORE_H

#include "common/base/bytes.h"
#include "common/base/instant.h"

/* Of the records and messages in a packet. */
struct store_content {
    uint32_t key_id;        /* it is sealed under */
    uint64_t last_record;   /* all up to it stand in this packet or before */
    uint64_t message;       /* the number of the first record's */
    uint64_t start_record;  /* the first that begins a message; 0: none does */
    uint64_t start_message; /* that message's number */
};

struct store_packet {
    struct store_content content;
    struct instant at; /* when it was put in */
    bool is_signed;
    uint64_t position; /* bytes of all packets before it */
    size_t size;
    size_t offset; /* the store's */
};

struct store {
    struct store_packet *packets; /* a ring */
    size_t capacity;              /* a power of two, or 0 */
    uint64_t base;                /* the first packet's index */
    uint64_t next;                /* the index of the next to come */
    uint8_t *ring;
    size_t ring_size;
    size_t head;       /* where the next one goes */
    size_t bytes;      /* of all packets */
    uint64_t position; /* bytes of all that were ever put in */
    size_t limit;
};

void store_init(struct store *s, size_t limit_bytes);
void store_close(struct store *s);

static inline bool store_is_empty(const struct store *s)
{
    return s->base == s->next;
}

/* Whether so much more may be put in; when it is empty anything may. */
bool store_has_room(const struct store *s, size_t size);
/* So many bytes more, in so many packets, can be put in without memory. False:
 * there is none for that. */
bool store_want(struct store *s, size_t bytes, size_t packets) MUST_USE;
/* Puts a packet in, for the caller to fill: its bytes are at store_data. What
 * store_data answered before may have moved. */
struct store_packet *store_put(struct store *s, size_t size);
/* base <= index < next. */
struct store_packet *store_at(const struct store *s, uint64_t index);
uint8_t *store_data(const struct store *s, const struct store_packet *p);
void store_drop_first(struct store *s);

#endif
