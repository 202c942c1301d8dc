/*
 * event_log - writes down what happens to an edge, in the log.
 *
 * Events: peer_joined, peer_left, path_changed, peer_refused, refused_by_peer,
 * refused_by_relay, relay_up, relay_connecting, relay_down, revocation_taken.
 * What others can cause at will is limited, see log_limit.h.
 */
#ifndef EDGE_SHELL_EVENT_LOG_H
#define EDGE_SHELL_EVENT_LOG_H

#include "edge/shell/edge.h"

/* A zeroed one is ready. */
struct event_log {
    bool relay_failed[NODE_RELAYS]; /* told since it was last up */
};

void event_log_write(struct event_log *d, struct edge *e,
                     const struct node_todo *item);

#endif
