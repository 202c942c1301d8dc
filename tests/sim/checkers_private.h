/*
 * checkers_private - what the checkers' files share.
 *
 *     checkers.c   what nodes say, watched
 *     sabotage.c   what nodes say, spoiled on its way to the checkers
 *     settle.c     what ought to be, and the judgement at the end
 */
#ifndef TESTS_SIM_CHECKERS_PRIVATE_H
#define TESTS_SIM_CHECKERS_PRIVATE_H

#include "tests/sim/checkers.h"

struct sent {
    enum sent_kind kind;
    int from, to; /* hosts; to: -1 for PUBLISHED */
    uint32_t from_serial;
    size_t size;
    struct instant at;
    bool reported;
    enum node_outcome outcome;
    uint64_t handed_to; /* a bit for each host */
};

struct pair {
    bool joined;
    struct instant joined_at;
    size_t leaves;
    uint64_t last_ref;    /* handed over last, of the sender's process */
    uint32_t last_serial; /* of that process */
    bool awaits_ready;
    struct instant busy_at;
    size_t count;
    struct instant handed_at; /* the last one */
    struct span gap;          /* the longest between two */
};

struct checkers {
    struct sent *sent; /* by ref - 1 */
    size_t sent_count, sent_capacity;
    struct pair pairs[HOSTS][HOSTS]; /* [observer][peer], of its process */
    size_t refusals[HOSTS][2][32];
    uint64_t opportunities; /* for sabotage */
    bool done;              /* it was done */
    struct {
        bool full;
        struct process *at;
        int from;
        uint8_t *data;
        size_t size;
    } late; /* a message kept back */
};

int checkers_host_of(const struct world *w, const struct node_id *id);
struct sent *checkers_sent(const struct world *w, uint64_t ref);
bool checkers_relay_lies(const struct world *w);
void checkers_handed(struct world *w, struct process *p, int from,
                     struct bytes data);
/* What the node says, as it is. */
void checkers_see(struct world *w, struct process *p,
                  const struct node_todo *t);

#endif
