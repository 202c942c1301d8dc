/*
 * listener - on which addresses a libzmq socket listens, as interfaces come and
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
 * Listens on a port (0: a free one, which `port` then is) of these interfaces'
 * addresses, and no longer on others; NULL: on all, for good. False with errno,
 * as EADDRINUSE, if there are addresses and none can be had.
 */
bool listener_listen(struct listener *l, void *socket, uint16_t port,
                     const struct interfaces *where) MUST_USE;

#endif
