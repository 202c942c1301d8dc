/*
 * memory - allocation that either works or ends the process; and for the
 * library, which may not end its host, a reserve.
 *
 * Sizes are bounded by the limits long before they reach these, so a daemon
 * that gets no memory ends. A thread that uses a reserve (memory_use) gets the
 * reserve's blocks instead: what is under way goes on to a point where it can
 * stop. There the owner asks memory_is_sound, which fills the reserve again,
 * and if that fails ends in order. What can be large does not come from the
 * reserve: memory_try, whose failure is a result.
 *
 * The reserve's blocks are malloc's, so all are freed by free().
 */
#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stddef.h>

#define NEVER_NULL __attribute__((returns_nonnull))

/* Zeroed. Freed by free(). */
void *memory_new(size_t size) NEVER_NULL;
void *memory_array(size_t count, size_t size) NEVER_NULL;
/* Grows an array; new room is not zeroed. */
void *memory_resize(void *old, size_t count, size_t size) NEVER_NULL;
void *memory_copy(const void *data, size_t size) NEVER_NULL;
char *memory_string(const char *text) NEVER_NULL;

/* The same, not zeroed, or NULL: with a reserve in use it is unsound then
 * (memory_lacks), as somebody had to do without. Without one it ends the
 * process as all others do, so that only the library needs to care. */
void *memory_try(void *old, size_t count, size_t size) MUST_USE;

/* A reserve, filled; NULL: there is no memory. */
struct reserve;
enum reserve_kind {
    RESERVE_OF_NODE, /* for a step of its loop */
    RESERVE_OF_CALL, /* for settings that are read or written */
};
struct reserve *reserve_new(enum reserve_kind kind) MUST_USE;
/* NULL-safe; nulls. */
void reserve_free(struct reserve **self);

/* This thread's allocations may use it; NULL: none. Returns the one before. */
struct reserve *memory_use(struct reserve *r);
/* Somebody had to do without, for good: the thread's reserve is unsound. */
void memory_lacks(void);
/* Whether somebody did; what came from the reserve does not count. */
bool memory_did_lack(void) MUST_USE;
/* Whether all were given what they asked for, and the reserve is full or was
 * filled now. True without a reserve. Cheap while nothing fails. */
bool memory_is_sound(void) MUST_USE;

#endif
