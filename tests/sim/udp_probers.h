/*
 * udp_probers - sockets that ask a server how they are seen, and probe others.
 *
 * A prober is the simplest end of UDP hole punching. It asks a server for its
 * outside address as with STUN, sends probes, and answers each probe to the
 * address that the probe came from. It remembers whether an answer to one of
 * its own came: then datagrams pass both ways. Any prober serves as a server.
 */
#ifndef TESTS_SIM_UDP_PROBERS_H
#define TESTS_SIM_UDP_PROBERS_H

#include "tests/sim/udp_world.h"

struct udp_prober {
    int host;
    uint16_t port;
    struct address seen;    /* its own outside address; NONE: not known */
    struct address partner; /* the last one that answered or probed */
    size_t probed;          /* probes that it received */
    size_t answered;        /* of its own probes */
};

struct udp_probers;

void udp_probers_free(struct udp_probers *p); /* NULL-safe */

/* With a socket of its own; port 0: any. Returns its number, or -1. */
int udp_prober_add(struct world *w, int host, uint16_t port);
const struct udp_prober *udp_prober_get(struct world *w, int prober);
/* Forgets what it received. */
void udp_prober_reset(struct world *w, int prober);
/* Its answer sets `seen`. */
void udp_prober_ask(struct world *w, int prober, const struct address *server);
/* ttl 0: UDP_TTL */
void udp_prober_probe(struct world *w, int prober, const struct address *to,
                      int ttl);

#endif
