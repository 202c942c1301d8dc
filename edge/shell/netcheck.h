/*
 * netcheck - looks at the network once: each relay by DNS and in each form that
 * it may be reached, and STUN at all servers. It takes a second or so, 6 s at
 * most.
 *
 * It uses connections of its own and disturbs no link. netcheck_facts adds what
 * the edge knows already.
 */
#ifndef EDGE_SHELL_NETCHECK_H
#define EDGE_SHELL_NETCHECK_H

#include "edge/shell/edge.h"
#include "edge/shell/findings.h"
#include "edge/shell/relay_probe.h"
#include "edge/shell/stun_probe.h"

struct netcheck;

/* The time that a client should wait for the answer. */
enum { NETCHECK_LONGEST_S = 10 };

struct netcheck_report {
    size_t relay_count; /* as in the edge */
    struct relay_probe_result relays[NODE_RELAYS];
    bool wpad; /* the name `wpad` has an address here */
    struct stun_probe_result stun;
};

/* The report is valid during the call, in which the netcheck may be closed.
 * Called from the loop. */
typedef void netcheck_done(void *context, const struct netcheck_report *r);

struct netcheck *netcheck_open(const struct edge *e, netcheck_done *done,
                               void *context);
/* The memory is freed once the loop ran. NULL-safe. */
void netcheck_close(struct netcheck **self);

/* The UDP ports of a relay where STUN is asked; returns their number. */
int netcheck_stun_ports(uint16_t relay_port, uint16_t ports[static FACT_PORTS]);

/* netcheck_facts.c: fills in all but the certificate's times. `peers` has room
 * for node_peer_count; names point into the node, and are valid until its next
 * step. */
void netcheck_facts(const struct edge *e, const struct netcheck_report *r,
                    struct net_facts *f, struct fact_peer *peers);
/* netcheck_facts.c: the contract's word for a failure; "" for 0. */
const char *netcheck_word(enum link_failure failure);
/* netcheck_facts.c: fills in only what findings_make_skew uses. */
void netcheck_clocks(const struct edge *e, struct net_facts *f);

#endif
