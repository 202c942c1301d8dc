/*
 * event_log - logs what happens to peers and relays.
 *
 * Events: peer_joined, peer_left, path_changed, peer_refused, refused_by_peer,
 * refused_by_relay, relay_up, relay_connecting, relay_down, revocation_taken.
 * Events that other nodes can cause at will are rate-limited, see log_limit.h.
 */
#ifndef EDGE_SHELL_EVENT_LOG_H
#define EDGE_SHELL_EVENT_LOG_H

#include "edge/shell/edge.h"

/* A zeroed one is ready. */
struct event_log {
    bool relay_failed[NODE_RELAYS]; /* logged since the relay was last up */
};

/* Logs the item, if its kind is one of those events. */
void event_log_write(struct event_log *d, struct edge *e,
                     const struct node_todo *item);

#endif
