/*
 * link_table - the node's links, whichever their transport: carriers that tell
 * the node as events.
 */
#ifndef EDGE_SHELL_LINK_TABLE_H
#define EDGE_SHELL_LINK_TABLE_H

#include "common/io/carrier.h"
#include "edge/shell/event_queue.h"

struct link_table {
    struct carriers carriers; /* by the node's link ids */
    struct event_queue *events;
    struct wakeup *wakeup; /* of their credit */
};

/* False: the system has no descriptor left. */
bool link_table_open(struct link_table *l, struct event_queue *events) MUST_USE;
/* The caller has closed the transports. */
void link_table_close(struct link_table *l);

/* Sends a packet: a copy of the bytes, or the bytes themselves if they are many
 * and lie in `block`. Ignores an id that is no open link: the node does not
 * know yet that this link ended. */
void link_table_write(struct link_table *l, uint32_t id, struct bytes bytes,
                      struct block *block);
/* Closes a link; the node is told nothing more of it. */
void link_table_drop(struct link_table *l, uint32_t id);

#endif
