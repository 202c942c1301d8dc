/*
 * outgoing - direct links that this node opens: a DEALER for each, used once.
 *
 * An attempt or a link ends with `closed`; whether and when to try again is the
 * node's decision, with a new id. Nodes are dialled a few at a time, and the
 * others wait. Links to relays are in relay_links.h.
 */
#ifndef EDGE_SHELL_OUTGOING_H
#define EDGE_SHELL_OUTGOING_H

#include "edge/shell/link_table.h"
#include "edge/shell/receive_limits.h"

struct outgoing;

/* Cuts a link of which libzmq buffers too much; the node hears its end. `links`
 * and `limits` outlive this. */
struct outgoing *outgoing_open(struct link_table *links, void *zmq_context,
                               struct receive_limits *limits);
/* Ends all its links; the node is not told. Packets that were written before
 * leave within 200 ms. NULL-safe. */
void outgoing_close(struct outgoing **self);

/* Opens link `id` to an address. `keys` are this end's; the other end must
 * prove that it has the key `server`. */
void outgoing_connect(struct outgoing *out, uint32_t id,
                      const struct curve_pair *keys,
                      const struct curve_key *server,
                      const struct address *address);

#endif
