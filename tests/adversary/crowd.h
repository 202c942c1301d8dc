/*
 * crowd - many connections at once, and which of them the other end has cut.
 *
 * One that is cut stays so: an attack that comes back after each cut says so by
 * opening it again.
 */
#ifndef TESTS_ADVERSARY_CROWD_H
#define TESTS_ADVERSARY_CROWD_H

#include "tests/adversary/attack.h"

struct crowd {
    size_t count;
    int *fds;     /* -1: not there */
    size_t *said; /* bytes of what it says, so far */
};

/* Room for so many; none is opened. */
void crowd_init(struct crowd *c, size_t count);
/* Opens them one after the other; some may be refused. */
void crowd_open(struct crowd *c, const struct attack *a, struct tally *t);
void crowd_open_one(struct crowd *c, size_t i, const struct attack *a,
                    struct tally *t);
/* Looks at each: those that the other end cut are counted and gone. */
void crowd_look(struct crowd *c, struct tally *t);
void crowd_lose(struct crowd *c, size_t i, struct tally *t);
/* Writes more of the text to one, as far as it goes but `most` bytes. */
void crowd_say(struct crowd *c, size_t i, struct bytes text, size_t most,
               struct tally *t);
/* Looks at all of them until the attack is over. */
void crowd_wait(struct crowd *c, const struct attack *a, struct tally *t);
void crowd_close(struct crowd *c);

#endif
