/*
 * listener - binds a libzmq socket to the addresses of interfaces that come and
 * go.
 */
#ifndef EDGE_SHELL_LISTENER_H
#define EDGE_SHELL_LISTENER_H

#include "edge/shell/interfaces.h"

/* A zeroed one listens nowhere. */
struct listener {
    uint16_t port;
    size_t count;
    size_t room;
    struct address *bound; /* port 0 */
};

void listener_close(struct listener *l);

/*
 * Binds the port (0: a free one, which l->port is afterwards) on each address
 * of these interfaces, and unbinds all other addresses. `where` NULL: binds the
 * wildcard address, once and for good. False with errno, such as EADDRINUSE, if
 * there are addresses but none could be bound.
 */
bool listener_listen(struct listener *l, void *socket, uint16_t port,
                     const struct interfaces *where) MUST_USE;

#endif
