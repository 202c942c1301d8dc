/*
 * discovery - the UDP sockets of the beacons: multicast on each interface, and
 * unicast.
 *
 * There are two ports. All edges of a host share the discovery port, whose
 * sockets join the multicast groups. An edge sends from its own port, which has
 * the number of its TCP listener, so that answers reach this edge and not
 * another one on the host. A sender that asked the discovery port by unicast
 * gets the answer from both ports. Works with IPv4 and IPv6 as far as the host
 * has them; interfaces may come and go.
 */
#ifndef EDGE_SHELL_DISCOVERY_H
#define EDGE_SHELL_DISCOVERY_H

#include "edge/shell/event_queue.h"
#include "edge/shell/interfaces.h"

struct discovery;

struct discovery_conf {
    bool multicast;
    struct address group;  /* IPv4, port: the discovery port */
    struct address group6; /* IPv6, the same */
    uint16_t own_port;     /* 0: a free one */
};

/* Queues received datagrams. NULL with errno if the edge's own port
 * is taken. If only the discovery port cannot be opened, it logs that, and
 * works without receiving multicast. */
struct discovery *discovery_open(uv_loop_t *loop, struct event_queue *events,
                                 const struct discovery_conf *conf);
void discovery_close(struct discovery **self);
uint16_t discovery_own_port(const struct discovery *d);

/* Sets the interfaces to use (borrowed until the next call). */
void discovery_interfaces(struct discovery *d, const struct interfaces *all);

/* The number of interfaces on which the kernel refused to join the group;
 * sets *name to the name of number `index`, if there is one. */
size_t discovery_unjoined(const struct discovery *d, size_t index,
                          const char **name);
/* Whether the discovery port could not be opened: no multicast comes in. */
bool discovery_is_deaf(const struct discovery *d);

/* Beacons sent on the interface, and heard there of other nodes: multicast, of
 * both families, since this was opened. */
void discovery_heard(const struct discovery *d, unsigned interface,
                     uint64_t *sent, uint64_t *heard);

/* Datagrams that cannot be sent are dropped. */
void discovery_multicast(struct discovery *d, struct bytes bytes);
void discovery_send(struct discovery *d, const struct address *to,
                    struct bytes bytes);

#endif
