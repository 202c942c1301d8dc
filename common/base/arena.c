#include "common/base/arena.h"

#include "common/base/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Any block has space for the largest packet. */
enum { ALIGNMENT = alignof(max_align_t), BLOCK_SIZE = 72 * 1024 };

struct arena_block {
    struct block shared; /* the arena itself is one of the holders */
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t data[];
};

static size_t aligned(size_t size)
{
    ASSERT(size <= SIZE_MAX - sizeof(struct arena_block) - ALIGNMENT);
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void block_begin(struct arena_block *b, size_t size)
{
    b->next = NULL;
    b->size = size;
    b->used = 0;
    block_init(&b->shared);
}

static struct arena_block *new_block(size_t size)
{
    struct arena_block *b;

    if (size < BLOCK_SIZE)
        size = BLOCK_SIZE;
    b = memory_resize(NULL, 1, sizeof(*b) + size);
    block_begin(b, size);
    return b;
}

/* Makes a block with `size` free bytes the current one. Blocks after the
 * current one are empty; those that are too small stay for later. Rarely
 * called, and never inlined, because gcc 12 gives a false warning when it
 * inlines it. */
__attribute__((noinline)) static struct arena_block *advance(struct arena *a,
                                                             size_t size)
{
    struct arena_block **at = a->current ? &a->current->next : &a->first;
    struct arena_block *b = *at;

    if (b == NULL || b->size < size) {
        b = new_block(size);
        b->next = *at;
        *at = b;
    }
    a->current = b;
    return b;
}

void *arena_take(struct arena *a, size_t size)
{
    struct arena_block *b = a->current;
    void *piece;

    size = aligned(size);
    if (b == NULL || b->size - b->used < size)
        b = advance(a, size);
    piece = b->data + b->used;
    b->used += size;
    return piece;
}

void arena_trim(struct arena *a, void *last, size_t taken, size_t used)
{
    struct arena_block *b = a->current;

    ASSERT(b != NULL && used <= taken);
    ASSERT((uint8_t *)last + aligned(taken) == b->data + b->used);
    b->used -= aligned(taken) - aligned(used);
}

struct bytes arena_copy(struct arena *a, struct bytes bytes)
{
    void *to = arena_take(a, bytes.size);

    if (bytes.size > 0)
        memcpy(to, bytes.data, bytes.size);
    return bytes_of(to, bytes.size);
}

/* Adds a block of its own for a large piece, after the current one, and fills
 * it entirely. */
static bool add_block(struct arena *a, size_t size)
{
    struct arena_block *b = memory_try(NULL, 1, sizeof(*b) + size);

    if (b == NULL)
        return false;
    struct arena_block **at = a->current ? &a->current->next : &a->first;
    block_begin(b, size);
    b->next = *at;
    *at = b;
    a->current = b;
    return true;
}

bool arena_try_copy(struct arena *a, struct bytes bytes, struct bytes *copy)
{
    size_t size = aligned(bytes.size);
    const struct arena_block *b = a->current;
    bool fits = size < BLOCK_SIZE || (b != NULL && b->size - b->used >= size);

    if (!fits && !add_block(a, size))
        return false;
    *copy = arena_copy(a, bytes);
    return true;
}

void arena_clear(struct arena *a)
{
    struct arena_block **at = &a->first;

    while (*at != NULL) {
        struct arena_block *b = *at;
        bool last = b == a->current;

        b->used = 0;
        if (block_is_shared(&b->shared)) {
            *at = b->next;
            block_release(&b->shared);
        } else {
            at = &b->next;
        }
        if (last)
            break;
    }
    a->current = a->first;
}

void arena_close(struct arena *a)
{
    while (a->first != NULL) {
        struct arena_block *b = a->first;

        a->first = b->next;
        block_release(&b->shared);
    }
    a->current = NULL;
}

struct block *arena_block_of(const struct arena *a, const void *p)
{
    struct arena_block *b = a->current;
    const uint8_t *at = p;
    bool inside = b != NULL && at >= b->data && at < b->data + b->used;

    return inside ? &b->shared : NULL;
}
