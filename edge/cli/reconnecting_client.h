/*
 * reconnecting_client - a connection to an edge that is made again whenever it
 * broke.
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
    struct client *client; /* NULL while the edge is away */
    char *path;
    struct instant next_try;
    bool ended; /* the connection, but its last lines may be there still */
};

/* False after a line on stderr: the first time the edge must be there. */
bool reconnecting_client_open(struct reconnecting_client *s,
                              const struct options *o) MUST_USE;
void reconnecting_client_close(struct reconnecting_client *s);

enum {
    RECONNECTING_OTHER = 1,       /* something can be read from `other` */
    RECONNECTING_OTHER_ENDED = 2, /* or nothing more will come */
    RECONNECTING_LOST = 4, /* the edge has gone, after the lines now there */
    RECONNECTING_BACK = 8  /* it is there again */
};

/* Sends what is to be sent, and waits, for `most` at the longest, for the edge,
 * `other` (-1: none) or a signal. What happened: bits of the above. */
unsigned reconnecting_client_wait(struct reconnecting_client *s, int other,
                                  struct span most) MUST_USE;
/* The next line of the edge's; see client_next. */
bool reconnecting_client_line(struct reconnecting_client *s,
                              struct bytes *line) MUST_USE;

#endif
