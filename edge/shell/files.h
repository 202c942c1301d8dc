/*
 * files - what the limit of open files allows an edge.
 *
 * libzmq accepts whoever comes, and nobody is helped by a process that has no
 * descriptor left: so what connects is limited to what there is room for, and
 * local programs have a share that links cannot take.
 */
#ifndef EDGE_SHELL_FILES_H
#define EDGE_SHELL_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Of what is wanted each is 1 at least. */
struct files_share {
    size_t links;     /* that the node dials */
    size_t sockets;   /* connections that others open to it */
    size_t strangers; /* of these, such as sent nothing yet */
    size_t clients;   /* of the local API, by its socket */
    size_t pages;     /* and by HTTP: connections, half of them WebSockets */
};

/*
 * `files`: the limit, of which `open` are open before the edge opens its own.
 * `wanted`: what the configuration asks for. True if it is all there.
 */
bool files_divide(size_t files, size_t open, size_t relays,
                  const struct files_share *wanted, struct files_share *share);

/* The process's limit, and how many it has open; 0 where the system does not
 * tell. */
size_t files_limit(void);
size_t files_open(void);

#endif
