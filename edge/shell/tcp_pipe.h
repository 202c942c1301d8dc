/*
 * tcp_pipe - a byte_pipe that is a TCP connection to a host.
 *
 * The host's name is resolved, and its addresses are tried as RFC 8305 says:
 * IPv6 and IPv4 in turns, the next one 250 ms after the one before or as soon
 * as that one fails. The first that connects wins, and the others are closed.
 * So an address that nobody answers costs 250 ms.
 *
 * It ends with LINK_NAMELESS, LINK_REFUSED, LINK_TIMEOUT or LINK_UNREACHABLE if
 * it never opened, 4 s after it began at the latest, and with LINK_BROKEN
 * afterwards.
 */
#ifndef EDGE_SHELL_TCP_PIPE_H
#define EDGE_SHELL_TCP_PIPE_H

#include "edge/shell/byte_pipe.h"

#include <uv.h>

/* `host`: a name or an address, without brackets; copied. Never NULL. */
struct byte_pipe *tcp_pipe_open(uv_loop_t *loop, const char *host,
                                uint16_t port,
                                const struct byte_pipe_user *user);
/* The open connection's descriptor, for a pipe around this one; -1 before. */
int tcp_pipe_fd(const struct byte_pipe *p);

/* Puts addresses in the order in which they are tried: families take turns,
 * beginning with the first one's; each family keeps its order. */
void tcp_pipe_order(struct address *list, size_t count);

#endif
