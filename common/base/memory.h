/*
 * memory - allocation that either works or ends the process, and wiping.
 *
 * Sizes are bounded by the limits long before they reach these, so failing to
 * allocate is no expected result.
 */
#ifndef COMMON_BASE_MEMORY_H
#define COMMON_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed. Freed by free(). */
void *memory_new(size_t size);
void *memory_array(size_t count, size_t size);
/* Grows an array; new room is not zeroed. */
void *memory_resize(void *old, size_t count, size_t size);
void *memory_copy(const void *data, size_t size);
char *memory_string(const char *text);

#endif
