/*
 * slabs - rooms of one size for records that wait to be acknowledged.
 *
 * All sessions of a node take theirs from the same place and give them back, so
 * that one that has nothing under way holds no memory, and a running node does
 * not allocate: SLABS_SPARE of them are kept. A slab that is sent from is held
 * by whoever reads in it, and is none's when it is given back meanwhile.
 */
#ifndef COMMON_CORE_SLABS_H
#define COMMON_CORE_SLABS_H

#include "common/base/block.h"
#include "common/wire/packet.h"

enum {
    SLABS_SPARE = 64,
    /* For what goes before the records in a packet. */
    SLAB_FRONT = 640,
    /* As many records as one packet takes, whatever else is due in it. */
    SLAB_END = PACKET_RECORDS_SIZE,
};

struct slab {
    struct block block; /* its holder's, and others' who read */
    struct slab *newer; /* its holder's, and used and records too */
    size_t used;        /* bytes, the front's too */
    size_t records;     /* in it that are still needed */
    uint8_t room[SLAB_END];
};

/* Zeroed: none are spare. */
struct slabs {
    struct slab *spare;
    size_t count;
};

/* All that were taken must have been given back. */
void slabs_close(struct slabs *s);
/* An empty one, which nobody else holds; the bytes are not cleared. */
struct slab *slabs_take(struct slabs *s);
/* So many are there to be taken, one by one, from now on. False: there is no
 * memory for them. */
bool slabs_want(struct slabs *s, size_t count) MUST_USE;
/* What others hold is kept for them only. */
void slabs_give(struct slabs *s, struct slab *slab);

#endif
