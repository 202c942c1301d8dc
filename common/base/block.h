/*
 * block - memory that several hold, and whoever lets go last frees.
 *
 * It is the first member of what was allocated:
 *
 *     struct thing { struct block block; ... };
 *     struct thing *t = memory_resize(NULL, 1, sizeof *t);
 *     block_init(&t->block);
 *     ... block_hold(&t->block) for each who gets it, and for each, in the end,
 *     block_release(&t->block) ...
 */
#ifndef COMMON_BASE_BLOCK_H
#define COMMON_BASE_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

/* Of fewer bytes a copy costs less than to share them. */
enum { BLOCK_WORTH = 8 * 1024 };

struct block {
    atomic_uint holders;
};

/* One holds it: who made it. */
void block_init(struct block *b);
void block_hold(struct block *b);
/* From any thread; the last one's frees what it begins. */
void block_release(struct block *b);
/* Others hold it beside the caller. False: nobody else reads in it any more. */
bool block_is_shared(const struct block *b);

#endif
