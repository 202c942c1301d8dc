/*
 * links - connections to peers and relays.
 *
 * A link is a connection that the owner keeps: it opens the link, carries the
 * link's packets and says when the link is closed. What kind of connection it
 * is stands in the members of struct link that links.c sets when it makes one;
 * other files ask these members and never the transport.
 *
 *     links.c          making, closing, packets, silence
 *     link_greeting.c  HELLO and REFUSE on a direct link
 *     link_flow.c      how much a link takes in one step
 *     link_eviction.c  which link is closed to make room for another
 *     mtu_probe.c      whether large packets pass a link
 *     answers.c        answers to PING and PROBE
 *     link_rest.c      idle links that are quiet
 */
#ifndef EDGE_CORE_LINKS_H
#define EDGE_CORE_LINKS_H

#include "common/core/detector.h"
#include "edge/core/deadline.h"
#include "edge/core/node.h"

struct peer;
struct relay;

enum link_state {
    LINK_CONNECTING, /* the owner opens it */
    LINK_GREETING,   /* it is open; the HELLOs are exchanged */
    LINK_UP,
};

struct link {
    uint32_t id;
    enum link_state state;

    /* What kind of link it is. Set when it is made; never changes. */
    enum node_transport transport;
    enum node_path path; /* the kind of path that it is to its peers */
    bool dialed;         /* one end dials the other's address, ... */
    bool punched;        /* or both make it by a round of probes */
    bool outgoing;       /* this node dialled */
    bool seals;          /* the connection encrypts, and proves to each end that
                            the other is the peer: packets on it need neither
                            the session's seal nor a signature */
    bool probed;         /* probes tell whether large packets pass it */
    bool greets;         /* the ends exchange HELLOs when it is open */
    bool rests;          /* it is quiet while it is idle and a relay shows the
                            peer */
    struct relay *relay; /* the relay at its other end; NULL: a peer is there,
                            and the link is called direct */
    enum relay_form form; /* to a relay */
    bool is_over; /* to a relay: it is closed, and stands until another form
                     takes its place or cannot */

    struct address address; /* of the other end */
    struct curve_key key;   /* the other end's CURVE key, if it has one */
    uint32_t socket;        /* UDP: the link's own socket; 0: the shared one */
    struct peer *peer;      /* direct: the peer that was dialled, or that said
                               HELLO; NULL before that */
    struct link *next_of_peer;
    uint8_t version;  /* the protocol version: agreed on, or offered in HELLO */
    uint32_t greeted; /* serial of the announcement in this node's HELLO */

    struct detector detector; /* LINK_UP: tells silence */
    struct instant greet_by;  /* else: LINK_UP until then, or it is closed */
    struct instant up_since;  /* LINK_UP */
    struct instant used;      /* it last carried a session's packet, or was
                                 made; the link that is used least is evicted */
    struct deadline deadline;

    /* See link_rest.c. */
    bool resting; /* nothing is asked, and it is no evidence */
    struct instant woke_at, heard_before;

    /* Probes of large packets, see mtu_probe.c. */
    bool unproved;                    /* a PROBED is awaited */
    uint64_t probe_first, probe_last; /* which tokens in it count */

    /* Answers that wait until the link takes packets: the newest of a kind. */
    bool owes_pong, owes_probed;
    uint64_t pong_token, probed_token;

    /* See link_flow.c. */
    bool blocked;         /* the owner said that it takes no packets now */
    struct peer *waiting; /* peers with output, while the link is full */
    uint64_t step;        /* the step in which it was last written to */
    size_t step_bytes;    /* what was written in that step */
    struct link *next_spent;
};

/* links.c */
struct link *link_get(struct node *n, uint32_t id);
/* Makes an outgoing link, with a new id. `relay`: the other end; NULL: that is
 * a peer. The caller then says todo_connect; to a relay, it sets the form
 * before. */
struct link *link_dial(struct node *n, enum node_transport transport,
                       struct relay *relay, const struct curve_key *key);
/* Frees it. `disconnect`: the owner, which does not know yet, is told. */
void link_drop(struct node *n, struct link *link, bool disconnect);
/* It leads to this peer. */
void link_attach(struct link *link, struct peer *p);
void links_dial(struct node *n, struct peer *p, const struct address *address);
void links_opened(struct node *n, const struct node_event *event);
void links_closed(struct node *n, const struct node_event *event);
/* A packet that belongs to no session, on a direct link. */
void links_take(struct node *n, struct link *link, struct bytes packet);
void links_due(struct node *n, struct link *link);
/* The network changed at one end: unless the other end answers soon, the link
 * is closed. */
void link_hurry(struct node *n, struct link *link);
void link_rearm(struct node *n, struct link *link);
/* Writes u8 type | u64 token. */
void link_write_token(struct node *n, const struct link *link,
                      enum packet_type type, uint64_t token);
/* To all direct links that are up. */
void links_tell_all(struct node *n, struct bytes packet);

/* The next state. */
void link_enter(struct node *n, struct link *link, enum link_state state);

/* How a direct link ended. */
enum link_ending {
    LINK_END_CLOSED,    /* its connection was closed, or could not be made */
    LINK_END_REJECTED,  /* this node closed it: it does not want this peer */
    LINK_END_SILENT,    /* nothing came, or no HELLO, for too long */
    LINK_END_ABANDONED, /* the network changed, and no answer came soon */
    LINK_END_EVICTED,   /* closed to make room at one of its ends */
    LINK_END_REFUSED,   /* the other end refuses this node */
    LINK_END_VERSION,   /* the other end does not know this version of HELLO */
    LINK_END_BYE,       /* the peer said goodbye */
};

/* The end of a direct link, for its peer. */
struct link_end {
    struct peer *peer; /* expected or greeted; NULL: none yet */
    enum link_ending how;
    bool was_up; /* else it never was */
    uint32_t id;
    enum node_path path;
    bool dialed;           /* as of the link */
    struct instant heard;  /* when the last packet came */
    bool swallowed;        /* large packets never passed it */
    uint8_t reason;        /* REFUSED: enum refusal */
    uint64_t unix_seconds; /* REFUSED: the other end's clock; 0: unknown */
    struct address from;   /* the other end's */
};
/* Drops it, tells the owner if this node ends it, and then the peer. */
void link_finish(struct node *n, struct link *link, enum link_ending how);
void link_finish_refused(struct node *n, struct link *link, uint8_t reason,
                         uint64_t unix_seconds);

/* link_greeting.c */
void link_greeting_begin(struct node *n, struct link *link);
/* LINK_HELLO, LINK_REFUSE */
void link_greeting_take(struct node *n, struct link *link, struct reader *r);
void link_greeting_refused(struct node *n, struct link *link, struct reader *r);
/* This node refuses the other end: it is told, and the link is closed. */
void link_refuse(struct node *n, struct link *link, enum refusal why,
                 const struct certificate *claimed);

/* link_flow.c: after 256 KiB in one step a link is full, because bytes that are
 * queued on it delay all later packets. */
void link_spend(struct node *n, struct link *link, size_t bytes);
bool link_is_full(const struct node *n, const struct link *link);
void link_blocked(struct link *link);
void link_writable(struct node *n, struct link *link);
/* The next step begins. */
void links_go_on(struct node *n);
/* The link is about to be freed; the peers that wait for it are settled. */
void link_flow_end(struct node *n, struct link *link);

/* link_eviction.c */
/* Makes room for a link to the peer: there is some or, if something waits for
 * the link, another link is closed. False: neither; the dialer is put off. */
bool link_eviction_for_dial(struct node *n, struct peer *p);
/* The same for a link that came in. False: the other end was told. */
bool link_eviction_for_incoming(struct node *n, const struct node_event *event);
/* LINK_SPARE */
void link_eviction_spared(struct node *n, struct link *link, struct reader *r);

/* mtu_probe.c */
/* The link must be proved by an answer to the next probe. */
void mtu_probe_want(struct link *link);
/* Sends a probe if the link is not proved. */
void mtu_probe_send(struct node *n, struct link *link);
/* Large packets never passed, although there was time for an answer. */
bool mtu_probe_failed(const struct node *n, const struct link *link);
/* LINK_PROBE, LINK_PROBED */
void mtu_probe_take(struct node *n, struct link *link, struct bytes packet);
/* Writes the answer that waited until the link takes packets. */
void mtu_probe_answer(struct node *n, struct link *link);

/* link_rest.c */
/* Lets the link be quiet if it may be. True if it is. */
bool link_rest(struct node *n, struct link *link);
/* It is used again, or tested: it counts as heard just now. */
void link_wake(struct node *n, struct link *link);
/* When the last packet came. */
struct instant link_heard(const struct link *link);
/* A relay lists the peer no more, or its connection was lost: links that are
 * quiet without another relay's word are tested. */
void links_unlisted(struct node *n, struct peer *p);

/* answers.c */
/* LINK_PING, LINK_PONG */
void answers_take_token(struct node *n, struct link *link,
                        enum packet_type type, struct reader *r);
/* Writes the answers that waited until the link takes packets. */
void answers_write(struct node *n, struct link *link);

#endif
