/*
 * reconnecting_client - a connection to an edge that reconnects by itself.
 *
 *     struct reconnecting_client s;
 *     if (!reconnecting_client_open(&s, o))
 *         return EXIT_NO_DAEMON;
 *     for (;;) {
 *         unsigned got = reconnecting_client_wait(&s, STDIN_FILENO, span_s(1));
 *         while (reconnecting_client_line(&s, &line))
 *             ...
 *         if (got & RECONNECTING_LOST) ...
 *     }
 *     reconnecting_client_close(&s);
 */
#ifndef EDGE_CLI_RECONNECTING_CLIENT_H
#define EDGE_CLI_RECONNECTING_CLIENT_H

#include "edge/cli/client.h"

struct reconnecting_client {
    struct edge_client *client; /* NULL while the edge is away */
    char *path;                 /* of the edge's socket */
    struct instant next_try;
    bool ended; /* the connection is; its last lines may be unread */
};

/* Connects for the first time. If the edge cannot be reached, prints a line on
 * stderr and returns false. */
bool reconnecting_client_open(struct reconnecting_client *s,
                              const struct options *o) MUST_USE;
void reconnecting_client_close(struct reconnecting_client *s);

enum {
    RECONNECTING_OTHER = 1,       /* `other` can be read */
    RECONNECTING_OTHER_ENDED = 2, /* `other` is at its end */
    RECONNECTING_LOST = 4, /* the connection broke; read its last lines now */
    RECONNECTING_BACK = 8  /* the client is connected again */
};

/* Sends client_out, and waits, for `most` at the longest, for a line from the
 * edge, for the descriptor `other` (-1: none) or for a signal. Returns what
 * happened: the bits above. */
unsigned reconnecting_client_wait(struct reconnecting_client *s, int other,
                                  struct span most) MUST_USE;
/* The next line from the edge; see client_next. */
bool reconnecting_client_line(struct reconnecting_client *s,
                              struct bytes *line) MUST_USE;

#endif
