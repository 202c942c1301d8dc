/*
 * refused_nodes - refusals between this node and others [P-3.7, P-7.8].
 *
 * This node refuses another for a reason that may pass: the table of peers is
 * full, a certificate is not valid yet, a name is taken. It keeps the refused
 * node's announcement, judges it again later, and tells the refused node of the
 * refusal by a beacon or by a notice over a relay. The other way round, a peer
 * may refuse this node. Only the files of edge/core's node include this header.
 */
#ifndef EDGE_CORE_REFUSED_NODES_H
#define EDGE_CORE_REFUSED_NODES_H

#include "common/wire/notice.h"
#include "edge/core/node.h"

struct link;
struct peer;
struct relay;

/* Another node's clock minus this node's. */
struct skew {
    bool known;
    int64_t seconds;
};

struct refused_node {
    struct node_id id;
    struct epoch epoch;
    char name[NAME_MAX_SIZE + 1];
    uint8_t reason; /* enum refusal */
    uint8_t *blob;  /* its announcement; the signature was verified */
    size_t blob_size;
    uint64_t not_before, not_after; /* validity of its certificate */
    bool listed[NODE_RELAYS];       /* the relay's roster has this process */
    struct skew skew;
    uint64_t counter;       /* of its last notice */
    struct instant since;   /* when it was put in the table */
    struct instant heard;   /* when its announcement last came */
    struct instant told_at; /* when this node last told it of the refusal, by
                               notice or beacon; INT64_MIN: never */
    struct refused_node *older, *newer;
};

/* refused_nodes.c */
/* Keeps the announcement of a refused node, if the reason may pass and the node
 * itself signed the announcement. `is_signed`: the caller verified that. NULL:
 * not kept. */
struct refused_node *refused_nodes_keep(struct node *n,
                                        struct bytes announcement,
                                        const struct announcement *said,
                                        const struct certificate *c,
                                        enum refusal why, bool is_signed);
/* The same for a peer that must go, or cannot join. */
struct refused_node *refused_nodes_keep_peer(struct node *n, struct peer *p,
                                             enum refusal why);
struct refused_node *refused_node_get(const struct node *n,
                                      const struct node_id *id);
/* Whether a reason to refuse it still holds; verifies no signature. */
bool refused_node_stays_out(struct node *n, const struct refused_node *o);
/* A later process of the peer's node came: keeps the earlier process, which may
 * still be running, if a relay lists it. */
void refused_nodes_keep_replaced(struct node *n, struct peer *p);
/* The relay's roster has this process of the node, and so no other one. */
void refused_nodes_listed(struct node *n, const struct roster_entry *entry,
                          const struct relay *relay);
void refused_nodes_unlisted(struct node *n, const struct node_id *id,
                            struct epoch epoch, const struct relay *relay,
                            enum departure how);
void refused_nodes_said_bye(struct node *n, const struct node_id *id,
                            struct epoch epoch);
void refused_nodes_relay_down(struct node *n, const struct relay *relay);
/* The refused node's announcement is accepted now: moves what is known of the
 * node to the peer, and drops its entry here. */
void refused_nodes_admit(struct node *n, struct peer *p);
/* A reason for refusals changed: judges all refused nodes again soon. */
void refused_nodes_look_soon(struct node *n);
void refused_nodes_due(struct node *n);
void refused_nodes_close(struct node *n);
/* From the other node's wall clock; 0: it did not say. */
struct skew skew_of(const struct node *n, uint64_t their_seconds);

/* notices.c */
/* The peer refuses this node: it counts as absent until it accepts this node
 * (peer_takes_us) [P-7.8]. */
void peer_refuses_us(struct node *n, struct peer *p, uint8_t reason,
                     uint64_t unix_seconds, const struct address *from);
void peer_takes_us(struct node *n, struct peer *p);
/* Sends the refused node a notice of its refusal, if a relay lists the node and
 * the node got none within a minute. False: the rate limit of notices is
 * reached. */
bool notices_tell(struct node *n, struct refused_node *o);
/* A packet of a node that is no peer came by a relay: sends a notice, if
 * this node refused it. */
void notices_answer(struct node *n, const struct node_id *id,
                    const struct link *link, uint8_t type);
/* PACKET_NOTICE, without its type */
void notices_take(struct node *n, const struct node_id *from, struct link *link,
                  struct bytes sealed);
/* Sends an INIT to a peer that refuses this node, once a minute: the peer may
 * accept by now, and the packet that showed so may have been lost. */
void notices_ask(struct node *n, struct peer *p);
struct instant notices_ask_at(const struct peer *p);
/* A packet came from a peer that refuses this node. An authentic handshake
 * shows that the peer accepts this node now. */
void notices_take_relenting(struct node *n, struct peer *p, struct link *link,
                            struct bytes packet);
/* Shows a peer that got a notice of refusal that the refusal has ended. */
void notices_relent(struct node *n, struct peer *p);

#endif
