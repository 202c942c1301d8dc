/*
 * port_mapping - has the router forward ports to this node, by NAT-PMP or UPnP
 * IGD.
 *
 * mapping_plan decides what to ask; this module asks it, one request at a time,
 * in libuv's thread pool. Each request takes at most 4 s, and the loop never
 * waits.
 */
#ifndef EDGE_SHELL_PORT_MAPPING_H
#define EDGE_SHELL_PORT_MAPPING_H

#include "edge/core/mapping_plan.h"
#include "edge/shell/network.h"

#include <uv.h>

struct port_mapping;

struct port_mapping_conf {
    uint16_t tcp_port, udp_port; /* of this node, IPv4; 0: none */
    /* A router behind an interface that the network does not have is not asked.
     * Borrowed until closed. */
    const struct network *network;
};

/* Called after each change, from the loop. */
typedef void port_mapping_changed(void *context,
                                  const struct mapping_state *state);

/* Begins to ask at once. NULL: no descriptor is left. */
struct port_mapping *port_mapping_open(uv_loop_t *loop,
                                       const struct port_mapping_conf *conf,
                                       port_mapping_changed *changed,
                                       void *context);
const struct mapping_state *port_mapping_state(const struct port_mapping *p);
/* Call it when the network changed, or the host resumed from sleep. */
void port_mapping_again(struct port_mapping *p);
/* This node's port is another one; 0: none. */
void port_mapping_moved(struct port_mapping *p, enum mapping_port port,
                        uint16_t inside);
/* Gives the leases back, which keeps the loop running for at most a second, and
 * does not call `changed` any more. NULL-safe. */
void port_mapping_close(struct port_mapping **self);

#endif
