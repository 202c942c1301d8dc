/*
 * stun_server - answers STUN Binding requests on the relay's UDP ports
 * [P-10], so that edges, and any other client of STUN, learn the address that
 * their NAT gives them.
 *
 * The server keeps nothing of its clients and allocates nothing for a
 * datagram. What is not a valid request gets no answer, nor does a network, or
 * all of them together, beyond a rate: a forged source address makes the
 * server send 2.2 times what it got, at most.
 */
#ifndef RELAY_SHELL_STUN_SERVER_H
#define RELAY_SHELL_STUN_SERVER_H

#include <uv.h>

#include "common/base/assert.h"
#include "common/conf/conf.h"

struct stun_server;

/*
 * Opens a socket for each address of the endpoints ("*:3478": one of each
 * family). The log says where the server listens, and which sockets could not
 * be opened; a relay does without those.
 */
struct stun_server *stun_server_open(uv_loop_t *loop,
                                     const struct conf_list *endpoints);

/* The port of the server's first socket; 0: it has none. */
uint16_t stun_server_port(const struct stun_server *s);

/* Closes the sockets and frees the server. NULL-safe. */
void stun_server_close(struct stun_server **self);

#endif
