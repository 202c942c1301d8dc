/*
 * chaos_private - declarations that the files of chaos share.
 *
 *     chaos.c         a random world, its run and its judgement
 *     chaos_faults.c  its faults
 *     chaos_udp.c     NAT boxes, and their faults
 */
#ifndef TESTS_SIM_CHAOS_PRIVATE_H
#define TESTS_SIM_CHAOS_PRIVATE_H

#include "tests/sim/world.h"

/* Begins random faults now and then, until then. */
void chaos_faults(struct world *w, struct instant until);
/* Ends all faults. */
void chaos_heal(struct world *w);
/* Starts the host's process, unless it runs. */
void chaos_start_again(struct world *w, int host, uint64_t unused);
/* Gives the nodes UDP, and each network a box. */
void chaos_udp_build(struct world *w);
void chaos_udp_fault(struct world *w, int host);
void chaos_udp_heal(struct world *w);

#endif
