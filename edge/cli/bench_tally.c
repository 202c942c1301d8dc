#include "edge/cli/bench.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

static void grow(struct bench_tally *t, uint64_t number)
{
    size_t size = t->size == 0 ? 4096 : t->size;

    while (number / 8 >= size)
        size *= 2;
    if (size == t->size)
        return;
    t->seen = memory_resize(t->seen, size, 1);
    memset(t->seen + t->size, 0, size - t->size);
    t->size = size;
}

void bench_tally_count(struct bench_tally *t, uint64_t number)
{
    ASSERT(number <= UINT32_MAX);
    grow(t, number);
    uint8_t bit = (uint8_t)(1 << (number % 8));
    if (t->seen[number / 8] & bit) {
        t->duplicated++;
        return;
    }
    t->seen[number / 8] |= bit;
    t->received++;
    t->reordered += number < t->next;
    if (number >= t->next)
        t->next = number + 1;
}

void bench_tally_clear(struct bench_tally *t)
{
    free(t->seen);
    *t = (struct bench_tally){0};
}
