/*
 * udp - a UDP socket on a libuv loop that knows by which interface a datagram
 * came and chooses by which it leaves.
 */
#ifndef COMMON_IO_UDP_H
#define COMMON_IO_UDP_H

#include "common/base/address.h"
#include "common/base/bytes.h"

#include <uv.h>

enum { UDP_SIZE = 2048 }; /* what is longer is cut off */

struct udp;

struct udp_datagram {
    struct address from;
    struct address to; /* port 0 */
    unsigned interface;
    struct bytes bytes; /* valid for the call */
};

/* May close the socket. */
typedef void udp_received(void *context, const struct udp_datagram *datagram);

/*
 * On all addresses of the family (IPv6 takes no IPv4), `port` 0: a free one.
 * `shared`: other processes may have the same port; multicast reaches them all,
 * unicast one of them. Multicast goes one hop, and to this host too. NULL with
 * errno.
 */
struct udp *udp_open(uv_loop_t *loop, enum address_family family, uint16_t port,
                     bool shared, udp_received *received,
                     void *context) MUST_USE;
/* Its memory frees itself once the loop ran. NULL-safe. */
void udp_close(struct udp **self);
uint16_t udp_port(const struct udp *u);

/* Takes part in a group on an interface, or no longer; false with errno. */
bool udp_join(struct udp *u, const struct address *group, unsigned interface);
void udp_leave(struct udp *u, const struct address *group, unsigned interface);

/* Sends by an interface (0: by the routes) and from an address of this host
 * (NULL: as the routes say). False with errno; never waits. */
bool udp_send(struct udp *u, const struct address *to, struct bytes bytes,
              unsigned interface, const struct address *from);

#endif
