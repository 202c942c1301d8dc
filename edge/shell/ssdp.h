/*
 * ssdp - finds the UPnP service of the router, by SSDP [UPnP Device
 * Architecture 1.1, 1.3].
 *
 * Only the router itself is believed: the answer must come from its address and
 * name a place there. Otherwise any host of the LAN could make this one connect
 * to a place of its choice.
 */
#ifndef EDGE_SHELL_SSDP_H
#define EDGE_SHELL_SSDP_H

#include "edge/shell/gateway.h"
#include "edge/shell/timed_io.h"

enum { ROUTER_PATH_SIZE = 200, ROUTER_URL_SIZE = ROUTER_PATH_SIZE + 40 };

/* http://ADDRESS:PORT/PATH */
struct router_url {
    struct address address;
    char path[ROUTER_PATH_SIZE]; /* begins with a slash; no space within */
};

/* False: not http, not at that router, by a name, or with odd characters. */
bool router_url_parse(struct bytes text, const struct address *router,
                      struct router_url *url) MUST_USE;
const char *router_url_print(const struct router_url *url,
                             char text[ROUTER_URL_SIZE]);

/* Where the description of the router's Internet gateway device is. Asks by
 * multicast and at the router's address; waits for the router. False: no router
 * answered. */
bool ssdp_find(const struct gateway *g, const struct io_limit *l,
               struct router_url *url) MUST_USE;

#endif
