/*
 * receiver - how far one peer has got in one stream of this node [P-9.4,
 * P-9.8].
 *
 * A receiver whose path is a relay normally receives by fan-out: this node
 * uploads each packet once, and the relay copies it to all receivers. A
 * receiver with a direct path receives by unicast. So does, for a while, one
 * that lost packets: it is repaired from its cursor on.
 *
 *     AWAITING  nothing was published since the peer joined
 *     STARTING  its START is queued (start_ref 0) or sent (start_ref set)
 *     TAKING    it acknowledged the START and receives packets
 *     BEHIND    it was too slow: a START must tell where the stream goes on
 *     CATCHING  that START is sent
 *
 * In STARTING and TAKING the receiver "holds" packets: the store keeps those
 * that it has not acknowledged.
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

struct telling {  /* a START that carries only a key, and is under way */
    uint64_t ref; /* 0: none */
    uint32_t key;
};

struct receiver {
    struct channel *channel;
    struct peer *peer;
    struct receiver *next, *previous; /* in the channel */
    struct receiver *next_of_peer;    /* the owner's */
    enum receiver_state state;
    bool present;
    bool aes;              /* the peer's processor has AES-256-GCM */
    int route;             /* the index of a relay, or ROUTE_ */
    bool by_fanout;        /* receives by fan-out of that relay */
    uint64_t start_ref;    /* the number of the START under way; 0: none */
    uint64_t first_record; /* where the last START begins */
    uint64_t first_message;
    uint32_t first_key;
    uint64_t since; /* the first message addressed to the receiver, for START;
                       0: the START is acknowledged */
    uint64_t unacknowledged; /* the first packet not acknowledged */
    uint64_t acknowledged;   /* the last record acknowledged */
    uint64_t cursor;         /* by unicast: the next packet to send */
    uint64_t unicast_until;  /* by fan-out: unicast sent the packets before */
    uint64_t repair_until;   /* packets before are repairs: repair_window */
    uint64_t routed_at;      /* packets before may have gone by another path */
    uint64_t repaired;       /* `unacknowledged` at the last repair */
    struct instant repaired_at;
    struct instant progress_at;
    struct instant ack_at; /* last acknowledgement of something new */
    int stalls;            /* in a row */
    struct span slowest;   /* the longest recent time from a packet's sealing
                            * to its acknowledgement */
    uint32_t owed_key;     /* the receiver needs keys from this; 0: none */
    struct telling telling[CHANNEL_KEYS];
    struct instant keys_told_at; /* after the last GROUP_ACK UNKNOWN */
    uint64_t probe_ref;          /* the number of the probe; 0: none */
    bool answered; /* the last probe was delivered, and the GROUP_ACK
                      that follows is not here yet */
    uint64_t probe_sent_until; /* packets before this one were sent before it */
    struct span patience; /* how long a full store waits for the receiver */
    struct instant left_behind_at;
};

/* A new receiver in AWAITING, without AES and route; the channel owns it. */
struct receiver *receiver_new(struct channel *c, struct peer *peer,
                              struct instant now);
void receiver_free(struct receiver *r);

/* Whether the store keeps the packets that the receiver lacks. */
static inline bool receiver_holds(const struct receiver *r)
{
    return r->state == RECEIVER_STARTING || r->state == RECEIVER_TAKING;
}

void receiver_has_aes(struct receiver *r, bool aes);
/* The peer left (it may come back), or came back. */
void receiver_is_present(struct receiver *r, bool present);
/* The path to the peer changed: packets that it lacks go by unicast on the new
 * path first. */
void receiver_route(struct receiver *r, int route);

/* AWAITING to STARTING: the next publication is for this receiver as well. */
void receiver_begin(struct receiver *r, struct instant now);
/* Whether a START must be sent to the receiver now. */
bool receiver_wants_start(const struct receiver *r);
/* The START to send: where the receiver began or, if it was left behind, where
 * the stream goes on. The owner then sends it and calls receiver_start_sent
 * with the number that it gave to the START. */
struct group_start receiver_start(struct receiver *r);
void receiver_start_sent(struct receiver *r, uint64_t ref, struct instant now);
/* The peer acknowledged that START; or the session gave it up. */
void receiver_start_acked(struct receiver *r, struct instant now);
void receiver_start_lost(struct receiver *r);
/* It does not know the stream: it is to be told again. */
void receiver_forgot(struct receiver *r);

/* The receiver needs the keys from `from` on. */
void receiver_owes_keys(struct receiver *r, uint32_t from);
/* The peer sent GROUP_ACK UNKNOWN: it lacks the stream or a key. True at most
 * once in 500 ms, as the peer sends that once a second [P-9.7]. */
bool receiver_may_lack(struct receiver *r, struct instant now) MUST_USE;
/* The next key to send, if any. A key is under way once at most; the owner
 * reports with receiver_key_told that it sent it. */
bool receiver_next_key(struct receiver *r, struct group_start *start) MUST_USE;
void receiver_key_told(struct receiver *r, uint32_t key, uint64_t ref);
/* True if `ref` was the number of such a key; it is not under way any more. */
bool receiver_key_settled(struct receiver *r, uint64_t ref);

/* The peer has all records up to this one. */
void receiver_acknowledged(struct receiver *r, uint64_t record,
                           struct instant now);
/* A packet was lost: everything not acknowledged is resent by unicast, unless
 * that repair began less than `pause` ago. */
void receiver_repair(struct receiver *r, struct instant now, struct span pause);
/* Whether the first packet that the receiver lacks was sent by unicast and may
 * still be under way. Until it arrives the peer reports each fanned-out packet
 * as one after a gap. */
bool receiver_awaits_unicast(const struct receiver *r);
/* When the receiver has been silent for so long about packets sent that it must
 * be probed: after 4 RTTs, at least 250 ms on a direct path and 400 ms by a
 * relay, and 1.5 times its slowest recent acknowledgement, doubling [P-9.8].
 * NEVER: it lacks nothing that was sent. */
struct instant receiver_stall_at(const struct receiver *r, struct span rtt);
/* The owner sent a probe (a START without a position), which makes the peer
 * acknowledge what it has; later the session delivered or dropped the probe.
 * Packets sent before the probe do not arrive after it, so those that the
 * answer does not acknowledge are lost. */
void receiver_probed(struct receiver *r, uint64_t ref);
void receiver_probe_ended(struct receiver *r, bool answered);
/* After receiver_acknowledged: whether that answer shows a loss. */
bool receiver_shows_loss(struct receiver *r);

/* Whether the peer has yet to receive or acknowledge a START or a packet. */
bool receiver_lacks(const struct receiver *r);
/* Whether the packet at the cursor may be sent by unicast now. */
bool receiver_has_output(const struct receiver *r);
/* The owner sent that packet: the cursor moves, and the receiver returns to
 * fan-out if it has caught up. */
void receiver_sent(struct receiver *r);
/* Switches the receiver to fan-out if every packet uploaded so far was sent to
 * it. */
void receiver_try_fanout(struct receiver *r);

/* How long a full store waits for the receiver: 2 s, halved each time that it
 * is left behind, 2 s again after 10 s without [P-9.9]. */
struct span receiver_patience(const struct receiver *r, struct instant now);
/* The receiver holds no packets any more; a START will tell it where the
 * stream goes on. */
void receiver_leave_behind(struct receiver *r, struct instant now);

#endif
