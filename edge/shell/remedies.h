/*
 * remedies - what the operator can do about each refusal, and about each reason
 * why a relay is down. deploy/guide/troubleshooting.md has the same texts; a
 * test compares them.
 */
#ifndef EDGE_SHELL_REMEDIES_H
#define EDGE_SHELL_REMEDIES_H

#include "edge/core/node.h"

struct remedy {
    const char *severity; /* "error", or "warning": it may pass by itself */
    const char *text;
};

/* For a relay that is down, by its `error` (struct node_relay). An unknown
 * error gets the advice for an unreachable relay. */
struct remedy remedy_of_relay(const char *error);
/* `by_peer`: a peer refuses this node; otherwise this node refuses a peer. */
struct remedy remedy_of_refusal(enum refusal reason, bool by_peer);

#endif
