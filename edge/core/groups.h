/*
 * groups - publications: this node's own to its peers, and the peers' to this
 * node [P-9]. Only the files of edge/core's node include this header.
 */
#ifndef EDGE_CORE_GROUPS_H
#define EDGE_CORE_GROUPS_H

#include "common/core/session.h"
#include "edge/core/node.h"

struct link;
struct outflow;
struct peer;
struct relay;
struct subscription;

/* groups.c: this node publishes. */
/* Takes a publication for sending; `*peers` is the number of receivers. False:
 * `*why` says why it is not taken. */
bool groups_offer(struct node *n, const struct message *m, uint32_t *peers,
                  enum node_outcome *why);
/* Frees all channels. */
void groups_close(struct node *n);
/* The peer joined, left, or will not come back; its announcement or its path
 * changed. */
void groups_joined(struct node *n, struct peer *p);
void groups_left(struct peer *p);
void groups_forget(struct peer *p);
void groups_changed(struct node *n, struct peer *p);
void groups_path_changed(struct node *n, struct peer *p);
/* Sends the STARTs and keys that the peer needs, and tells each relay whether
 * to leave the peer out of its fan-out. */
void groups_settle(struct node *n, struct peer *p);
/* The index of the relay on the peer's current path, or ROUTE_. */
int groups_route(const struct peer *p);
/* The session delivered the START number `ref`, or gave it up. */
void groups_settled(struct peer *p, uint64_t ref, enum session_settled how,
                    struct instant now);
/* The peer sent a GROUP_ACK record. */
void groups_acknowledged(struct node *n, struct peer *p,
                         const struct group_ack *ack);
/* The channel's deadline: receivers that are too slow are left behind, silent
 * ones are probed or repaired. groups_rearm sets the next deadline. */
void groups_due(struct node *n, struct outflow *o);
void groups_rearm(struct node *n, struct outflow *o);
/* Adds NODE_READY once a publication that was BUSY finds room. */
void groups_tell_ready(struct node *n);
/* This node slept for `late`: receivers get that time back. */
void groups_excuse(struct node *n, struct span late);
/* Whether a present receiver has yet to acknowledge a packet. */
bool groups_are_delivering(const struct node *n);
size_t groups_store_bytes(const struct node *n);

/* groups_send.c: the packets of those publications are written. */
/* Tells the relay to leave the peer out of its fan-out, or to include it again,
 * if that changed: a peer that another path serves needs no copy. */
void groups_spare(struct node *n, const struct relay *relay, struct peer *p);
/* Whether a packet can be sent to the peer by unicast now. */
bool groups_has_output(const struct peer *p);
/* Whether the peer has yet to receive or acknowledge something. */
bool groups_lacks(const struct peer *p);
/* Writes one packet to the peer by unicast. */
void groups_write(struct node *n, struct peer *p, struct link *link);
/* Makes packets of the publications of this step. */
void groups_seal(struct node *n);
/* Uploads one packet of each stream to each relay; true if there was one. */
bool groups_upload(struct node *n);

/* subscriptions.c: peers publish to this node. */
/* This node's list of groups changed. */
void subscriptions_changed(struct node *n);
/* Tells a relay this node's groups. */
void subscriptions_tell(struct node *n, const struct link *relay);
/* The peer sent a START: a stream begins or goes on, or a key is new. */
void subscriptions_start(struct node *n, struct peer *p, struct bytes bytes);
/* A multicast packet of the peer came in. */
void subscriptions_take(struct node *n, struct peer *p, struct link *link,
                        struct bytes packet);
/* The current path to the peer changed. */
void subscriptions_path_changed(struct node *n, struct peer *p);
/* An acknowledgement is due. */
void subscriptions_due(struct node *n, struct subscription *s);
/* Drops all streams of the peer, but remembers their positions. */
void subscriptions_forget(struct node *n, struct peer *p);

#endif
