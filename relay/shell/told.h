/*
 * told - the relay's log lines about those who connect. What others can cause
 * without end is limited, see log_limit.h.
 */
#ifndef RELAY_SHELL_TOLD_H
#define RELAY_SHELL_TOLD_H

#include "common/io/log_limit.h"
#include "relay/core/hub.h"

/* edge_up, edge_down, edge_refused. */
void told_of_edge(struct log_limit *l, struct instant now,
                  const struct hub_todo *todo);
/* handshake_failed, connection_cut, accept_failed. */
void told_of_stranger(struct log_limit *l, struct instant now,
                      const char *event, const struct address *address,
                      const char *reason);

/* The lines that loading a file told, as lines of the log. Changes `text`. */
void told_lines(const char *event, char *text);

#endif
