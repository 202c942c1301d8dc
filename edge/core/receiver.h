/*
 * receiver - how far a peer is with a stream of this node's [P-9.4, P-9.8].
 *
 * It holds the packets that it has not acknowledged. If its path is a relay it
 * normally rides: it gets what is uploaded there once for all. Otherwise, and
 * when something is missing, it is served alone, from its cursor on.
 *
 *     AWAITING  nothing was published since it is there
 *     STARTING  it holds; it is told of the stream, or will be (no ref)
 *     TAKING    it takes part and holds
 *     BEHIND    it was too slow; to be told where the stream goes on
 *     CATCHING  that was told
 */
#ifndef EDGE_CORE_RECEIVER_H
#define EDGE_CORE_RECEIVER_H

#include "edge/core/channel.h"

struct peer;

enum receiver_state {
    RECEIVER_AWAITING,
    RECEIVER_STARTING,
    RECEIVER_TAKING,
    RECEIVER_BEHIND,
    RECEIVER_CATCHING,
};

enum { ROUTE_DIRECT = -1, ROUTE_NONE = -2 };

struct telling {  /* of a key alone */
    uint64_t ref; /* 0: none is under way */
    uint32_t key;
};

struct receiver {
    struct channel *channel;
    struct peer *peer;
    struct receiver *next, *previous; /* in the channel */
    struct receiver *next_of_peer;    /* the owner's */
    enum receiver_state state;
    bool present;
    bool aes;              /* its processor has AES-256-GCM */
    int route;             /* a relay, or ROUTE_ */
    bool rides;            /* on the uploads to that relay */
    uint64_t start_ref;    /* of the START under way; 0: none */
    uint64_t first_record; /* of the START that it was given last */
    uint64_t first_message;
    uint32_t first_key;
    uint64_t since; /* the first message that is for it, until it is told */
    uint64_t unacknowledged; /* the first packet that it has not */
    uint64_t acknowledged;   /* the last record that it has */
    uint64_t cursor;         /* served alone: the next packet */
    uint64_t alone_until;    /* it rides, and had the packets before alone */
    uint64_t repair_until;   /* the packets before go at a gentle pace */
    uint64_t repaired;       /* where it was when it was repaired last */
    struct instant repaired_at;
    struct instant progress_at;
    struct instant word_at; /* of its last word of something new */
    int stalls;             /* in a row */
    struct span slowest;    /* of late, from a packet to the word that it is
                             * there */
    uint32_t owed_key;      /* it is to be told the keys from here; 0: none */
    struct telling telling[CHANNEL_KEYS];
    struct instant keys_told_at; /* because it said that it lacks them */
    uint64_t ask_ref;            /* of the question under way; 0: none */
    bool answered;        /* the last question was, but not by how much */
    uint64_t asked_of;    /* the packets before were sent before it */
    struct span patience; /* so long a full store waits for it */
    struct instant left_behind_at;
};

/* Without AES: see receiver_has_aes. */
struct receiver *receiver_new(struct channel *c, struct peer *peer,
                              struct instant now);
void receiver_free(struct receiver *r);

/* Whether the store keeps for it what it lacks. */
static inline bool receiver_holds(const struct receiver *r)
{
    return r->state == RECEIVER_STARTING || r->state == RECEIVER_TAKING;
}

void receiver_has_aes(struct receiver *r, bool aes);
/* Its peer left, and may come back; or is back. */
void receiver_is_present(struct receiver *r, bool present);
/* The way to it changed: what it lacks goes to it alone, on the new one. */
void receiver_route(struct receiver *r, int route);

/* AWAITING: what is published next is for it as well. */
void receiver_begin(struct receiver *r, struct instant now);
/* True if START is to be sent to it now. */
bool receiver_wants_start(const struct receiver *r);
/* What to tell it: where it began, or, if it was left behind, where the stream
 * will go on. receiver_told says that it is under way. */
struct group_start receiver_start(struct receiver *r);
void receiver_told(struct receiver *r, uint64_t ref, struct instant now);
/* What became of it. */
void receiver_started(struct receiver *r, struct instant now);
void receiver_untold(struct receiver *r);
/* It does not know the stream: it is to be told again. */
void receiver_forgot(struct receiver *r);

/* It is to be told the keys from this one on. */
void receiver_owes_keys(struct receiver *r, uint32_t from);
/* It says that it lacks the stream or a key, which counts once in 500 ms: it
 * asks for it once a second [P-9.7]. */
bool receiver_may_lack(struct receiver *r, struct instant now) MUST_USE;
/* The next key to tell it, if any: each is under way once at the most. */
bool receiver_next_key(struct receiver *r, struct group_start *start) MUST_USE;
void receiver_key_told(struct receiver *r, uint32_t key, uint64_t ref);
/* True if it was this one that is settled. */
bool receiver_key_settled(struct receiver *r, uint64_t ref);

/* It has all records up to this one. */
void receiver_acknowledged(struct receiver *r, uint64_t record,
                           struct instant now);
/* Something is missing: it is sent again what it has not, alone; unless that
 * was begun within `pause`. */
void receiver_repair(struct receiver *r, struct instant now, struct span pause);
/* Whether what it calls missing was sent to it alone, and may be on its way:
 * meanwhile it gets uploads too early, and says so of each. */
bool receiver_is_served(const struct receiver *r);
/* When it will have been silent so long about what it was sent that it is to
 * be asked: longer than it has taken of late, 4 RTTs, at least 400 ms,
 * doubling. NEVER: it lacks nothing. */
struct instant receiver_stall_at(const struct receiver *r, struct span rtt);
/* It is asked what it has, or the question was `settled`. What it lacks of what
 * was sent before the question when it answers, was lost: packets do not
 * overtake each other on their way. */
void receiver_asked(struct receiver *r, uint64_t ref);
void receiver_settled(struct receiver *r, bool answered);
/* Whether its word now, after receiver_acknowledged, shows a loss. */
bool receiver_shows_loss(struct receiver *r);

/* Whether it is to be told or sent something, or has yet to acknowledge it. */
bool receiver_lacks(const struct receiver *r);
/* Whether the packet at its cursor may be sent to it now. */
bool receiver_has_output(const struct receiver *r);
/* It was sent: the cursor moves, and it rides again if it caught up. */
void receiver_sent(struct receiver *r);
/* It rides if it has been sent all that was uploaded before. */
void receiver_ride(struct receiver *r);

/* How long a full store waits for it. */
struct span receiver_patience(const struct receiver *r, struct instant now);
void receiver_leave_behind(struct receiver *r, struct instant now);

#endif
