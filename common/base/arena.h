/*
 * arena - allocates many pieces of memory that are freed together.
 *
 * arena_clear frees every piece at once and keeps the blocks for reuse, so an
 * arena that is used again and again soon calls malloc no more. A caller that
 * holds a block (block_hold) keeps that block alive beyond arena_clear: data in
 * the block can then be passed on without a copy.
 */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include "common/base/block.h"
#include "common/base/bytes.h"

struct arena_block;

/* A zeroed arena is empty and ready for use. */
struct arena {
    struct arena_block *first;
    struct arena_block *current;
};

/* Returns `size` uninitialized bytes, aligned for any type; never NULL. They
 * stay valid until arena_clear or arena_close. */
void *arena_take(struct arena *a, size_t size);
/* Shrinks the piece that arena_take returned last: `last` had `taken` bytes,
 * the first `used` of them stay. */
void arena_trim(struct arena *a, void *last, size_t taken, size_t used);
/* A copy that lives as long as the arena's other pieces. */
struct bytes arena_copy(struct arena *a, struct bytes bytes);
/* Like arena_copy, for bytes that may be many. False: there is no memory;
 * `*copy` is unchanged. */
bool arena_try_copy(struct arena *a, struct bytes bytes,
                    struct bytes *copy) MUST_USE;
/* Frees all pieces and keeps the blocks that nobody else holds. */
void arena_clear(struct arena *a);
/* Frees the blocks too; those that others hold are freed by them. */
void arena_close(struct arena *a);

/* The block that holds `p`, if it is the arena's current block (the one of the
 * last arena_take); else NULL. The caller may block_hold it. */
struct block *arena_block_of(const struct arena *a, const void *p);

#endif
