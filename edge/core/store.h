/*
 * store - a queue of sent packets, for retransmission [P-9.9].
 *
 * The bytes lie in one ring that grows when needed, so that a stream in steady
 * state does not allocate. A packet's index is its number in the order of
 * sending; indices are never used twice.
 */
#ifndef EDGE_CORE_STORE_H
#define EDGE_CORE_STORE_H

#include "common/base/bytes.h"
#include "common/base/instant.h"

/* Which records and messages a packet contains. */
struct store_content {
    uint32_t key_id;        /* the packet is sealed under this key */
    uint64_t last_record;   /* the packet's last record */
    uint64_t message;       /* number of the message of the first record */
    uint64_t start_record;  /* first record that begins a message; 0: none */
    uint64_t start_message; /* number of that message */
};

struct store_packet {
    struct store_content content;
    struct instant at; /* when it was put in */
    bool is_signed;
    uint64_t position; /* bytes of all packets ever put in before it */
    size_t size;
    size_t offset; /* in the ring */
};

struct store {
    struct store_packet *packets; /* a ring */
    size_t capacity;              /* a power of two, or 0 */
    uint64_t base;                /* index of the first packet */
    uint64_t next;                /* index of the next packet to put in */
    uint8_t *ring;
    size_t ring_size;
    size_t head;       /* where the next packet begins */
    size_t bytes;      /* of the packets in the store */
    uint64_t position; /* bytes of all packets ever put in */
    size_t limit;
};

void store_init(struct store *s, size_t limit_bytes);
void store_close(struct store *s);

static inline bool store_is_empty(const struct store *s)
{
    return s->base == s->next;
}

/* Whether the limit allows `size` more bytes. An empty store takes any size. */
bool store_has_room(const struct store *s, size_t size);
/* Allocates room, so that store_put cannot fail for `packets` more packets of
 * `bytes` together. False: there is no memory. */
bool store_want(struct store *s, size_t bytes, size_t packets) MUST_USE;
/* Appends a packet whose bytes, at store_data, the caller then fills in.
 * store_want must have made room. Pointers from earlier calls of store_data
 * become invalid. */
struct store_packet *store_put(struct store *s, size_t size);
/* base <= index < next. */
struct store_packet *store_at(const struct store *s, uint64_t index);
uint8_t *store_data(const struct store *s, const struct store_packet *p);
void store_drop_first(struct store *s);

#endif
