/*
 * udp_hosts_private - declarations that the files of nodes' UDP share.
 *
 *     udp_hosts.c      realms, plugs, events and todo items
 *     node_sockets.c   a process's sockets by their numbers
 *     udp_links.c      connections
 */
#ifndef TESTS_SIM_UDP_HOSTS_PRIVATE_H
#define TESTS_SIM_UDP_HOSTS_PRIVATE_H

#include "tests/sim/udp_hosts.h"
#include "tests/sim/udp_links.h"

struct node_socket {
    uint32_t number;
    uint16_t port;
    bool closed; /* by the node; links still use it */
    int links;
};

/* Where an interface is plugged in. */
struct udp_place {
    int realm;
    struct address address;
};

struct udp_host {
    bool has, easy;
    struct udp_link wire, usual_wire;
    struct udp_place places[FAMILIES * INTERFACES];
    size_t place_count;
    struct node_socket *sockets; /* of its process */
    size_t socket_count, socket_room;
};

enum { UDP_BOXES = 64 };

struct udp_hosts {
    int realms[SEGMENTS];    /* of IPv4, */
    int realms_v6[SEGMENTS]; /* and of IPv6 */
    bool v6;                 /* some segment has it */
    struct {
        struct nat_conf conf;
        int realm;      /* outside */
    } boxes[UDP_BOXES]; /* by number */
    struct udp_host hosts[HOSTS];
    struct udp_links *links;
};

/* Opens `count` sockets with these numbers; the first has this port, or with 0
 * any. Returns the port of the first. */
uint16_t node_sockets_open(struct world *w, int host, uint32_t number,
                           uint32_t count, uint16_t port);
void node_sockets_close(struct world *w, int host, uint32_t number,
                        uint32_t count);
void node_sockets_close_all(struct world *w, int host);
/* Whether the socket is open, for its node or for a link. */
bool node_sockets_has(const struct world *w, int host, uint32_t number);
/* The number of the socket with the port. */
bool node_sockets_of_port(const struct world *w, int host, uint16_t port,
                          uint32_t *number) MUST_USE;
void udp_hosts_receive(struct world *w, const struct udp_delivery *d);

#endif
