/*
 * udp_world - UDP in a world: udp_net.h with the world's clock and seed.
 *
 * A scenario adds boxes, plugs hosts into realms, opens sockets and sends. The
 * receiver that it sets gets each delivery. The end of each datagram is mixed
 * into the world's trace and counted by its fate; the checkers
 * (udp_checkers.h) see each step. A world that never calls these functions has
 * no event and draws no random number more than without them.
 *
 * The numbers of hosts here are the scenario's. A node's host has the index of
 * the world's host (udp_hosts.h).
 */
#ifndef TESTS_SIM_UDP_WORLD_H
#define TESTS_SIM_UDP_WORLD_H

#include "tests/sim/udp_net.h"
#include "tests/sim/world.h"

/* A datagram arrived at a socket. */
typedef void udp_receiver(struct world *w, const struct udp_delivery *d);

struct udp_checkers;
struct udp_probers;

struct udp_world {
    struct udp_net *net;
    struct udp_checkers *checkers;
    struct udp_probers *probers; /* udp_probers.h; NULL: none */
    udp_receiver *receiver;      /* NULL: deliveries are only counted */
    void *owner;                 /* for the receiver */
    struct instant pump_at;      /* an event is posted for then */
    size_t fates[UDP_FATES];
};

/* The world's UDP, which is made at the first call. */
struct udp_world *udp_of(struct world *w);
void udp_world_free(struct world *w);

/* --- building, as in udp_net.h ------------------------------------------ */

int udp_add_box(struct world *w, int realm, const struct nat_conf *conf);
/* A box of this kind with the outside address, say "198.51.100.1". */
int udp_add_kind(struct world *w, int realm, enum nat_kind kind,
                 const char *outside);
void udp_plug(struct world *w, int host, int realm, const char *ip);
void udp_unplug(struct world *w, int host, int realm);
/* The box forgets all; with an address (else NULL) it gets that one. */
void udp_restart_box(struct world *w, int box, const char *outside);
/* Changes a plug's link, from the next datagram on. */
void udp_set_link(struct world *w, int plug, enum udp_direction direction,
                  const struct udp_link *link);
void udp_set_links(struct world *w, int plug, const struct udp_link *both);
int udp_plug_of_box(struct world *w, int box);
int udp_plug_of_host(struct world *w, int host, int realm);
/* Of "192.0.2.1:443", or with port 0 of "192.0.2.1". Asserts that it parses. */
struct address udp_address(const char *text);

/* --- sockets ----------------------------------------------------------- */

uint16_t udp_open(struct world *w, int host, uint16_t port);
void udp_close(struct world *w, int host, uint16_t port);
/* ttl 0: UDP_TTL. Returns the datagram's id, 0: the host has no plug. */
uint64_t udp_send(struct world *w, int host, uint16_t port,
                  const struct address *to, struct bytes bytes, int ttl);
/* Checks that all that was sent came to an end; nothing may be under way. */
void udp_settle(struct world *w);

#endif
