/*
 * udp_endpoints - the UDP sockets of the edge, by the numbers that the node
 * gave them.
 *
 * An endpoint is a socket for IPv4 and one for IPv6, on the same port if
 * possible. It stays open as long as the node has its number or somebody holds
 * it.
 */
#ifndef EDGE_SHELL_UDP_ENDPOINTS_H
#define EDGE_SHELL_UDP_ENDPOINTS_H

#include "common/base/map.h"
#include "edge/shell/udp_socket.h"

struct udp_endpoint {
    struct udp_endpoints *all;
    uint32_t number;
    bool named;                 /* the node has the number */
    size_t holders;             /* beside the node */
    bool large;                 /* its sockets have large buffers */
    struct udp_socket *v4, *v6; /* NULL: not open */
};

struct udp_endpoints_owner {
    void *context;
    void (*readable)(void *context, struct udp_endpoint *e,
                     struct udp_socket *s);
    void (*writable)(void *context, struct udp_endpoint *e,
                     struct udp_socket *s);
    /* A named endpoint got a socket of a family that it lacked, maybe on
     * another port. */
    void (*grown)(void *context, struct udp_endpoint *e);
};

struct udp_endpoints {
    uv_loop_t *loop;
    struct udp_endpoints_owner owner;
    struct map by_number; /* those that are named */
};

void udp_endpoints_init(struct udp_endpoints *all, uv_loop_t *loop,
                        const struct udp_endpoints_owner *owner);
/* Takes all numbers away; endpoints that are held stay open. */
void udp_endpoints_close(struct udp_endpoints *all);

/* Opens sockets of both families. A host may lack one of them. NULL with errno
 * if there is no socket, or if the number is taken. */
struct udp_endpoint *udp_endpoint_open(struct udp_endpoints *all,
                                       uint32_t number, uint16_t port) MUST_USE;
/* One of many endpoints: opens IPv4 only, if the host has it. */
struct udp_endpoint *udp_endpoint_open_one(struct udp_endpoints *all,
                                           uint32_t number) MUST_USE;
/* NULL: the node has no endpoint with this number. */
struct udp_endpoint *udp_endpoints_find(const struct udp_endpoints *all,
                                        uint32_t number);
/* The socket that reaches addresses of the family; opens it if the endpoint has
 * none yet. NULL: the host cannot. */
struct udp_socket *udp_endpoint_socket(struct udp_endpoint *e,
                                       enum address_family family);
/* Of the IPv4 socket; without one, of the IPv6 socket. */
uint16_t udp_endpoint_port(const struct udp_endpoint *e);
/* Its sockets get large buffers, for a connection. */
void udp_endpoint_enlarge(struct udp_endpoint *e);

/* Takes the number away. */
void udp_endpoint_forget(struct udp_endpoint *e);
/* It stays open until the release, whether or not it has its number. */
void udp_endpoint_hold(struct udp_endpoint *e);
void udp_endpoint_release(struct udp_endpoint *e);

#endif
