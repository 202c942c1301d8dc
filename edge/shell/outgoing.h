/*
 * outgoing - links that this node opens: a DEALER for each, used once.
 *
 * An attempt or a link ends by being told as closed; whether and when to try
 * again is the node's to say, with a new id. Nodes are dialled a few at a time,
 * the others wait; hosts by name (relays) do not.
 */
#ifndef EDGE_SHELL_OUTGOING_H
#define EDGE_SHELL_OUTGOING_H

#include "common/io/bell.h"
#include "edge/shell/intake.h"
#include "edge/shell/turn.h"

struct outgoing;

/* `bell`: its ear calls outgoing_write_on. A link that holds too much in libzmq
 * is cut, and told as broken. */
struct outgoing *outgoing_open(struct turn *turn, void *zmq_context,
                               struct bell *bell, struct intake *intake);
/* What was written last leaves within moments. NULL-safe. */
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

/* See link_message. Ids that are no link (any more) are ignored: its end is
 * being told. */
void outgoing_write(struct outgoing *out, uint32_t id, struct bytes bytes,
                    struct block *block);
/* libzmq may be able to take more of what it did not. */
void outgoing_write_on(struct outgoing *out);
/* Closes it without a word to the node. */
void outgoing_disconnect(struct outgoing *out, uint32_t id);

#endif
