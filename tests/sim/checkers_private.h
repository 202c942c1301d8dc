/*
 * checkers_private - what the checkers' files share.
 *
 *     checkers.c   what nodes say, watched
 *     sabotage.c   what nodes say, spoiled on its way to the checkers
 *     settle.c     what ought to be, and the judgement at the end
 *     checkers_groups.c   publications
 */
#ifndef TESTS_SIM_CHECKERS_PRIVATE_H
#define TESTS_SIM_CHECKERS_PRIVATE_H

#include "tests/sim/checkers.h"

struct sent {
    enum sent_kind kind;
    int from, to; /* hosts; to: -1 for PUBLISHED */
    uint32_t from_serial;
    size_t size;
    int group;          /* PUBLISHED */
    uint64_t number;    /* PUBLISHED: the process's to the group */
    uint32_t receivers; /* PUBLISHED: that it is owed to */
    uint32_t peers;     /* PUBLISHED: that it goes to, as its node said */
    struct instant at;
    bool reported;
    enum node_outcome outcome;
    uint64_t handed_to; /* a bit for each host */
};

struct pair {
    bool joined;
    struct instant joined_at, left_at;
    size_t leaves;
    uint64_t last_ref;    /* handed over last, of the sender's process */
    uint32_t last_serial; /* of that process */
    bool awaits_ready;
    struct instant busy_at;
    size_t count;
    struct instant handed_at; /* the last one */
    struct span gap;          /* the longest between two */
};

/* Publications of one process at another. */
struct account {
    uint32_t serial; /* the sender's process */
    bool vague;      /* only order and membership can be checked */
    int64_t debt;    /* skipped, less what it was told to miss */
    struct account_stream {
        uint64_t from; /* the first that it is to have; 0: none yet */
        uint64_t last; /* handed over since then; 0: none */
        uint64_t seen; /* ever */
    } streams[GROUPS];
};

struct checkers {
    struct sent *sent; /* by ref - 1 */
    size_t sent_count, sent_capacity;
    struct pair pairs[HOSTS][HOSTS]; /* [observer][peer], of its process */
    struct account accounts[HOSTS][HOSTS]; /* [receiver][sender] */
    size_t refusals[HOSTS][2][32];
    uint64_t opportunities; /* for sabotage */
    bool done;              /* it was done */
    struct {
        bool full;
        struct process *at;
        int from;
        struct message message;
        uint8_t *data; /* its, owned */
    } late;            /* a message kept back */
};

struct sent *checkers_sent(const struct world *w, uint64_t ref);
bool checkers_relay_lies(const struct world *w);
void checkers_handed(struct world *w, struct process *p, int from,
                     const struct message *m);
/* What the node says, as it is. */
void checkers_see(struct world *w, struct process *p,
                  const struct node_todo *t);

/* --- publications, checkers_groups.c ------------------------------------ */

void accounts_submitted(struct world *w, struct sent *s);
void accounts_reported(struct world *w, struct sent *s);
void accounts_handed(struct world *w, struct process *p, const struct sent *s,
                     uint64_t ref);
void accounts_gap(struct world *w, struct process *p, int from,
                  uint64_t missed);
void accounts_started(struct world *w, const struct process *p);
void accounts_joined(struct world *w, int observer, int peer);
void accounts_settle(struct world *w);

#endif
