/*
 * gateway - the router through which this host's IPv4 traffic leaves.
 */
#ifndef EDGE_SHELL_GATEWAY_H
#define EDGE_SHELL_GATEWAY_H

#include "common/base/address.h"

/* Both addresses have port 0; ADDRESS_NONE: there is no router. */
struct gateway {
    struct address router;
    struct address self; /* of this host, towards the router */
    unsigned interface;  /* its index */
};

/* Asks the kernel which way a packet to the Internet would take; sends nothing
 * and does not wait. False, and no router in `g`: there is no route, or it
 * leads to no router, as in a point-to-point VPN. */
bool gateway_find(struct gateway *g);
/* True if both are the same router and the same way to it. */
bool gateway_equal(const struct gateway *a, const struct gateway *b);

#endif
