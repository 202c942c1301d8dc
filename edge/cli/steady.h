/*
 * steady - a connection to an edge that is made again whenever it broke.
 *
 *     struct steady s;
 *     if (!steady_open(&s, o))
 *         return EXIT_NO_DAEMON;
 *     for (;;) {
 *         unsigned got = steady_wait(&s, STDIN_FILENO, span_s(1));
 *         while (steady_line(&s, &line))
 *             ...
 *         if (got & STEADY_LOST) ...
 *     }
 *     steady_close(&s);
 */
#ifndef EDGE_CLI_STEADY_H
#define EDGE_CLI_STEADY_H

#include "edge/cli/client.h"

struct steady {
    struct client *client; /* NULL while the edge is away */
    char *path;
    struct instant next_try;
    bool ended; /* the connection, but its last lines may be there still */
};

/* False after a line on stderr: the first time the edge must be there. */
bool steady_open(struct steady *s, const struct options *o) MUST_USE;
void steady_close(struct steady *s);

enum {
    STEADY_OTHER = 1,       /* something can be read from `other` */
    STEADY_OTHER_ENDED = 2, /* or nothing more will come */
    STEADY_LOST = 4,        /* the edge has gone, after the lines now there */
    STEADY_BACK = 8         /* it is there again */
};

/* Sends what is to be sent, and waits, for `most` at the longest, for the edge,
 * `other` (-1: none) or a signal. What happened: bits of the above. */
unsigned steady_wait(struct steady *s, int other, struct span most) MUST_USE;
/* The next line of the edge's; see client_next. */
bool steady_line(struct steady *s, struct bytes *line) MUST_USE;

#endif
