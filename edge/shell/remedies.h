/*
 * remedies - what helps against each refusal, and each reason why a relay is
 * down. deploy/guide/troubleshooting.md has the same words, and a test goes
 * through all of them.
 */
#ifndef EDGE_SHELL_REMEDIES_H
#define EDGE_SHELL_REMEDIES_H

#include "edge/core/node.h"

struct remedy {
    const char *severity; /* "warning": it passes by itself, or may; "error" */
    const char *text;
};

/* Where a relay is down, by its `error`. For a word that is none of those,
 * the general advice. */
struct remedy remedy_of_relay(const char *error);
/* Where a peer refuses this node, and where this node refuses a peer. */
struct remedy remedy_of_refusal(enum refusal reason, bool by_peer);

#endif
