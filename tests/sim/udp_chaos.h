/*
 * udp_chaos - a random network of NAT boxes that carries random datagrams.
 *
 * Time-outs, port ranges and limits are small, so that they matter within the
 * minute that a run takes. Only the checkers judge (udp_checkers.h).
 */
#ifndef TESTS_SIM_UDP_CHAOS_H
#define TESTS_SIM_UDP_CHAOS_H

#include "tests/sim/udp_world.h"

/* Builds and runs; the world's failure says what went wrong. */
void udp_chaos_run(struct world *w);

#endif
