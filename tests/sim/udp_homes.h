/*
 * udp_homes - what scenarios of nodes behind NATs are written with.
 *
 * A home is an edge with UDP behind a box of its own. All use one relay. None
 * listens on TCP unless the scenario says so: what is direct is so by UDP.
 */
#ifndef TESTS_SIM_UDP_HOMES_H
#define TESTS_SIM_UDP_HOMES_H

#include "tests/sim/udp_hosts.h"

/* Kinds of homes: those of boxes, and these. */
enum {
    HOME_OPEN = NAT_KINDS, /* on the Internet, without a box */
    HOME_SEQUENTIAL,       /* NAT_SYM whose ports come in sequence */
    HOME_DOUBLE,           /* NAT_HOME behind a carrier's NAT_HOME */
    HOME_TAKING,           /* NAT_PLAIN that takes tuples */
    HOME_V6,               /* IPv6 behind a firewall, no UDP over IPv4 */
    HOME_SYM_V6,           /* the same, and IPv4 behind NAT_SYM */
    HOME_KINDS
};
const char *home_kind_name(int kind);

struct homes {
    int relay, a, b;
};

/* The relay; before the first home. */
int homes_begin(struct world *w);
int homes_add(struct world *w, int relay, int kind);
/* Behind this box; the segment's address on the relay's side is that of the
 * box. */
int homes_add_behind(struct world *w, int relay, const struct nat_conf *conf,
                     int realm);
struct nat_conf home_conf(int kind);
/* The home's box. */
int home_box(const struct world *w, int home);
/* Two homes that are not started yet. */
struct homes homes_make(struct world *w, int kind_a, int kind_b);
/* The same, started: direct by UDP, and nothing of the start goes on. */
struct homes homes_direct(struct world *w, int kind_a, int kind_b);
/* Whether both see each other by the path within the span. */
bool homes_are(struct world *w, int a, int b, enum node_path path,
               struct span limit);

#endif
