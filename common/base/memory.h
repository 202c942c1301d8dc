/*
 * memory - allocation that ends the process when there is no memory; for the
 * library, which must not end its host program, a reserve.
 *
 * Limits bound every size long before it gets here, so a daemon simply ends
 * when malloc fails. The library makes a reserve for each node and each call,
 * and selects it for the thread with memory_use. When malloc fails, the
 * functions then return blocks of that reserve, and the code that is running
 * goes on to a point where it can stop. There the owner asks memory_is_sound,
 * which refills the reserve; if it returns false, the owner shuts down in
 * order.
 *
 * Large pieces do not come from the reserve: memory_try returns NULL for them,
 * and its caller handles that.
 *
 * The reserve's blocks come from malloc, so free() frees everything.
 */
#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>

#define NEVER_NULL __attribute__((returns_nonnull))

/* Zeroed memory; free() frees it. */
void *memory_new(size_t size) NEVER_NULL;
void *memory_array(size_t count, size_t size) NEVER_NULL;
/* Grows or shrinks an array, or allocates one if `old` is NULL. New bytes are
 * not zeroed. */
void *memory_resize(void *old, size_t count, size_t size) NEVER_NULL;
/* Room for one element after `count` of them: `old`, or a larger array whose
 * capacity *room says. */
static inline void *memory_grow(void *old, size_t count, size_t *room,
                                size_t size)
{
    if (count < *room)
        return old;
    *room = *room > 0 ? 2 * *room : 16;
    return memory_resize(old, *room, size);
}
void *memory_copy(const void *data, size_t size) NEVER_NULL;
char *memory_string(const char *text) NEVER_NULL;

/* Like memory_resize, but never from the reserve: if malloc fails, it returns
 * NULL and marks the thread's reserve as unsound (memory_lacks). Without a
 * reserve it ends the process like the other functions, so daemons need no code
 * for the failure. */
void *memory_try(void *old, size_t count, size_t size) MUST_USE;

/* A filled reserve, or NULL if there is no memory for it. */
struct reserve;
enum reserve_kind {
    RESERVE_OF_NODE, /* for one step of a node's loop */
    RESERVE_OF_CALL, /* for one call that reads or writes settings */
};
struct reserve *reserve_new(enum reserve_kind kind) MUST_USE;
/* Frees the reserve and sets the pointer to NULL; NULL is allowed. */
void reserve_free(struct reserve **self);

/* Selects the reserve that this thread's allocations fall back to, or none
 * (NULL). Returns the reserve selected before. */
struct reserve *memory_use(struct reserve *r);
/* Marks the thread's reserve as unsound: an allocation failed for good, and the
 * caller had to go on without it. */
void memory_lacks(void);
/* True if the thread's reserve was marked so. An allocation that the reserve
 * served does not count. */
bool memory_did_lack(void) MUST_USE;
/* True if every allocation succeeded and the reserve is full, or could be
 * refilled now. True if no reserve is selected. Cheap unless blocks were taken.
 */
bool memory_is_sound(void) MUST_USE;

#endif
