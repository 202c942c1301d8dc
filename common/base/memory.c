#include "common/base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The sizes of a reserve's blocks, and how many of each size a reserve holds:
 * several times the most that cli/no_memory_ever.sh sees in use. */
enum { SIZES = 5, BLOCKS_MAX = 96 };

static const size_t sizes[SIZES] = {256, 4 * 1024, 32 * 1024, 80 * 1024,
                                    1024 * 1024};
static const size_t wanted[][SIZES] = {
    [RESERVE_OF_NODE] = {96, 24, 8, 12, 2},
    [RESERVE_OF_CALL] = {64, 8, 4, 12, 1},
};

struct reserve {
    enum reserve_kind kind;
    void *blocks[SIZES][BLOCKS_MAX];
    size_t count[SIZES];
    bool touched; /* a block was taken since the last fill */
    bool lacks;   /* an allocation failed for good */
};

static _Thread_local struct reserve *in_use;

/* --- the reserve ---------------------------------------------------------- */

static bool fill(struct reserve *r)
{
    for (size_t k = 0; k < SIZES; k++)
        while (r->count[k] < wanted[r->kind][k]) {
            void *block = malloc(sizes[k]);
            if (block == NULL)
                return false;
            r->blocks[k][r->count[k]++] = block;
        }
    r->touched = false;
    return true;
}

struct reserve *reserve_new(enum reserve_kind kind)
{
    struct reserve *r = calloc(1, sizeof *r);

    if (r != NULL) {
        r->kind = kind;
        if (!fill(r))
            reserve_free(&r);
    }
    return r;
}

void reserve_free(struct reserve **self)
{
    struct reserve *r = *self;

    if (r == NULL)
        return;
    *self = NULL;
    for (size_t k = 0; k < SIZES; k++)
        while (r->count[k] > 0)
            free(r->blocks[k][--r->count[k]]);
    free(r);
}

static void *take(struct reserve *r, size_t size)
{
    for (size_t k = 0; k < SIZES; k++)
        if (size <= sizes[k] && r->count[k] > 0) {
            r->touched = true;
            return r->blocks[k][--r->count[k]];
        }
    return NULL;
}

struct reserve *memory_use(struct reserve *r)
{
    struct reserve *before = in_use;

    in_use = r;
    return before;
}

void memory_lacks(void)
{
    if (in_use != NULL)
        in_use->lacks = true;
}

bool memory_did_lack(void)
{
    return in_use != NULL && in_use->lacks;
}

bool memory_is_sound(void)
{
    struct reserve *r = in_use;

    return r == NULL || (!r->lacks && (!r->touched || fill(r)));
}

/* --- allocation ----------------------------------------------------------- */

/* Replaces a failed malloc or realloc: takes a block of the reserve. */
static void *rescue(void *old, size_t size)
{
    void *p = in_use != NULL ? take(in_use, size) : NULL;

    ASSERT(p != NULL);
    if (old != NULL) {
        size_t kept = malloc_usable_size(old);
        memcpy(p, old, kept < size ? kept : size);
        free(old);
    }
    return p;
}

void *memory_array(size_t count, size_t size)
{
    void *p;

    if (count == 0 || size == 0)
        count = size = 1; /* Zero bytes give a pointer too, not NULL. */
    p = calloc(count, size);
    if (p == NULL) {
        ASSERT(count <= SIZE_MAX / size);
        p = memset(rescue(NULL, count * size), 0, count * size);
    }
    return p;
}

void *memory_new(size_t size)
{
    return memory_array(1, size);
}

void *memory_resize(void *old, size_t count, size_t size)
{
    void *p;

    if (count == 0 || size == 0)
        count = size = 1;
    ASSERT(count <= SIZE_MAX / size);
    p = realloc(old, count * size);
    return p != NULL ? p : rescue(old, count * size);
}

void *memory_copy(const void *data, size_t size)
{
    void *p = memory_resize(NULL, size, 1);

    if (size > 0)
        memcpy(p, data, size);
    return p;
}

char *memory_string(const char *text)
{
    return memory_copy(text, strlen(text) + 1);
}

void *memory_try(void *old, size_t count, size_t size)
{
    void *p;

    if (count == 0 || size == 0)
        count = size = 1;
    ASSERT(count <= SIZE_MAX / size);
    p = realloc(old, count * size);
    ASSERT(p != NULL || in_use != NULL);
    if (p == NULL)
        in_use->lacks = true;
    return p;
}
