#include "tests/bench/herd/tally.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER_SIZE = 8, HEAD_SIZE = 2 * NUMBER_SIZE };

void tally_take(struct sender_tally *t, const void *message, size_t size)
{
    uint64_t number = 0, process = t->process;

    if (size >= HEAD_SIZE) {
        memcpy(&number, message, sizeof number);
        memcpy(&process, (const char *)message + NUMBER_SIZE, sizeof process);
    }
    if (process != t->process) {
        t->process = process;
        t->last = 0;
    }
    t->had++;
    if (number <= t->last) {
        t->again++;
        return;
    }
    t->skipped += number - t->last - 1;
    t->last = number;
}

void tally_print(const struct sender_tally *tallies, size_t count)
{
    uint64_t had = 0, skipped = 0, again = 0;

    for (size_t i = 0; i < count; i++) {
        had += tallies[i].had;
        skipped += tallies[i].skipped;
        again += tallies[i].again;
    }
    printf("RESULT had=%lu skipped=%lu again=%lu\n", had, skipped, again);
    fflush(stdout);
}
