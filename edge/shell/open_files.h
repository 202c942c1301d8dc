/*
 * open_files - divides the limit of open files among links and local programs.
 *
 * libzmq accepts every connection, until the process has no descriptor left. So
 * the edge limits connections to its share of the descriptors, and reserves a
 * part for local programs.
 */
#ifndef EDGE_SHELL_OPEN_FILES_H
#define EDGE_SHELL_OPEN_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct open_files_share {
    size_t links;     /* direct links that the node dials */
    size_t sockets;   /* TCP connections from other nodes */
    size_t strangers; /* those of them that have not sent a packet yet */
    size_t clients;   /* programs at the local API's socket */
    size_t pages;     /* HTTP connections, half of them WebSockets */
};

/*
 * `relay_links`: links to relays that may be open at a time.
 * `files`: the limit, of which `open` are open before the edge opens its own.
 * `wanted`: what the configuration asks for, each at least 1. `share` gets at
 * least 1 of each. True if the limit allows all that is wanted.
 */
bool open_files_divide(size_t files, size_t open, size_t relay_links,
                       const struct open_files_share *wanted,
                       struct open_files_share *share);

/* The process's limit, and the number of its open files; 0: unknown. */
size_t open_files_limit(void);
size_t open_files_count(void);

#endif
