/*
 * deadline - something of a node is due at some time.
 */
#ifndef EDGE_CORE_DEADLINE_H
#define EDGE_CORE_DEADLINE_H

#include "common/base/heap.h"

struct node;

enum deadline_kind {
    DEADLINE_BEACON,
    DEADLINE_PEER,
    DEADLINE_LINK,
    DEADLINE_RELAY,
    DEADLINE_PING,
    DEADLINE_LEAVE,
    DEADLINE_OUTFLOW,
    DEADLINE_SUBSCRIPTION,
    DEADLINE_REFUSED_NODES,
    DEADLINE_UDP,
};

struct deadline {
    struct timer timer; /* its owner is this struct */
    enum deadline_kind kind;
    void *subject;
};

/* Due at `at` and no more at the time set before; NEVER: not at all. */
void node_arm(struct node *n, struct deadline *d, struct instant at);

#endif
