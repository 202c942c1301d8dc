#include "common/base/block.h"

#include <stdlib.h>

void block_init(struct block *b)
{
    atomic_init(&b->holders, 1);
}

void block_hold(struct block *b)
{
    atomic_fetch_add(&b->holders, 1);
}

void block_release(struct block *b)
{
    if (atomic_fetch_sub(&b->holders, 1) == 1)
        free(b);
}

bool block_is_shared(const struct block *b)
{
    return atomic_load(&b->holders) > 1;
}
