/*
 * chaos - a random world under random faults, then healed and judged.
 */
#ifndef TESTS_SIM_CHAOS_H
#define TESTS_SIM_CHAOS_H

#include "tests/sim/world.h"

struct chaos_conf {
    int nodes;          /* 0: the seed says, 2 to 30 and mostly few */
    int relays;         /* -1: the seed says, 0 to 3 */
    int seconds;        /* virtual, the whole run; at least 60; 0: the seed
                           says, up to 11 minutes and mostly one */
    int links;          /* each node keeps; 0: more than there are nodes */
    bool hostile;       /* one of the nodes sends nonsense */
    bool hostile_relay; /* or a relay does, if there is one */
    bool forms;         /* relays are reached in all forms, through filters
                           that come and go */
    bool udp;           /* the nodes have UDP, behind NAT boxes */
};

/* Builds, runs and settles; the world's failure says what went wrong. */
void chaos_run(struct world *w, const struct chaos_conf *conf);

#endif
