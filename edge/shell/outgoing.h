/*
 * outgoing - links that this node opens: a DEALER for each, used once.
 *
 * An attempt or a link ends with `closed`; whether and when to try again is the
 * node's decision, with a new id. Nodes are dialled a few at a time, and the
 * others wait; hosts by name (relays) do not wait.
 */
#ifndef EDGE_SHELL_OUTGOING_H
#define EDGE_SHELL_OUTGOING_H

#include "edge/shell/intake.h"
#include "edge/shell/link_table.h"

struct outgoing;

/* A link of which libzmq holds too much is cut, and its end told. `links` and
 * `intake` outlive this. */
struct outgoing *outgoing_open(struct link_table *links, void *zmq_context,
                               struct intake *intake);
/* Ends all its links without telling. What was written last leaves within
 * moments. NULL-safe. */
void outgoing_close(struct outgoing **self);

/* Opens link `id` to an address, or to any address of a host's name. `keys` are
 * this end's, `server` must be the other's. */
void outgoing_connect(struct outgoing *out, uint32_t id,
                      const struct curve_pair *keys,
                      const struct curve_key *server,
                      const struct address *address);
void outgoing_connect_host(struct outgoing *out, uint32_t id,
                           const struct curve_pair *keys,
                           const struct curve_key *server, const char *host,
                           uint16_t port);

#endif
