/*
 * outbox - the records that a session has to send; each stays stored until the
 * peer acknowledges it [P-6.6].
 *
 * outbox_put cuts a message into records and encodes them at once, one behind
 * the other in slabs. Only the first record of a packet says its number
 * [P-6.4], so a packet is a run of records as they lie in a slab (a row):
 * outbox_take chooses it; the caller copies it into a packet, or sends it from
 * the slab. After a change of path, outbox_rewind makes the outbox send
 * everything unacknowledged again, in order.
 */
#ifndef COMMON_CORE_OUTBOX_H
#define COMMON_CORE_OUTBOX_H

#include "common/core/slabs.h"
#include "common/wire/record.h"

/* Free bytes in front of a slab's first record, for the packet's header and
 * control records; the rest of SLAB_FRONT is for the number of the first
 * record. */
enum { OUTBOX_PREFIX_SIZE = SLAB_FRONT - 10 };

struct outbox_entry {
    struct slab *slab;
    uint64_t ref; /* valid in a message's last record */
    uint32_t at;  /* the record's offset in the slab */
    uint32_t size;
    bool first, last;
};

struct outbox {
    struct outbox_entry *entries; /* a ring of `capacity` entries */
    size_t capacity;              /* a power of two, or 0 */
    size_t count;
    uint64_t ring_offset;   /* ring index = (sequence + this) modulo capacity */
    uint64_t base;          /* the sequence of the oldest entry */
    uint64_t next;          /* the sequence to send next */
    uint64_t first_unsent;  /* the lowest sequence that was never sent */
    size_t bytes;           /* of all stored records */
    size_t in_flight_bytes; /* of the records sent and not acknowledged */
    size_t limit;
    struct slab *oldest, *newest;
    struct slabs *slabs; /* borrowed */
};

/* An empty outbox for `limit_bytes` of records; the slabs are borrowed. */
void outbox_init(struct outbox *o, size_t limit_bytes, struct slabs *slabs);
void outbox_close(struct outbox *o);

/* True if a message of `size` bytes fits the limit. If nothing is stored, any
 * size fits. */
bool outbox_has_room(const struct outbox *o, size_t size);
/* Copies the message in. False: there is no memory, and nothing is stored.
 * `ref` is the caller's name for the message. */
bool outbox_put(struct outbox *o, const struct message *m,
                uint64_t ref) MUST_USE;

/* A run of records in one slab, for one packet. */
struct outbox_row {
    struct slab *slab;
    const struct outbox_entry *first;
    uint64_t sequence; /* of the first record */
    size_t size;       /* of all its records in the slab, bytes */
    size_t records;
    size_t resent; /* how many of them are sent again */
};
/* Takes the next records that lie in one slab, as many as fit `room` bytes of a
 * packet and keep the bytes in flight within `window`. The row has no records
 * if there is nothing to send. It is valid until the next outbox_put or
 * outbox_acknowledge. */
struct outbox_row outbox_take(struct outbox *o, size_t room, size_t window);
/* Copies the records into a packet. */
void outbox_row_write(const struct outbox_row *row, struct writer *w);
/* Makes the packet in the slab, without copying the records: puts `prefix` (at
 * most OUTBOX_PREFIX_SIZE bytes) in front of them and returns the whole.
 * Allowed only if outbox_is_at_front was true before the row was taken. */
struct bytes outbox_row_join(const struct outbox_row *row, struct bytes prefix);
/* True if the next record is the first in its slab, the slab holds at least
 * `size` bytes of records, and nobody else reads it: the packet may be made
 * there. */
bool outbox_is_at_front(const struct outbox *o, size_t size);
/* True if another record may be sent while at most `window` bytes are in
 * flight. One record may always be in flight. */
bool outbox_has_next(const struct outbox *o, size_t window);
/* The size of all records still to be sent, if one packet could take them. */
size_t outbox_unsent(const struct outbox *o);
/* True while a record is in flight: sent and not acknowledged. */
bool outbox_is_waiting(const struct outbox *o);
/* Sends every stored record again, from the oldest on. */
void outbox_rewind(struct outbox *o);

/*
 * The peer acknowledged all records up to `cumulative`; they are freed. Returns
 * true with the `ref` of one message that is now acknowledged completely: call
 * again until it returns false. A number that was never sent is ignored.
 */
bool outbox_acknowledge(struct outbox *o, uint64_t cumulative,
                        uint64_t *ref) MUST_USE;

/*
 * Drops one message, the oldest first; returns true with its `ref`, false when
 * none is left. With `all` every message counts, else only those of which a
 * record was sent. Call outbox_renumber afterwards: the records left are then
 * numbered from 1.
 */
bool outbox_forget(struct outbox *o, bool all, uint64_t *ref) MUST_USE;
void outbox_renumber(struct outbox *o);

#endif
