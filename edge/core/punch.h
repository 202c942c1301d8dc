/*
 * punch - opens a UDP path to one peer through the NATs between [P-11].
 *
 * Pure: records, probes and time go in; what to do comes out of punch_next. The
 * module knows neither the node nor a socket: sockets are numbers that it makes
 * up, 0 is the one that all peers share.
 *
 *     idle --wanted--> outside addresses are asked for --> OFFER --> ANSWER
 *          --> probes --> nomination --> PUNCH_WON
 *
 * What does not get there is PUNCH_FAILED; the next round waits longer.
 *
 * The node with the smaller id leads: it offers rounds and nominates. Each
 * round after a failed one takes a fresh socket, because a NAT may have taken
 * the tuple of the old one for its own.
 */
#ifndef EDGE_CORE_PUNCH_H
#define EDGE_CORE_PUNCH_H

#include "common/base/instant.h"
#include "common/core/entropy.h"
#include "common/wire/punch.h"

enum {
    PUNCH_SOCKETS = 256,  /* of the hard side, see [P-11.7] */
    PUNCH_GUESSES = 1200, /* probes of the easy side */
    /*
     * The time to live of the first two probes to an address, and of the next.
     * They are to open the own NATs and to end before the other one. Two passes
     * a router at home, and ends in the street. Four passes a carrier's NAT as
     * well, which is the second to fourth hop. A neighbour's router may be as
     * near, but by then it was opened by the first probes of the neighbour. The
     * last one is for many sockets, if no guess has hit until then.
     */
    PUNCH_TTL_FIRST = 2,
    PUNCH_TTL = 4,
    PUNCH_TTL_FAR = 7,
};

struct punch;

struct punch_conf {
    struct node_id self, peer; /* the smaller one leads */
    bool easy_only;            /* takes no part in rounds of many sockets */
    struct entropy *entropy;   /* borrowed */
    uint32_t *next_socket;     /* borrowed: numbers for fresh sockets */
};

/* This node's side, as far as it is known now. */
struct punch_side {
    enum nat_mapping mapping;
    int8_t step; /* see punch_record */
    uint8_t candidate_count;
    /* Of the round's socket. */
    struct candidate candidates[PUNCH_CANDIDATES];
};

struct punch *punch_new(const struct punch_conf *conf);
void punch_free(struct punch **self); /* NULL-safe; the owner closes sockets */

/* The peer is relayed and should be direct; or a link to it is up, or the
 * session cannot carry records now: no round begins. An open round ends
 * quietly. */
void punch_want(struct punch *p, bool wanted, struct instant now);
/* At either end the network changed, or a connection that was won ended: a
 * round may begin at once, and one of many sockets is allowed again. */
void punch_network_changed(struct punch *p, struct instant now);
/* The connection on the pair that was won is open; or it failed, which ends the
 * round like a failed one. */
void punch_connected(struct punch *p, struct instant now);
void punch_not_connected(struct punch *p, struct instant now);
/* The answer to PUNCH_LOOK. */
void punch_looked(struct punch *p, const struct punch_side *side,
                  struct instant now);
/* The round trip of the session, over the relay; negative: unknown. */
void punch_rtt(struct punch *p, struct span rtt);
/* A round of many sockets may begin now: no other pair has one. To be said
 * before punch_looked and punch_due. */
void punch_allow_many(struct punch *p, bool allowed);
/* There is such a round, or this node has offered one: until it is over, no
 * other pair is to be allowed one. */
bool punch_has_many(const struct punch *p);

/* A record of the peer. Malformed ones are ignored; false. */
bool punch_take_record(struct punch *p, struct bytes record,
                       struct instant now);
/* The tag that probes of the peer have in this round. False: no round. */
bool punch_tag(const struct punch *p, uint8_t tag[static 8]) MUST_USE;
/* A datagram with this tag. False if it is forged, replayed or malformed. */
bool punch_take_probe(struct punch *p, uint32_t socket,
                      const struct address *from, struct bytes datagram,
                      struct instant now);

void punch_due(struct punch *p, struct instant now);
struct instant punch_deadline(const struct punch *p);

enum punch_action {
    PUNCH_LOOK,   /* find the outside addresses of `socket`, fresh ones, and
                     call punch_looked: within a second or so, with what is
                     known by then */
    PUNCH_RECORD, /* bytes: to the peer, in the session */
    PUNCH_OPEN,   /* socket, count: open sockets with these numbers */
    PUNCH_CLOSE,  /* socket, count */
    PUNCH_SEND,   /* socket, to, ttl (0: the system's), bytes */
    PUNCH_WON,    /* socket, to, quic: connect; lead: as the client. From now
                     on the caller closes the socket (not 0), also if the
                     connection fails */
    PUNCH_FAILED, /* the round failed; punch_why says why */
};

struct punch_do {
    enum punch_action action;
    uint32_t socket, count;
    struct address to;
    int ttl;
    bool lead;
    uint8_t quic[32];
    uint8_t bytes[PUNCH_RECORD_SIZE];
    size_t size;
};

/* The next thing to do. False: there is none. To be called until false after
 * each of the calls above. */
bool punch_next(struct punch *p, struct punch_do *todo,
                struct instant now) MUST_USE;

/* Why the peer is relayed, as the contract spells it. */
enum punch_why {
    PUNCH_WHY_NONE,          /* no round is wanted */
    PUNCH_WHY_TRYING,        /* a round is under way or about to begin */
    PUNCH_WHY_NAT,           /* rounds failed: the NATs do not let them */
    PUNCH_WHY_UDP_BLOCKED,   /* no STUN server answers one of the two */
    PUNCH_WHY_NO_CANDIDATES, /* one of the two has no address to try, or none
                                of the family of the other */
};
enum punch_why punch_why(const struct punch *p);
/* What the two NATs were found to be: of this node and of the peer, in the last
 * round. */
enum nat_mapping punch_mapping(const struct punch *p);
enum nat_mapping punch_peer_mapping(const struct punch *p);

#endif
