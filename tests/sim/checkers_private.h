/*
 * checkers_private - declarations that the files of the checkers share.
 *
 *     checkers.c   checks of what the nodes say
 *     sabotage.c   changes what the nodes say before it is checked
 *     settle.c     what should be in the end, and the check of it
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
    uint64_t number;    /* PUBLISHED: which of the process's in the group */
    uint32_t receivers; /* PUBLISHED: the hosts that must get it */
    uint32_t peers;     /* PUBLISHED: how many its node sends it to */
    struct instant at;
    bool reported;
    enum node_outcome outcome;
    uint64_t handed_to; /* a bit for each host */
};

struct pair {
    bool joined;
    struct instant joined_at, left_at;
    size_t leaves;
    uint64_t last_ref;    /* of the message handed over last */
    uint32_t last_serial; /* of the process that sent it */
    bool awaits_ready;
    struct instant busy_at;
    size_t count;
    struct instant handed_at; /* of the last message */
    struct span gap;          /* the longest time between two */
};

/* A receiver's account of one sender's publications. */
struct account {
    uint32_t serial; /* the sender's process */
    bool vague;      /* only order and membership can be checked */
    int64_t debt;    /* publications skipped, less those that gaps told */
    struct account_stream {
        uint64_t from; /* the first that it must get; 0: none yet */
        uint64_t last; /* the last one handed over since then; 0: none */
        uint64_t seen; /* the last one ever handed over */
    } streams[GROUPS];
};

struct checkers {
    struct sent *sent; /* by ref - 1 */
    size_t sent_count, sent_capacity;
    struct pair pairs[HOSTS][HOSTS]; /* [observer][peer], of its process */
    struct account accounts[HOSTS][HOSTS]; /* [receiver][sender] */
    size_t refusals[HOSTS][2][32];
    uint64_t opportunities; /* for sabotage */
    bool done;              /* the sabotage was done */
    struct {
        bool full;
        struct process *at;
        int from;
        struct message message;
        uint8_t *data; /* the message's data, owned */
    } late;            /* a message kept back */
};

struct sent *checkers_sent(const struct world *w, uint64_t ref);
bool checkers_relay_lies(const struct world *w);
void checkers_handed(struct world *w, struct process *p, int from,
                     const struct message *m);
/* Checks an item of the node, without sabotage. */
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
