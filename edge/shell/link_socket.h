/*
 * link_socket - what all sockets of links have in common.
 */
#ifndef EDGE_SHELL_LINK_SOCKET_H
#define EDGE_SHELL_LINK_SOCKET_H

#include "common/base/arena.h"
#include "common/core/secrets.h"
#include "common/io/zsocket.h"

/* libzmq may hold so much of one link's packets. */
enum { LINK_HELD_BYTES = 512 * 1024 };

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
