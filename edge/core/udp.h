/*
 * udp - the node's side of paths over UDP [P-11].
 *
 * Decides which peer wants a path over UDP, and when. Between punch.h (rounds),
 * outside.h (this node's outside addresses) and the owner's sockets it passes
 * on records, datagrams and what is to be done.
 *
 *     udp.c        the node's: sockets, outside addresses, datagrams
 *     udp_peer.c   a peer's: its rounds, and the links that come of them
 *     udp_views.c  why a peer is relayed, for the owner
 *     link_rest.c  idle links over UDP are quiet [P-11.10]
 *
 * Without UDP in the node's configuration none of this does anything.
 */
#ifndef EDGE_CORE_UDP_H
#define EDGE_CORE_UDP_H

#include "common/base/map.h"
#include "edge/core/deadline.h"
#include "edge/core/links.h"
#include "edge/core/node.h"
#include "edge/core/outside.h"
#include "edge/core/punch.h"

struct peer;

/* Sockets with consecutive numbers, which a peer's rounds use. */
struct udp_range {
    uint32_t first, count;
    uint16_t port; /* of the first; 0: it is not open yet */
};

enum { UDP_RANGES = 8 };

/* What a peer has from the time that it first wants a path over UDP until a
 * direct path has been up for a while. */
struct udp_peer {
    struct peer *peer;
    struct punch *punch;
    struct udp_peer *next, **at; /* in struct udp_paths */
    bool wanted;                 /* rounds are */
    uint32_t won;                /* the link of the last round */
    bool tagged;
    uint8_t tag[8]; /* of the peer's probes: its key in udp.tags */

    /* The answer to PUNCH_LOOK is awaited. */
    bool looking;
    uint32_t look; /* the socket */
    struct instant look_by;

    size_t range_count;
    struct udp_range ranges[UDP_RANGES];
};

/* What the node has. */
struct udp_paths {
    bool on, easy_only; /* see struct node_conf */
    struct outside *outside;
    uint16_t port;        /* of socket 0; 0: it is not open */
    uint32_t next_socket; /* the number of the next fresh socket */
    struct address mapped_tcp, mapped_udp;
    struct map tags;          /* struct udp_peer, by the tag of its probes */
    struct udp_peer *first;   /* of all */
    struct udp_peer *many;    /* may have rounds of many sockets [P-11.7] */
    struct deadline deadline; /* of `outside` */
};

/* --- udp.c -----------------------------------------------------------------
 */
void udp_init(struct node *n, const struct node_conf *conf,
              const uint8_t hash_key[16]);
void udp_end(struct node *n);
void udp_take_opened(struct node *n, const struct node_event *event);
void udp_take_datagram(struct node *n, const struct node_event *event);
void udp_take_servers(struct node *n, const struct node_event *event);
void udp_take_mapped(struct node *n, const struct node_event *event);
/* A relay sees this node come from another address than before. */
void udp_outside_moved(struct node *n);
/* This host's addresses are others, or it woke from sleep. */
void udp_network_changed(struct node *n);
/* outside's deadline was reached. */
void udp_due(struct node *n);
/* Asks for the outside addresses of a socket. */
void udp_ask(struct node *n, uint32_t socket);
/* This node's side of a round on the socket with this port, for this peer. */
void udp_side(const struct node *n, const struct peer *p, uint32_t socket,
              uint16_t port, struct punch_side *side);
/* NODE_UDP_SEND; the bytes are copied. NODE_UDP_CLOSE. */
void udp_send_from(struct node *n, uint32_t socket, const struct address *to,
                   int ttl, struct bytes bytes);
void udp_close_sockets(struct node *n, uint32_t first, uint32_t count);

/* --- udp_peer.c ------------------------------------------------------------
 */
/* Brings the peer's rounds up to date, at the end of a step. */
void udp_peer_settle(struct node *n, struct peer *p);
struct instant udp_peer_deadline(const struct node *n, const struct peer *p);
/* A PUNCH record of the peer came. */
void udp_take_record(struct node *n, struct peer *p, struct bytes record);
/* The peer's sockets are open; port 0: they could not be opened. */
void udp_opened(struct node *n, struct udp_peer *u, uint32_t first,
                uint16_t port);
/* Answers PUNCH_LOOK if all is known by now. */
void udp_look(struct node *n, struct udp_peer *u);
/* What punch wants done is done. */
void udp_drain(struct node *n, struct udp_peer *u);
/* The network changed at one end. */
void udp_peer_moved(struct node *n, struct peer *p);
/* Ends the peer's rounds. Links stay. */
void udp_forget(struct node *n, struct peer *p);
/* The link over UDP is up; it is about to be freed. */
void udp_link_opened(struct node *n, struct link *link);
void udp_link_dropped(struct node *n, struct link *link);
/* The peer's link over UDP, or NULL. */
struct link *udp_link(const struct peer *p);

/* --- udp_views.c -----------------------------------------------------------
 */
enum node_why udp_why(const struct node *n, const struct peer *p);

#endif
