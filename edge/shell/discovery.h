/*
 * discovery - the beacons' way out and in: UDP, by multicast on each interface
 * and by unicast.
 *
 * Two ports. The discovery port is shared by all edges of a host and takes part
 * in the groups. All that is sent leaves from the edge's own port, which has
 * the number of its TCP listener, so that answers find this edge and no other
 * of the host; who asked the discovery port by unicast is answered from there
 * too. IPv4 and IPv6 each as far as the host has them; interfaces may
 * come and go.
 */
#ifndef EDGE_SHELL_DISCOVERY_H
#define EDGE_SHELL_DISCOVERY_H

#include "edge/shell/interfaces.h"
#include "edge/shell/turn.h"

struct discovery;

struct discovery_conf {
    bool multicast;
    struct address group;  /* IPv4, port: the discovery port */
    struct address group6; /* IPv6, the same */
    uint16_t own_port;     /* 0: a free one */
};

/* What comes in is added to the turn. NULL with errno if the own port is taken;
 * without the discovery port it works, deaf to multicast, and says so. */
struct discovery *discovery_open(uv_loop_t *loop, struct turn *turn,
                                 const struct discovery_conf *conf);
void discovery_close(struct discovery **self);
uint16_t discovery_own_port(const struct discovery *d);

/* These are the interfaces from now on (borrowed until the next call). */
void discovery_interfaces(struct discovery *d, const struct interfaces *all);

/* How many interfaces there are whose multicast the kernel does not let it
 * hear; *name is that of number `index`, if there are so many. */
size_t discovery_unjoined(const struct discovery *d, size_t index,
                          const char **name);
/* The discovery port is not to be had: no multicast is heard at all. */
bool discovery_is_deaf(const struct discovery *d);

/* What cannot be sent is lost, as datagrams are. */
void discovery_multicast(struct discovery *d, struct bytes bytes);
void discovery_send(struct discovery *d, const struct address *to,
                    struct bytes bytes);

#endif
