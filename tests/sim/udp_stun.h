/*
 * udp_stun - who answers Binding requests of STUN in a world: the relays, and
 * two servers that belong to nobody.
 */
#ifndef TESTS_SIM_UDP_STUN_H
#define TESTS_SIM_UDP_STUN_H

#include "tests/sim/udp_world.h"

enum { STUN_ADDRESSES = 16 };

/* Plugs in the servers, and the relays of the world. */
void udp_stun_begin(struct world *w);
/* Plugs in two servers with IPv6, which nodes are told of from then on. */
void udp_stun_begin_v6(struct world *w);
/* What the host's node is told; returns how many. */
size_t udp_stun_list(const struct world *w, int host,
                     struct address list[STUN_ADDRESSES]);
/* True if the datagram came to a server, or to a relay. */
bool udp_stun_take(struct world *w, const struct udp_delivery *d);

#endif
