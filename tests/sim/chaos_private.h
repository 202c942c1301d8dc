/*
 * chaos_private - what the files of chaos share.
 *
 *     chaos.c         a random world, its run and its judgement
 *     chaos_faults.c  what goes wrong in it
 */
#ifndef TESTS_SIM_CHAOS_PRIVATE_H
#define TESTS_SIM_CHAOS_PRIVATE_H

#include "tests/sim/world.h"

/* Something goes wrong now and then, until then. */
void chaos_faults(struct world *w, struct instant until);
/* Nothing is wrong any more. */
void chaos_heal(struct world *w);
/* The host's process starts, unless it runs. */
void chaos_start_again(struct world *w, int host, uint64_t unused);

#endif
