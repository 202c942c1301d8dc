/*
 * slabs - rooms of one size for records that wait to be acknowledged.
 *
 * All sessions of a node take theirs from the same place and give them back, so
 * that one that has nothing under way holds no memory, and a running node does
 * not allocate: SLABS_SPARE of them are kept.
 */
#ifndef COMMON_CORE_SLABS_H
#define COMMON_CORE_SLABS_H

#include "common/wire/packet.h"

enum { SLABS_SPARE = 64 };

struct slab {
    struct slab *newer; /* its holder's, and used and records too */
    size_t used;        /* bytes */
    size_t records;     /* in it that are still needed */
    uint8_t data[PACKET_RECORDS_SIZE];
};

/* Zeroed: none are spare. */
struct slabs {
    struct slab *spare;
    size_t count;
};

/* All that were taken must have been given back. */
void slabs_close(struct slabs *s);
/* An empty one; the bytes are not cleared. */
struct slab *slabs_take(struct slabs *s);
void slabs_give(struct slabs *s, struct slab *slab);

#endif
