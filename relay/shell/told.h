/*
 * told - the relay's log lines about those who connect.
 *
 * What others can cause without end is limited: the same refusal of the same
 * node, and the same failure of the same address, is told once in a while and
 * not for each try; and of all lines together there are so many a second, with
 * a line on how many were left out.
 */
#ifndef RELAY_SHELL_TOLD_H
#define RELAY_SHELL_TOLD_H

#include "relay/core/hub.h"

enum { TOLD_RECENT = 256 };

/* What was told not long ago. */
struct told_before {
    const char *event;
    const char *reason;
    struct node_id node;    /* or zeros, */
    struct address address; /* and then the address; without its port */
    struct instant again;   /* from then on it is news once more */
};

/* A zeroed one is ready. */
struct told {
    struct told_before recent[TOLD_RECENT];
    struct instant at; /* when the burst would be used up no more */
    uint64_t left_out;
};

/* edge_up, edge_down, edge_refused. */
void told_of_edge(struct told *t, struct instant now,
                  const struct hub_todo *todo);
/* handshake_failed, connection_cut, accept_failed. */
void told_of_stranger(struct told *t, struct instant now, const char *event,
                      const struct address *address, const char *reason);

/* The lines that loading a file told, as lines of the log. Changes `text`. */
void told_lines(const char *event, char *text);

#endif
