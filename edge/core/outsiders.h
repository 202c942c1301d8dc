/*
 * outsiders - nodes that this one refuses, and peers that refuse it [P-3.7,
 * P-7.8]; for the files of the node.
 */
#ifndef EDGE_CORE_OUTSIDERS_H
#define EDGE_CORE_OUTSIDERS_H

#include "common/wire/notice.h"
#include "edge/core/node.h"

struct link;
struct peer;
struct relay;

/* A clock less this node's. */
struct skew {
    bool known;
    int64_t seconds;
};

/* A node that was refused and may be let in later [P-3.7]. */
struct outsider {
    struct node_id id;
    struct epoch epoch;
    char name[NAME_MAX_SIZE + 1];
    uint8_t reason; /* enum refusal */
    uint8_t *blob;  /* its announcement, found signed by it */
    size_t blob_size;
    uint64_t not_before, not_after; /* its certificate's */
    bool listed[NODE_RELAYS];
    struct skew skew;
    uint64_t counter;       /* of its last notice */
    struct instant since;   /* it is kept */
    struct instant heard;   /* it was announced */
    struct instant told_at; /* by a notice or beacon; INT64_MIN: never */
    struct outsider *older, *newer;
};

/* outsiders.c */
/* Keeps what was refused, if the reason may pass and the node itself said it.
 * `is_signed`: that is known. NULL: it is not kept. */
struct outsider *outsiders_keep(struct node *n, struct bytes announcement,
                                const struct announcement *said,
                                const struct certificate *c, enum refusal why,
                                bool is_signed);
/* The same of a peer that may not stay, or cannot join. */
struct outsider *outsiders_keep_peer(struct node *n, struct peer *p,
                                     enum refusal why);
struct outsider *outsider_get(const struct node *n, const struct node_id *id);
/* The reason to refuse it holds, as far as can be seen at once. */
bool outsider_stays_out(struct node *n, const struct outsider *o);
/* A later process of the peer's is there: the one that was known may go on. */
void outsiders_keep_replaced(struct node *n, struct peer *p);
/* The relay lists this process of the node, and so no other. */
void outsiders_listed(struct node *n, const struct roster_entry *entry,
                      const struct relay *relay);
void outsiders_unlisted(struct node *n, const struct node_id *id,
                        struct epoch epoch, const struct relay *relay,
                        enum departure how);
void outsiders_said_bye(struct node *n, const struct node_id *id,
                        struct epoch epoch);
void outsiders_relay_down(struct node *n, const struct relay *relay);
/* What it announced was found good: it is a peer with all that is known. */
void outsiders_admit(struct node *n, struct peer *p);
/* Something changed that they were refused for. */
void outsiders_look_soon(struct node *n);
void outsiders_due(struct node *n);
void outsiders_close(struct node *n);
/* By what the other says of its clock; 0: nothing. */
struct skew skew_of(const struct node *n, uint64_t their_seconds);

/* notices.c */
/* It refuses this node: it is no peer here until it takes it [P-7.8]. */
void peer_refuses_us(struct node *n, struct peer *p, uint8_t reason,
                     uint64_t unix_seconds, const struct address *from);
void peer_takes_us(struct node *n, struct peer *p);
/* Tells an outsider that it is refused, if a relay lists it and it is time
 * to. False: too many were told just now. */
bool notices_tell(struct node *n, struct outsider *o);
/* A packet of a node that is no peer came by a relay: it is told, if it is an
 * outsider. */
void notices_answer(struct node *n, const struct node_id *id,
                    const struct link *link, uint8_t type);
/* PACKET_NOTICE, without its type */
void notices_take(struct node *n, const struct node_id *from, struct link *link,
                  struct bytes sealed);
/* Asks a peer that refuses this node again, once a minute: its change of mind
 * may have been lost. */
void notices_ask(struct node *n, struct peer *p);
struct instant notices_ask_at(const struct peer *p);
/* A packet of a peer that refuses this node may show that it takes it now. */
void notices_take_relenting(struct node *n, struct peer *p, struct link *link,
                            struct bytes packet);
/* A peer that was told that it is refused hears that it is not any more. */
void notices_relent(struct node *n, struct peer *p);

#endif
