/*
 * link_socket - the options that all sockets of links have in common.
 */
#ifndef EDGE_SHELL_LINK_SOCKET_H
#define EDGE_SHELL_LINK_SOCKET_H

#include "common/core/secrets.h"
#include "common/io/zsocket.h"
#include "common/wire/packet.h"

enum {
    /* Of what one link sends us, libzmq holds so many packets, and in bytes on
     * the wire as much as these have and a few MiB more; until the first packet
     * less, of which a HELLO is the largest (24 KiB). */
    LINK_PACKETS = 64,
    LINK_UNREAD = LINK_PACKETS * PACKET_SIZE + 4 * 1024 * 1024,
    LINK_UNREAD_STRANGER = 32 * 1024,
    /* Bytes that the kernel may hold and has not sent yet. */
    LINK_UNSENT = 128 * 1024,
};

/* Limits, keep-alive, how long packets linger. False if libzmq refuses an
 * option. */
bool link_socket_setup(struct zsocket *s) MUST_USE;
/* The end that listens, and the end that connects. */
bool link_socket_serve(struct zsocket *s,
                       const struct curve_pair *keys) MUST_USE;
bool link_socket_join(struct zsocket *s, const struct curve_pair *keys,
                      const struct curve_key *server) MUST_USE;

/* Lets the kernel take no more than it can soon send: what waits there goes
 * before the packets of all others on this link. `fd` is libzmq's. */
void link_limit_unsent(int fd);

#endif
