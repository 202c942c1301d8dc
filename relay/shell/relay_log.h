/*
 * relay_log - the relay's log lines about edges and strangers that connect.
 *
 * Both can cause any number of lines, so log_limit.h limits them.
 */
#ifndef RELAY_SHELL_RELAY_LOG_H
#define RELAY_SHELL_RELAY_LOG_H

#include "common/io/log_limit.h"
#include "relay/core/hub.h"

/* Logs a HUB_LOG todo as edge_up, edge_down or edge_refused. */
void relay_log_edge(struct log_limit *l, struct instant now,
                    const struct hub_todo *todo);
/* Logs that a connection ended before it was an edge's. `event` is
 * handshake_failed, connection_cut, accept_failed or http_refused. */
void relay_log_stranger(struct log_limit *l, struct instant now,
                        const char *event, const struct address *address,
                        const char *reason);

/* Logs each line of `text`, the errors of loading a file. Changes `text`. */
void relay_log_lines(const char *event, char *text);

#endif
