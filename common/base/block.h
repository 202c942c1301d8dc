/*
 * block - a reference count at the start of an allocation.
 *
 * Several holders share the allocation; the last one to release it frees it.
 * The block is the first member of the struct:
 *
 *     struct thing { struct block block; ... };
 *     struct thing *t = memory_resize(NULL, 1, sizeof *t);
 *     block_init(&t->block);      ... its creator holds it
 *     block_hold(&t->block);      ... for each further holder
 *     block_release(&t->block);   ... once by each holder
 */
#ifndef COMMON_BASE_BLOCK_H
#define COMMON_BASE_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>

/* Copying fewer bytes than this costs less than sharing them. */
enum { BLOCK_WORTH = 8 * 1024 };

struct block {
    atomic_uint holders;
};

/* Sets the count to 1: the caller holds the block. */
void block_init(struct block *b);
/* Adds a hold. Any thread may call it that has one itself. */
void block_hold(struct block *b);
/* Gives up one hold. The last release frees the allocation. Any thread may call
 * it. */
void block_release(struct block *b);
/* True if there are holders beside the caller. False: nobody else reads the
 * memory any more, so the caller may reuse it. */
bool block_is_shared(const struct block *b);

#endif
