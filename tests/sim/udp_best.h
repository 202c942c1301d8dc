/*
 * udp_best - whether two nodes should have a direct path over UDP, told from
 * the boxes between them [P-11]; tests/net/README.md has the same table.
 */
#ifndef TESTS_SIM_UDP_BEST_H
#define TESTS_SIM_UDP_BEST_H

#include "tests/sim/udp_hosts.h"

enum udp_best {
    UDP_BEST_NEVER, /* the boxes do not let them, or one has no UDP */
    UDP_BEST_MAYBE, /* by many sockets, or by luck */
    UDP_BEST_DIRECT,
};

/* Of a world that is healed. */
enum udp_best udp_best_of(const struct world *w, int a, int b);

#endif
