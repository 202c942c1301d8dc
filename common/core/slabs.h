/*
 * slabs - memory blocks of one size, which hold encoded records until they are
 * acknowledged.
 *
 * All sessions of a node take slabs from one pool and return them, so a session
 * with nothing in flight holds no memory, and a running node allocates nothing:
 * the pool keeps up to SLABS_SPARE free slabs. While a packet is sent from a
 * slab, the sender holds the slab's block; a slab that is returned meanwhile
 * does not go back into the pool, and its last holder frees it.
 */
#ifndef COMMON_CORE_SLABS_H
#define COMMON_CORE_SLABS_H

#include "common/base/block.h"
#include "common/wire/packet.h"

enum {
    SLABS_SPARE = 64,
    /* The space before the records: for the packet's header and control
     * records. */
    SLAB_FRONT = 640,
    /* The end of a slab: its records fit one packet together with all control
     * records. */
    SLAB_END = PACKET_RECORDS_SIZE,
};

struct slab {
    struct block block; /* shared with those that send from the slab */
    struct slab *newer; /* the owner's list */
    size_t used;        /* bytes, SLAB_FRONT included */
    size_t records;     /* in the slab, not acknowledged yet */
    uint8_t bytes[SLAB_END];
};

/* A zeroed pool has no free slabs. */
struct slabs {
    struct slab *spare;
    size_t count;
};

/* Frees the free slabs. All slabs that were taken must have been returned. */
void slabs_close(struct slabs *s);
/* Takes an empty slab, whose bytes are not cleared; the caller owns it. */
struct slab *slabs_take(struct slabs *s);
/* Makes sure that the next `count` calls of slabs_take need no malloc. False:
 * there is no memory for that. */
bool slabs_want(struct slabs *s, size_t count) MUST_USE;
/* Returns a slab to the pool. If others hold its block, they keep it and the
 * last one frees it. */
void slabs_give(struct slabs *s, struct slab *slab);

#endif
