/*
 * crowd - many connections at once, which notices those that the target closes.
 *
 * A closed connection stays closed until the attack opens it again.
 */
#ifndef TESTS_ADVERSARY_CROWD_H
#define TESTS_ADVERSARY_CROWD_H

#include "tests/adversary/attack.h"

struct crowd {
    size_t count;
    int *fds;     /* -1: not open */
    size_t *said; /* bytes sent on each connection */
};

/* Makes room for `count` connections, and opens none. */
void crowd_init(struct crowd *c, size_t count);
/* Opens all connections, one after the other; the target may refuse some. */
void crowd_open(struct crowd *c, const struct attack *a, struct tally *t);
void crowd_open_one(struct crowd *c, size_t i, const struct attack *a,
                    struct tally *t);
/* Counts and closes the connections that the target has closed. */
void crowd_look(struct crowd *c, struct tally *t);
void crowd_lose(struct crowd *c, size_t i, struct tally *t);
/* Writes the next bytes of the text to connection i: what its socket takes, at
 * most `most`. */
void crowd_say(struct crowd *c, size_t i, struct bytes text, size_t most,
               struct tally *t);
/* Calls crowd_look until the attack is over. */
void crowd_wait(struct crowd *c, const struct attack *a, struct tally *t);
void crowd_close(struct crowd *c);

#endif
