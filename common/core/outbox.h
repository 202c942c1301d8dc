/*
 * outbox - what a session has to send: numbered records that stay until they
 * are acknowledged [P-6.6].
 *
 * A message is cut into records when it is put in, and they are encoded there
 * and then; as all but the first of a packet say no number [P-6.4], what goes
 * out is a row of them as they lie in their slab, copied, or even sent from
 * there. `outbox_rewind` makes everything unacknowledged go again, in order,
 * after a path changed.
 */
#ifndef COMMON_CORE_OUTBOX_H
#define COMMON_CORE_OUTBOX_H

#include "common/core/slabs.h"
#include "common/wire/record.h"

/* Room before a row: the rest of the slab's front is for its number. */
enum { OUTBOX_BEFORE = SLAB_FRONT - 10 };

struct outbox_entry {
    struct slab *slab;
    uint64_t ref; /* the message's, with `last` */
    uint32_t at;  /* where it begins in the slab */
    uint32_t size;
    bool first, last;
};

struct outbox {
    struct outbox_entry *entries; /* a ring */
    size_t capacity;              /* a power of two, or 0 */
    size_t count;
    uint64_t turned;     /* the ring's index is the sequence and this */
    uint64_t base;       /* the first entry's sequence */
    uint64_t next;       /* the next sequence to send */
    uint64_t fresh;      /* the first sequence that was never sent */
    size_t bytes;        /* stored, of records */
    size_t flying_bytes; /* sent and not acknowledged */
    size_t limit;
    struct slab *oldest, *newest;
    struct slabs *slabs; /* borrowed */
};

void outbox_init(struct outbox *o, size_t limit_bytes, struct slabs *slabs);
void outbox_close(struct outbox *o);

/* Whether a message of this size fits; a larger one than the limit fits when
 * nothing else is stored. */
bool outbox_has_room(const struct outbox *o, size_t size);
/* Copies the message in. False: there is no memory, and it did not. */
bool outbox_put(struct outbox *o, const struct message *m,
                uint64_t ref) MUST_USE;

/* The records of one packet: they lie in a row. */
struct outbox_row {
    struct slab *slab;
    const struct outbox_entry *first;
    uint64_t sequence; /* the first one's */
    size_t size;       /* as they lie there */
    size_t records;
    size_t again; /* of them, those that were sent before */
};
/* The next records, as many as fit `room` bytes of a packet and the `window`
 * beyond what is acknowledged, and lie in one slab. Valid until anything is put
 * in or acknowledged. */
struct outbox_row outbox_take(struct outbox *o, size_t room, size_t window);
/* Copies it out. */
void outbox_row_write(const struct outbox_row *row, struct writer *w);
/* What to send with `before` (at most OUTBOX_BEFORE bytes) before it, where it
 * lies. Only of a row of which outbox_is_at_front was true. */
struct bytes outbox_row_join(const struct outbox_row *row, struct bytes before);
/* The next row, of so many bytes or more if the window allows, begins a slab
 * that nobody else reads in. */
bool outbox_is_at_front(const struct outbox *o, size_t size);
bool outbox_has_next(const struct outbox *o, size_t window);
/* The bytes of all that is to be sent, if it went in one packet. */
size_t outbox_unsent(const struct outbox *o);
/* True while something was sent and not acknowledged. */
bool outbox_is_waiting(const struct outbox *o);
void outbox_rewind(struct outbox *o);

/*
 * Everything up to `cumulative` has arrived: drops one message's entries at a
 * time. True with the ref of each message completed; false when done. An
 * acknowledgement of what was never sent is ignored.
 */
bool outbox_acknowledge(struct outbox *o, uint64_t cumulative,
                        uint64_t *ref) MUST_USE;

/*
 * Forgets the messages of which something was sent (all: every one), oldest
 * first; true with the ref of each. What is left starts again with sequence 1.
 */
bool outbox_forget(struct outbox *o, bool all, uint64_t *ref) MUST_USE;
void outbox_renumber(struct outbox *o);

#endif
