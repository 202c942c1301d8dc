/*
 * relay_log - the relay's log lines about those who connect. What others can
 * cause without end is limited, see log_limit.h.
 */
#ifndef RELAY_SHELL_RELAY_LOG_H
#define RELAY_SHELL_RELAY_LOG_H

#include "common/io/log_limit.h"
#include "relay/core/hub.h"

/* edge_up, edge_down, edge_refused. */
void relay_log_edge(struct log_limit *l, struct instant now,
                    const struct hub_todo *todo);
/* handshake_failed, connection_cut, accept_failed. */
void relay_log_stranger(struct log_limit *l, struct instant now,
                        const char *event, const struct address *address,
                        const char *reason);

/* The lines that loading a file told, as lines of the log. Changes `text`. */
void relay_log_lines(const char *event, char *text);

#endif
