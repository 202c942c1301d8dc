/*
 * udp_matrix - how soon each pair of homes is direct, over many runs.
 */
#ifndef TESTS_SIM_UDP_MATRIX_H
#define TESTS_SIM_UDP_MATRIX_H

#include "common/base/instant.h"

enum { UDP_MATRIX_RUNS = 1000 };

struct udp_matrix_conf {
    int runs; /* of each pair, <= UDP_MATRIX_RUNS */
    uint64_t first_seed;
    unsigned loss_percent; /* of each home's wire, */
    struct span delay;     /* and how much longer it is */
};

/*
 * Runs each pair `runs` times and prints a line for each: how often it became
 * direct, the median and the worst time from the start, and the fates of
 * datagrams. Returns how many pairs were not as they should be: easy ones
 * always, with a median of 2 s and 10 s at worst
 * (and 8 round trips, if `delay` makes them longer); hard ones in 9 of 10 runs
 * and within 20 s; two hard ones never.
 */
int udp_matrix_run(const struct udp_matrix_conf *conf);

#endif
