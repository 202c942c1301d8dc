/*
 * relay_links - links to relays: CurveZMQ of our own [P-12] over a byte_pipe,
 * as carriers.
 *
 *     in each turn of the edge's loop:
 *         relay_links_read     bytes of the pipes, decrypted where they lie,
 *                              become events of this turn
 *         the node's step; its packets are sealed into the links' queues
 *         relay_links_flush    each queue leaves by one write
 *
 * An attempt or a link ends with `closed` and a failure by name [P-14.6];
 * whether and when to try again is the node's decision, with a new id.
 *
 * A link has a limited number of bytes in each direction: what it read lies in
 * one room until the node had its packets, and what it sealed waits in one
 * queue. A link without such bytes has neither room nor packets.
 */
#ifndef EDGE_SHELL_RELAY_LINKS_H
#define EDGE_SHELL_RELAY_LINKS_H

#include "common/core/secrets.h"
#include "edge/shell/link_table.h"
#include "edge/shell/relay_pipe.h"

enum {
    /* Sealed bytes that wait for one relay before its link is blocked. */
    RELAY_LINK_CREDIT = 256 * 1024,
    /* Packets of one link in a turn, so that all links have a share. */
    RELAY_LINK_PACKETS = EVENT_QUEUE_PACKETS / 2,
};

struct relay_links;

/* `links` outlives this. `make` opens the pipes. Never NULL. */
struct relay_links *relay_links_open(struct link_table *links,
                                     relay_pipe_maker *make);
/* Ends all links; the node is not told. What was written before leaves within
 * 200 ms if the relay takes it; the loop has to run until then. NULL-safe. */
void relay_links_close(struct relay_links **self);

/* Opens link `id`. `keys` are this node's and outlive the link; the relay must
 * prove that it has the key `server`. */
void relay_links_connect(struct relay_links *all, uint32_t id,
                         const struct curve_pair *keys,
                         const struct curve_key *server,
                         const struct relay_way *way);

/* To be called in each turn: before the node's step, and once the step is over
 * and the packets of this turn are not used any more. */
void relay_links_read(struct relay_links *all);
void relay_links_flush(struct relay_links *all);

#endif
