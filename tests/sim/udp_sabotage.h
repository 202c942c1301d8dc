/*
 * udp_sabotage - UDP goes wrong on purpose, so that each checker is seen to
 * find it: a box, a link or a delivery is not what the checkers were told.
 */
#ifndef TESTS_SIM_UDP_SABOTAGE_H
#define TESTS_SIM_UDP_SABOTAGE_H

#include "tests/sim/udp_net.h"

enum udp_sabotage {
    UDP_SABOTAGE_NONE,
    UDP_SABOTAGE_OPEN_FILTER,
    UDP_SABOTAGE_STRICT_FILTER,
    UDP_SABOTAGE_LONG_TIMEOUT,
    UDP_SABOTAGE_SHORT_TIMEOUT,
    UDP_SABOTAGE_SHARED_PORT,
    UDP_SABOTAGE_UNSTABLE,
    UDP_SABOTAGE_UNPAIRED,
    UDP_SABOTAGE_NO_TRANSLATION,
    UDP_SABOTAGE_TRANSLATION,
    UDP_SABOTAGE_HAIRPIN,
    UDP_SABOTAGE_NO_HAIRPIN,
    UDP_SABOTAGE_TAKES,
    UDP_SABOTAGE_TAKES_NOT,
    UDP_SABOTAGE_FORGETS,
    UDP_SABOTAGE_NO_LIMIT,
    UDP_SABOTAGE_LOW_LIMIT,
    UDP_SABOTAGE_LARGE,
    UDP_SABOTAGE_NARROW,
    UDP_SABOTAGE_DOUBLE,
    UDP_SABOTAGE_REORDER,
    UDP_SABOTAGE_LOSS,
    UDP_SABOTAGE_DOWN,
    UDP_SABOTAGE_FAST,
    UDP_SABOTAGE_STUCK,
    UDP_SABOTAGE_CORRUPT,
    UDP_SABOTAGE_MISROUTE,
    UDP_SABOTAGE_NODES, /* from here on: of worlds with nodes */
    UDP_SABOTAGE_SECRET = UDP_SABOTAGE_NODES, /* the ends have two secrets */
    UDP_SABOTAGE_LEAK, /* a node's sockets are not closed */
    UDP_SABOTAGE_COUNT
};

const char *udp_sabotage_name(enum udp_sabotage s);
/* The checker that is to find it. */
const char *udp_sabotage_found_by(enum udp_sabotage s);
/* Changes what is told to the checkers into what is. */
void udp_sabotage_box(enum udp_sabotage s, struct nat_conf *conf);
void udp_sabotage_link(enum udp_sabotage s, struct udp_link *link);

#endif
