/*
 * chaos - a random world under random faults, then healed and judged.
 */
#ifndef TESTS_SIM_CHAOS_H
#define TESTS_SIM_CHAOS_H

#include "tests/sim/world.h"

struct chaos_conf {
    int nodes;
    int seconds;        /* virtual, the whole run; at least 60 */
    bool hostile;       /* one of the nodes says nonsense */
    bool hostile_relay; /* or a relay does, if there is one */
};

/* Builds, runs and settles; the world's failure says what went wrong. */
void chaos_run(struct world *w, const struct chaos_conf *conf);

#endif
