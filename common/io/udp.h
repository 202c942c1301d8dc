/*
 * udp - a UDP socket on a libuv loop that reports the interface on which a
 * datagram came, and sends by a chosen one.
 */
#ifndef COMMON_IO_UDP_H
#define COMMON_IO_UDP_H

#include "common/base/address.h"
#include "common/base/bytes.h"

#include <uv.h>

enum { UDP_SIZE = 2048 }; /* bytes; longer datagrams are cut off */

struct udp;

struct udp_datagram {
    struct address from;
    struct address to; /* port 0; the address that the datagram was sent to */
    unsigned interface;
    struct bytes bytes; /* valid during the call */
};

/* Called for each datagram; may close the socket. */
typedef void udp_received(void *context, const struct udp_datagram *datagram);

/*
 * Opens a socket on an address of this host, or on all addresses of its family
 * if the ip is zero (an IPv6 socket does not receive IPv4); port 0 means any
 * free port. With `shared`, other processes may use the same port: each
 * multicast datagram reaches all of them, each unicast one reaches one.
 * Multicast is sent with TTL 1, and to this host too. NULL with errno.
 */
struct udp *udp_open(uv_loop_t *loop, const struct address *here, bool shared,
                     udp_received *received, void *context) MUST_USE;
/* The memory is freed once the loop has run. NULL is allowed. */
void udp_close(struct udp **self);
/* The port that the socket is bound to. */
uint16_t udp_port(const struct udp *u);

/* Joins or leaves a multicast group on an interface; false with errno. */
bool udp_join(struct udp *u, const struct address *group, unsigned interface);
void udp_leave(struct udp *u, const struct address *group, unsigned interface);

/* Sends by an interface (0: the routing table chooses) and from an address of
 * this host (NULL: the system chooses). False with errno; never blocks. */
bool udp_send(struct udp *u, const struct address *to, struct bytes bytes,
              unsigned interface, const struct address *from);

#endif
