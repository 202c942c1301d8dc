/*
 * scenarios - one behaviour each, in a small world of its own.
 */
#ifndef TESTS_SIM_SCENARIOS_H
#define TESTS_SIM_SCENARIOS_H

#include "tests/sim/world.h"

struct scenario {
    const char *name;
    void (*run)(struct world *w);
};

/* Ends with a NULL name. */
extern const struct scenario scenarios[];

#endif
