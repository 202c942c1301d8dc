/*
 * outbox - what a session has to send: numbered records that stay until they
 * are acknowledged [P-6.6].
 *
 * A message is copied in once and cut into fragments that point into the copy.
 * Memory comes in slabs that are used again, so that a running session does
 * not allocate. `outbox_rewind` makes everything unacknowledged go again, in
 * order, after a path changed.
 */
#ifndef COMMON_CORE_OUTBOX_H
#define COMMON_CORE_OUTBOX_H

#include "common/base/instant.h"
#include "common/wire/record.h"

enum { OUTBOX_FRAGMENT_SIZE = 32 * 1024 - 64 };

struct outbox_slab;

struct outbox_entry {
    struct outbox_slab *slab;
    const uint8_t *data;
    uint32_t size;
    uint32_t total;
    bool first, last;
    bool sent;    /* at least once */
    uint64_t ref; /* the message's, with `last` */
};

struct outbox {
    struct outbox_entry *entries; /* a ring */
    size_t capacity;              /* a power of two, or 0 */
    size_t count;
    uint64_t base;       /* the first entry's sequence */
    uint64_t next;       /* the next sequence to send */
    size_t bytes;        /* stored */
    size_t flying_bytes; /* sent and not acknowledged */
    size_t limit;
    struct outbox_slab *oldest, *newest;
    struct outbox_slab *spare;
};

void outbox_init(struct outbox *o, size_t limit_bytes);
void outbox_close(struct outbox *o);

/* Whether a message of this size fits; a larger one than the limit fits when
 * nothing else is stored. */
bool outbox_has_room(const struct outbox *o, size_t size);
/* Room to write a message of `size` >= 1 bytes into; then outbox_commit. */
uint8_t *outbox_reserve(struct outbox *o, size_t size);
/* Cuts the reserved message into records. */
void outbox_commit(struct outbox *o, size_t size, uint64_t ref);

/* The next record to send, if it fits `room` bytes and the `window` beyond
 * what is acknowledged; *again: it was sent before. */
bool outbox_next(struct outbox *o, size_t room, size_t window,
                 struct data_record *record, bool *again) MUST_USE;
bool outbox_has_next(const struct outbox *o, size_t window);
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
