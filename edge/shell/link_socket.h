/*
 * link_socket - the options that all sockets of links have in common.
 */
#ifndef EDGE_SHELL_LINK_SOCKET_H
#define EDGE_SHELL_LINK_SOCKET_H

#include "common/core/secrets.h"
#include "common/io/zsocket.h"
#include "common/wire/packet.h"

enum {
    /* What libzmq may buffer of the packets that arrive on one link: a number
     * of packets, and in bytes on the wire as much as these have and a few MiB
     * more. Less until the first packet, which is at most a HELLO (24 KiB). */
    LINK_PACKETS = 64,
    LINK_UNREAD = LINK_PACKETS * PACKET_SIZE + 4 * 1024 * 1024,
    LINK_UNREAD_STRANGER = 32 * 1024,
    /* Bytes that the kernel may hold unsent. */
    LINK_UNSENT = 128 * 1024,
};

/* Sets limits, keep-alive, and how long packets linger. False if libzmq refuses
 * an option. */
bool link_socket_setup(struct zsocket *s) MUST_USE;
/* The end that listens, and the end that connects. */
bool link_socket_serve(struct zsocket *s,
                       const struct curve_pair *keys) MUST_USE;
bool link_socket_join(struct zsocket *s, const struct curve_pair *keys,
                      const struct curve_key *server) MUST_USE;

/* Limits the unsent bytes in the kernel: a packet of another peer cannot
 * overtake them. `fd` is libzmq's. */
void link_limit_unsent(int fd);

#endif
