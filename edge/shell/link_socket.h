/*
 * link_socket - what all sockets of links have in common.
 */
#ifndef EDGE_SHELL_LINK_SOCKET_H
#define EDGE_SHELL_LINK_SOCKET_H

#include "common/base/arena.h"
#include "common/core/secrets.h"
#include "common/io/zsocket.h"
#include "common/wire/packet.h"

enum {
    /* libzmq may hold so much of what one link is sent. */
    LINK_HELD_BYTES = 512 * 1024,
    /* And of what it sends: so many packets, and in bytes on the wire as much
     * as these have and a few MiB more; until the first packet less, of which
     * a HELLO is the largest (24 KiB). */
    LINK_PACKETS = 64,
    LINK_UNREAD = LINK_PACKETS * PACKET_SIZE + 4 * 1024 * 1024,
    LINK_UNREAD_STRANGER = 32 * 1024,
    /* Bytes in the kernel that it has not sent yet. */
    LINK_UNSENT = 128 * 1024,
};

/* Limits, keep-alive, what lingers. False if libzmq refuses an option. */
bool link_socket_setup(struct zsocket *s) MUST_USE;
bool link_socket_serve(struct zsocket *s,
                       const struct curve_pair *keys) MUST_USE;
bool link_socket_join(struct zsocket *s, const struct curve_pair *keys,
                      const struct curve_key *server) MUST_USE;

/* Lets the kernel take no more than it can soon send: what waits there goes
 * before all that others on this link have to say. `fd` is libzmq's. */
void link_limit_unsent(int fd);

/* A message with a copy of the bytes, or with the bytes themselves if they are
 * many and lie in a block, which libzmq holds until it has encrypted them;
 * NULL: they do not. */
void link_message(zmq_msg_t *m, struct bytes bytes, struct block *block);
/* Throws away what is left of a message that has more frames. */
void link_skip(struct zsocket *s, zmq_msg_t *m);

#endif
