/*
 * udp_socket - a UDP socket that moves many datagrams with one system call.
 *
 * Datagrams of one size to one address travel as a burst: the kernel cuts it
 * (UDP_SEGMENT), and the receiving kernel may join it again (UDP_GRO). A
 * datagram is never fragmented: what is larger than the interface's MTU is
 * lost, so that a search for the path's MTU can use it. Errors of the network,
 * such as ICMP messages, lose a datagram and never end the socket.
 */
#ifndef EDGE_SHELL_UDP_SOCKET_H
#define EDGE_SHELL_UDP_SOCKET_H

#include "common/base/address.h"
#include "common/base/bytes.h"

#include <uv.h>

enum {
    UDP_BURST_SIZE = 64 * 1024, /* bytes of a burst, at most */
    UDP_ROOM_BURSTS = 16,       /* that one call receives, at most */
};

/* Datagrams of one size, one behind the other; the last may be smaller. */
struct udp_burst {
    struct address peer; /* the source, or the destination */
    uint8_t *bytes;
    size_t size;
    size_t segment; /* bytes of each datagram, > 0 */
};

/* Where datagrams are received. All sockets of a thread can share one. */
struct udp_room;
/* NULL: there is no memory. */
struct udp_room *udp_room_new(void);
void udp_room_free(struct udp_room **self);

struct udp_socket;

/* Called from the loop, with `context`. Both may close the socket. */
struct udp_socket_owner {
    void *context;
    void (*readable)(void *context, struct udp_socket *s);
    /* The socket takes datagrams again, see udp_socket_send. */
    void (*writable)(void *context, struct udp_socket *s);
};

/* Opens a socket on all addresses of the family; port 0: a free one. An IPv6
 * socket does not receive IPv4. NULL with errno. */
struct udp_socket *
udp_socket_open(uv_loop_t *loop, enum address_family family, uint16_t port,
                const struct udp_socket_owner *owner) MUST_USE;
/* The memory is freed once the loop has run. NULL-safe. */
void udp_socket_close(struct udp_socket **self);
uint16_t udp_socket_port(const struct udp_socket *s);
/* Large buffers in the kernel, for a socket that carries a connection. */
void udp_socket_enlarge(struct udp_socket *s);

/* Receives what is there, up to UDP_ROOM_BURSTS bursts, into the room. Returns
 * their number; `*bursts` is valid until the room is used again, and the bytes
 * may be changed. If more is left, `readable` is called again. */
size_t udp_socket_receive(struct udp_socket *s, struct udp_room *room,
                          struct udp_burst **bursts);

/* Sends the burst. False: the kernel's buffer is full; `burst` is what is left,
 * and `writable` is called once the socket takes datagrams again. Datagrams
 * that the system refuses are lost. */
bool udp_socket_send(struct udp_socket *s, struct udp_burst *burst) MUST_USE;
/* Sends one datagram with this time to live (0: the system's). False: it is
 * lost. */
bool udp_socket_send_one(struct udp_socket *s, const struct address *to,
                         struct bytes bytes, int ttl);

#endif
