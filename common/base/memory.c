#include "common/base/memory.h"

#include "common/base/assert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *memory_array(size_t count, size_t size)
{
    void *p;

    if (count == 0 || size == 0)
        count = size = 1; /* Never NULL, also for nothing. */
    p = calloc(count, size);
    ASSERT(p != NULL);
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
    ASSERT(p != NULL);
    return p;
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
