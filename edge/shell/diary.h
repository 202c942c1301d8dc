/*
 * diary - writes down what happens to an edge, in the log.
 *
 * Events: peer_joined, peer_left, path_changed, peer_refused, refused_by_peer,
 * refused_by_relay, relay_up, relay_connecting, relay_down, revocation_taken.
 * What others can cause at will is written at most so often a minute, and how
 * much was left out is told.
 */
#ifndef EDGE_SHELL_DIARY_H
#define EDGE_SHELL_DIARY_H

#include "edge/shell/edge.h"

enum { DIARY_REFUSALS_A_MINUTE = 30 };

/* A zeroed one is ready. */
struct diary {
    struct instant minute;
    unsigned refusals;              /* in this minute */
    bool relay_failed[NODE_RELAYS]; /* told since it was last up */
};

void diary_write(struct diary *d, const struct edge *e,
                 const struct node_todo *item);

#endif
