/*
 * groups - what this node publishes, and what is published to it [P-9]; for
 * the files of the node.
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

/* groups.c: what this node publishes. */
bool groups_offer(struct node *n, const struct message *m, uint32_t *peers,
                  enum node_outcome *why);
void groups_publish(struct node *n, const struct node_event *event);
void groups_close(struct node *n);
/* The peer joined, left, will not come back; its announcement or its path is
 * another. */
void groups_joined(struct node *n, struct peer *p);
void groups_left(struct peer *p);
void groups_forget(struct peer *p);
void groups_changed(struct node *n, struct peer *p);
void groups_path_changed(struct node *n, struct peer *p);
/* What is to be told to the peer is told; relays learn whom to spare. */
void groups_settle(struct node *n, struct peer *p);
/* The way to a peer: a relay's index, or ROUTE_. */
int groups_route(const struct peer *p);
/* What became of a START. */
void groups_settled(struct peer *p, uint64_t ref, enum session_settled how,
                    struct instant now);
void groups_acknowledged(struct node *n, struct peer *p,
                         const struct group_ack *ack);
void groups_due(struct node *n, struct outflow *o);
void groups_rearm(struct node *n, struct outflow *o);
void groups_tell_ready(struct node *n);
void groups_excuse(struct node *n, struct span late);
/* Whether a receiver that is there lacks something. */
bool groups_are_delivering(const struct node *n);
size_t groups_store_bytes(const struct node *n);

/* groups_send.c */
/* The relay is to know whether multicasts may spare the peer. */
void groups_spare(struct node *n, const struct relay *relay, struct peer *p);
bool groups_has_output(const struct peer *p);
/* Whether it is a receiver that lacks something. */
bool groups_lacks(const struct peer *p);
/* Writes one packet for the peer alone. */
void groups_write(struct node *n, struct peer *p, struct link *link);
/* Makes packets of what was published in this step. */
void groups_seal(struct node *n);
/* Uploads one packet of each stream to each relay; true if one was. */
bool groups_upload(struct node *n);

/* subscriptions.c: what is published to this node. */
/* This node's groups are others now. */
void subscriptions_changed(struct node *n);
/* A relay is to know them. */
void subscriptions_tell(struct node *n, const struct link *relay);
void subscriptions_start(struct node *n, struct peer *p, struct bytes bytes);
void subscriptions_take(struct node *n, struct peer *p, struct link *link,
                        struct bytes packet);
/* The way to the peer is another. */
void subscriptions_path_changed(struct node *n, struct peer *p);
void subscriptions_due(struct node *n, struct subscription *s);
void subscriptions_forget(struct node *n, struct peer *p);

#endif
