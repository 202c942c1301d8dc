/*
 * tally - what came from one light edge (crowd.h), so that a loss shows.
 *
 * Each message begins with its number, which grows by one for each message that
 * the sender had room for, and with the sender's process.
 */
#ifndef TESTS_BENCH_HERD_TALLY_H
#define TESTS_BENCH_HERD_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: nothing came. */
struct sender_tally {
    uint64_t process;
    uint64_t last;    /* the number of the last message */
    uint64_t had;     /* messages */
    uint64_t skipped; /* numbers that did not come before a later one */
    uint64_t again;   /* messages with a number that had come, or a lower one */
};

/* Counts a message of `size` bytes; one that is too short counts as `again`. */
void tally_take(struct sender_tally *t, const void *message, size_t size);
/* Prints RESULT with the sums. */
void tally_print(const struct sender_tally *tallies, size_t count);

#endif
