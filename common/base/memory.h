/*
 * memory - allocation that either works or ends the process, and wiping.
 *
 * Sizes are bounded by the limits long before they reach these, so failing to
 * allocate is no expected result.
 */
#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

#include <stddef.h>

#define NEVER_NULL __attribute__((returns_nonnull))

/* Zeroed. Freed by free(). */
void *memory_new(size_t size) NEVER_NULL;
void *memory_array(size_t count, size_t size) NEVER_NULL;
/* Grows an array; new room is not zeroed. */
void *memory_resize(void *old, size_t count, size_t size) NEVER_NULL;
void *memory_copy(const void *data, size_t size) NEVER_NULL;
char *memory_string(const char *text) NEVER_NULL;

#endif
