/*
 * udp_checkers - what must be true of UDP in a world, watched as it happens.
 *
 * The checkers were told what each box and link is like, and keep a record of
 * their own of what passed; they know nothing of nat.c and udp_net.c but what
 * they see pass.
 *
 * nat-filter    a box lets in only what its filter allows by what went out
 *               within the time-out
 * nat-open      and all of that
 * nat-ports     two mappings that live at once differ in their outside
 *               endpoint, or, where ports are shared, in their scope
 * nat-stable    one mapping keeps its outside endpoint while it lives, towards
 *               all remotes in its scope
 * nat-paired    with paired pooling an inside address has one outside address
 * nat-translate what goes out comes from an outside address of the box; a
 *               firewall changes nothing; the remote's address stays
 * nat-hairpin   a box turns datagrams round if it is said to, only then
 * nat-taken     a box takes tuples if it is said to, only then
 * nat-given     and gives none of them to a mapping
 * nat-limit     a box has no more mappings than its limits and ports, and
 *               refuses none before
 * udp-mtu       nothing larger than a link's MTU passes it, all else does
 * udp-once      a link hands over a datagram once, unless it may double them
 * udp-order     in the order of sending, unless it may reorder them
 * udp-loss      a link loses datagrams only if it may
 * udp-delay     none is faster than the link
 * udp-fate      each datagram comes to an end
 * udp-content   with the bytes that were sent
 * udp-host      at a host that has the address
 */
#ifndef TESTS_SIM_UDP_CHECKERS_H
#define TESTS_SIM_UDP_CHECKERS_H

#include "tests/sim/udp_world.h"

struct udp_checkers;

struct udp_checkers *udp_checkers_new(void);
void udp_checkers_free(struct udp_checkers *c);

/* --- what they are told ------------------------------------------------- */

void udp_checkers_box(struct udp_checkers *c, int plug,
                      const struct nat_conf *conf);
void udp_checkers_restarted(struct udp_checkers *c, int plug,
                            const struct address *outside);
void udp_checkers_host(struct udp_checkers *c, int plug, int host,
                       const struct address *address);
void udp_checkers_no_host(struct udp_checkers *c, int plug);
void udp_checkers_link(struct udp_checkers *c, int plug,
                       enum udp_direction direction,
                       const struct udp_link *link);

/* --- what they see ------------------------------------------------------- */

/* The next datagram; ids count from 1. */
void udp_checkers_sent(struct udp_checkers *c, struct bytes bytes);
/* It was not one after all. */
void udp_checkers_not_sent(struct udp_checkers *c);
void udp_checkers_see(struct world *w, const struct udp_seen *seen);
void udp_checkers_delivered(struct world *w, const struct udp_delivery *d);
/* Nothing is to be under way. */
void udp_checkers_settle(struct world *w);

#endif
