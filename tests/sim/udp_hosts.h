/*
 * udp_hosts - UDP for the nodes of a world: their sockets, and the realms in
 * which their hosts stand.
 *
 * Each segment of the world is a realm of udp_net.h: a segment with a NAT is
 * the inside of a NAT box, another one is behind a firewall, and the Internet
 * is the Internet. A host has the same addresses in both. TCP goes on to use
 * the segments and knows nothing of the boxes.
 *
 * A segment may have IPv6 as well, or instead: a realm of its own behind a
 * firewall, where its hosts have addresses that the whole Internet knows.
 *
 *     ... add segments, relays, edges ...
 *     udp_hosts_begin(w);
 *     udp_hosts_box(w, segment, &conf, UDP_INTERNET);   for each
 *     ... host_start ...
 *
 * Relays answer STUN at the ports 443 and 3478 while they run, and so do two
 * servers with addresses of their own (udp_stun.h).
 *
 * udp-socket   a node uses only sockets that it opened, and does not keep more
 *              of them than its rounds and links need
 */
#ifndef TESTS_SIM_UDP_HOSTS_H
#define TESTS_SIM_UDP_HOSTS_H

#include "tests/sim/udp_world.h"

enum {
    UDP_HOSTS_EVENTS = 2,          /* that a starting node is told */
    UDP_HOSTS_SOCKETS_MOST = 2,    /* of a node for each peer, in the end, */
    UDP_HOSTS_ROUND_SOCKETS = 256, /* and of one round of many [P-11.7] */
    UDP_NO_REALM = -1,
    FAMILIES = 2,
};

/* --- building ---------------------------------------------------------- */

/* All edges have UDP from their next start on. After all hosts were added. */
void udp_hosts_begin(struct world *w);
void udp_hosts_free(struct world *w);
/* The segment is the inside of a new box in the realm, and its hosts are
 * plugged in. A box without an outside address gets the segment's, unless the
 * segment has none: then it is a firewall. Returns the box. */
int udp_hosts_box(struct world *w, int segment, const struct nat_conf *conf,
                  int realm);
/* A box whose inside is no segment: a carrier's, with other boxes behind it. */
int udp_hosts_carrier(struct world *w, const struct nat_conf *conf, int realm);
/* The segment has IPv6 behind this new firewall, in the Internet. */
void udp_hosts_firewall_v6(struct world *w, int segment,
                           const struct nat_conf *conf);
/* UDP_NO_REALM, or the firewall. */
int udp_hosts_realm_v6(const struct world *w, int segment);
/* UDP_INTERNET, UDP_NO_REALM, or the segment's box. */
int udp_hosts_realm(const struct world *w, int segment);
/* Without UDP: as if `paths.udp` were false. Before its start. */
void udp_hosts_without(struct world *w, int host);
/* `paths.udp: easy`. Before its start. */
void udp_hosts_easy(struct world *w, int host);
/* The links of all the host's plugs, those that come later as well. */
void udp_hosts_wire(struct world *w, int host, const struct udp_link *both);
const struct udp_link *udp_hosts_get_wire(const struct world *w, int host);
/* As it is now it is without faults; udp_hosts_mend_wire brings that back. */
void udp_hosts_keep_wire(struct world *w, int host);
void udp_hosts_mend_wire(struct world *w, int host);

/* --- for the world ------------------------------------------------------ */

/* All of these do nothing in a world without udp_hosts_begin. */

/* Whether the host's node has UDP. */
bool udp_hosts_has(const struct world *w, int host);
bool udp_hosts_is_easy(const struct world *w, int host);
/* Writes the addresses of the host's interfaces, without ports; returns how
 * many. */
size_t udp_hosts_addresses(const struct world *w, int host,
                           struct address list[FAMILIES * INTERFACES]);
/* The host's interfaces changed. */
void udp_hosts_plug(struct world *w, int host);
/* The NAT of the segment has another outside address. */
void udp_hosts_renumber(struct world *w, int segment);
/* Opens socket 0, and writes what the process is told at its start; returns how
 * many. */
size_t udp_hosts_start(struct world *w, struct process *p,
                       struct node_event events[UDP_HOSTS_EVENTS]);
/* The process says to the other ends of its links that it closes them. */
void udp_hosts_close_links(struct world *w, int host);
/* The process ended, and says nothing. */
void udp_hosts_ended(struct world *w, int host);
/* CONNECT_UDP, UDP_OPEN, UDP_CLOSE, UDP_SEND */
void udp_hosts_todo(struct world *w, struct process *p,
                    const struct node_todo *t);
void udp_hosts_handle(struct world *w, struct event *e);
/* Nothing is left over that its rounds and links do not need. */
void udp_hosts_settle(struct world *w);

/* --- for links ---------------------------------------------------------- */

/* A link uses the socket, which stays open until it gives it back. False: there
 * is no such socket. */
bool udp_socket_hold(struct world *w, int host, uint32_t socket);
void udp_socket_release(struct world *w, int host, uint32_t socket);
void udp_socket_send(struct world *w, int host, uint32_t socket,
                     const struct address *to, struct bytes bytes, int ttl);

/* What an EVENT_UDP is; in its `side`. */
enum udp_event {
    UDP_EVENT_OPENED,   /* argument: socket and count; address.port */
    UDP_EVENT_DATAGRAM, /* argument: socket; address, data */
    UDP_EVENT_LINK_DUE, /* argument: the link's id */
    UDP_EVENT_LINK_ROOM,
};
struct event *udp_event_of(struct world *w, const struct process *p,
                           enum udp_event what, uint64_t argument);

#endif
