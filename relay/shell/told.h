/*
 * told - the relay's log lines about those who connect: what others can cause
 * without end is limited, and how many lines were left out is told.
 */
#ifndef RELAY_SHELL_TOLD_H
#define RELAY_SHELL_TOLD_H

#include "relay/core/hub.h"

/* A zeroed one is ready. */
struct told {
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
