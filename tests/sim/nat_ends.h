/*
 * nat_ends - what scenarios of NATs are written with: two ends that meet.
 *
 * Both ends ask a server on the Internet how they are seen, and probe each
 * other's seen address. The pair is direct if a probe of one was answered.
 * Numbers (1 to 199, each used once) are hosts, and parts of their addresses.
 */
#ifndef TESTS_SIM_NAT_ENDS_H
#define TESTS_SIM_NAT_ENDS_H

#include "tests/sim/udp_probers.h"

enum { NAT_OPEN = NAT_KINDS }; /* a host on the Internet, without a box */

/* A prober behind a box of its own. */
struct nat_end {
    int prober, box; /* box: UDP_INTERNET if there is none */
};

/* The server, before anything else. */
void nat_server(struct world *w);
void nat_ask_server(struct world *w, int prober);
/* A box of the kind, with an outside address of the number. */
struct nat_conf nat_conf_at(enum nat_kind kind, int number);
/* 10 ms, in both directions. */
void nat_slow_link(struct world *w, int plug);
/* A host in the realm with a prober. */
int nat_add_prober(struct world *w, int number, int realm, const char *ip);
/* A host behind a box of its own in the realm. */
struct nat_end nat_add_behind(struct world *w, int number, int realm,
                              const struct nat_conf *conf);
/* kind: an enum nat_kind, or NAT_OPEN. On the Internet. */
struct nat_end nat_add_end(struct world *w, int number, int kind);

/* Both ask the server anew, and forget what they received. */
void nat_learn(struct world *w, int a, int b);
/* From one to the address at which the server saw the other. ttl 0: UDP_TTL. */
void nat_probe(struct world *w, int from, int to, int ttl);
bool nat_is_direct(struct world *w, int a, int b);
/* Both learn, then send in three rounds, in each b so much later than a. */
bool nat_punches(struct world *w, int a, int b, struct span lag);
/* Waits until nothing is under way, and has that checked. */
void nat_settle(struct world *w);

#endif
