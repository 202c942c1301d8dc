/*
 * arena - bytes that live together until the arena is cleared.
 *
 * Blocks are kept for reuse, so that a warm arena allocates nothing. One that
 * somebody holds outlives arena_clear, so that what stands in it can be handed
 * on without a copy.
 */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include "common/base/block.h"
#include "common/base/bytes.h"

struct arena_block;

/* A zeroed arena is empty and ready. */
struct arena {
    struct arena_block *first;
    struct arena_block *current;
};

/* Uninitialized room, aligned for anything; never NULL. */
void *arena_take(struct arena *a, size_t size);
/* Gives back the end of the room last taken: `used` of its bytes stay. */
void arena_trim(struct arena *a, void *last, size_t taken, size_t used);
struct bytes arena_copy(struct arena *a, struct bytes bytes);
/* The same of what may be large. False: there is no memory for it. */
bool arena_try_copy(struct arena *a, struct bytes bytes,
                    struct bytes *copy) MUST_USE;
void arena_clear(struct arena *a);
void arena_close(struct arena *a);

/* The block that `p` lies in, if it is the one that room was taken from last;
 * else NULL. */
struct block *arena_block_of(const struct arena *a, const void *p);

#endif
