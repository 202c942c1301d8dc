/*
 * session - the end-to-end connection of two nodes: handshake, keys, numbered
 * records, acknowledgements [P-6]. It outlives the paths that carry it.
 *
 * The owner passes the peer's session packets in and asks for packets to send;
 * messages and results come out through the callbacks of a session_sink. Either
 * side may begin:
 *
 *     session_wants_handshake, then session_ask writes INIT
 *     peer: session_take_init writes ACCEPT
 *     session_take_accept; from then on session_write and session_take
 *
 * The first packet that the peer receives under the new keys puts them in force
 * there as well.
 *
 * A later handshake between the same two processes brings new keys and
 * continues both streams with their numbers. If one side has lost its state,
 * both streams begin at 1 again, and messages that were sent and not
 * acknowledged end as NOT_DELIVERED.
 */
#ifndef COMMON_CORE_SESSION_H
#define COMMON_CORE_SESSION_H

#include "common/base/instant.h"
#include "common/core/entropy.h"
#include "common/core/inbox.h"
#include "common/core/noise.h"
#include "common/core/outbox.h"
#include "common/core/seal.h"
#include "common/wire/packet.h"

enum {
    SESSION_PINGS = 16,
    SESSION_GROUP_ACKS = 8,
    /* The largest payload of a handshake message, also in later versions
     * [P-1.3], and the largest INIT and ACCEPT packets. */
    SESSION_PAYLOAD_SIZE = 256,
    SESSION_INIT_SIZE = 5 + NOISE_1_OVERHEAD + SESSION_PAYLOAD_SIZE,
    SESSION_ACCEPT_SIZE = 9 + NOISE_2_OVERHEAD + SESSION_PAYLOAD_SIZE,
    SESSION_ACK_SIZE =
        PACKET_OVERHEAD + 64 + SESSION_GROUP_ACKS * GROUP_ACK_SIZE,
};

/* Bits of what a node offers in its handshakes [P-6.2]; unknown bits are
 * ignored. */
enum {
    SESSION_AES = 1, /* a cipher beside ChaCha20-Poly1305 */
    SESSION_UDP = 2, /* takes PUNCH records: paths over UDP [P-11.1] */
};

/* Who talks to whom, and with which secrets. The pointers are borrowed and must
 * stay valid as long as the session. */
struct session_keys {
    const struct curve_pair *self;
    const uint8_t *psk; /* 32 bytes */
    struct node_id self_id;
    struct node_id peer_id;
    struct curve_key peer_key;
    struct epoch self_epoch;
    struct epoch peer_epoch;
    /* Counts the INITs of this process, to all its peers together. */
    uint64_t *ask_counter;
    /* The counter of the newest INIT that was accepted from the peer's process.
     * The owner keeps it longer than the session, else a replayed INIT would
     * count [P-6.3]. */
    uint64_t *taken_counter;
    uint8_t version; /* the peer's, if known; else 0 */
    uint8_t offers;  /* SESSION_AES, SESSION_UDP */
};

struct session_limits {
    size_t window;  /* bytes in flight, each way */
    size_t stored;  /* bytes in the outbox, if more than `window` */
    size_t message; /* the largest accepted, bytes */
};

struct keyset {
    bool live;
    uint32_t index;      /* of these keys, in packets to this node */
    uint32_t peer_index; /* of these keys, in packets to the peer */
    struct seal seal;
    struct instant since;
    bool asked; /* this node sent the INIT */
    /* Agreed on in the handshake; takes effect when these keys come into force.
     */
    uint64_t stream, peer_stream;
    bool fresh;
    uint64_t peer_window, peer_message;
    uint8_t peer_offers;
};

enum session_settled {
    SESSION_DELIVERED,
    SESSION_NOT_DELIVERED,
    SESSION_PEER_RESTARTED,
};

struct session_sink {
    void *owner;
    void (*message)(void *owner, struct bytes message);
    void (*settled)(void *owner, uint64_t ref, enum session_settled how);
    void (*pong)(void *owner, uint64_t token);
    void (*group_ack)(void *owner, const struct group_ack *ack);
    void (*punch)(void *owner, struct bytes punch); /* NULL: ignored */
};

struct session_counters {
    uint64_t records_sent, records_resent, records_duplicate, handshakes;
    uint64_t handshakes_aes; /* those that agreed on AES-256-GCM */
};

enum session_handshake {
    HANDSHAKE_IDLE,
    HANDSHAKE_WANTED, /* the peer lost its keys: INIT is sent at ask_again */
    HANDSHAKE_ASKED,  /* INIT is unanswered, and is resent at ask_again */
};

struct session {
    struct session_keys keys;
    struct session_limits limits;
    struct keyset current, previous, pending;
    bool established; /* both streams were agreed on */
    uint64_t stream, peer_stream;
    uint8_t version; /* agreed on with the peer; 0: not yet */

    enum session_handshake handshake;
    uint32_t asking_index;  /* ASKED: the index in this node's INIT */
    uint8_t asking_version; /* ASKED: the version that the INIT offers */
    unsigned unanswered;    /* INITs sent while the peer's version is unknown */
    struct noise noise;
    struct instant ask_again;
    struct span ask_interval;
    struct instant asked_at; /* ASKED: when the INIT was written */

    struct outbox outbox;
    struct inbox inbox;
    bool ack_due;
    bool confirm_due; /* the peer waits for a packet under the new keys */
    uint64_t peer_window, peer_message;
    size_t congestion_window; /* bytes; SIZE_MAX: no limit known */

    uint64_t timed_sequence; /* the record whose round trip is timed; or 0 */
    struct instant timed_at;
    struct span rtt; /* negative: unknown */
    /* Of the last handshake, over whatever path it took; negative: unknown. */
    struct span handshake_rtt;
    /* When an acknowledgement last freed a record, or when the first record in
     * flight was sent. */
    struct instant progress_at;
    int stalls;              /* in a row, without progress */
    struct instant heard_at; /* when the peer's last packet came */
    struct instant retry_at; /* resend after a refused packet; else NEVER */

    uint64_t pings[SESSION_PINGS]; /* tokens to send */
    uint64_t pongs[SESSION_PINGS];
    size_t ping_count, pong_count;
    struct group_ack group_acks[SESSION_GROUP_ACKS]; /* to send */
    size_t group_ack_count;
    uint8_t *punch; /* to send; NULL: none */
    size_t punch_size;
    struct session_counters *counters; /* borrowed; sessions may share it */
};

/* A session without keys. `limits` are this end's; the other pointers stay
 * borrowed for the session's life. */
void session_init(struct session *s, const struct session_keys *keys,
                  const struct session_limits *limits, struct entropy *entropy,
                  struct session_counters *counters, struct slabs *slabs);
/* Erases the keys and frees everything. Reports no results: session_settle_all
 * does that. */
void session_close(struct session *s);
/* Ends every unacknowledged message with the result `how`, through the sink:
 * for a peer that is gone. */
void session_settle_all(struct session *s, enum session_settled how,
                        const struct session_sink *sink);

/* True if a message of that size fits the outbox's limit. */
bool session_has_room(const struct session *s, size_t message_size);
/* Takes a copy of the message. False: the outbox is full or there is no memory;
 * nothing was taken. The sink's `settled` gets `ref` with the result later. */
bool session_submit(struct session *s, const struct message *m, uint64_t ref,
                    struct instant now) MUST_USE;
/* Queues a PING; the sink's `pong` gets the token. False if SESSION_PINGS are
 * queued already. */
bool session_ping(struct session *s, uint64_t token) MUST_USE;
/* Queues an acknowledgement of the peer's stream to a group [P-9.7]; it
 * replaces a queued one for the same stream. False if SESSION_GROUP_ACKS others
 * are queued. */
bool session_group_ack(struct session *s, const struct group_ack *ack) MUST_USE;
/* Queues a PUNCH of at most PUNCH_SIZE bytes, in place of one that is queued.
 * It is not sent again if it gets lost. A peer that did not offer UDP does not
 * get it. */
void session_punch(struct session *s, struct bytes punch);

/* What the peer offered in the handshake. False: none was completed. */
static inline bool session_peer_offers(const struct session *s, uint8_t *offers)
{
    *offers = s->current.peer_offers;
    return s->current.live;
}

/* True if the owner should call session_ask now: there is something to send and
 * no keys to send it with, or the keys are due for replacement. */
bool session_wants_handshake(const struct session *s, struct instant now);
/* Writes an INIT of at most SESSION_INIT_SIZE bytes. Until the ACCEPT comes,
 * session_wants_handshake becomes true again after 500 ms, doubling to 4 s.
 * False if the peer's public key is invalid. */
bool session_ask(struct session *s, struct entropy *entropy, struct instant now,
                 struct writer *w) MUST_USE;
/* The path changed: an unanswered INIT is repeated at once. */
void session_ask_soon(struct session *s, struct instant now);

enum session_greeting {
    SESSION_ACCEPTED, /* `w` holds the ACCEPT */
    /* Forged, replayed or from another process; or this node sent an INIT too
     * and has the smaller id, so that one goes on [P-6.2]. */
    SESSION_IGNORED,
    SESSION_UNSPOKEN, /* authentic, in a version unknown here */
};
/* Takes an INIT; `w` needs SESSION_ACCEPT_SIZE bytes for the answer. */
enum session_greeting session_take_init(struct session *s, struct bytes packet,
                                        struct entropy *entropy,
                                        struct instant now,
                                        struct writer *w) MUST_USE;
/* Takes the ACCEPT for this session's INIT and puts the new keys in force,
 * through the sink if streams begin anew. False if it is forged or answers
 * another INIT. */
bool session_take_accept(struct session *s, struct bytes packet,
                         struct instant now,
                         const struct session_sink *sink) MUST_USE;

enum session_verdict {
    SESSION_TAKEN,
    SESSION_DROPPED, /* replayed, forged or malformed */
    SESSION_UNKNOWN, /* the index names none of this session's keys; answer with
                        RESET */
    SESSION_VIOLATION, /* authentic but against the protocol: the owner must
                          close the session */
};
/* Takes a SEALED or PLAIN packet and calls the sink for its records. SEALED is
 * decrypted in place, so the packet's bytes change. */
enum session_verdict session_take(struct session *s, uint8_t *packet,
                                  size_t size, struct instant now,
                                  const struct session_sink *sink) MUST_USE;
/* The peer does not know the index of this session's keys. Causes a new
 * handshake if that index is the current one. */
void session_take_reset(struct session *s, struct bytes packet,
                        struct instant now);

/* True if session_write would write a packet now. */
bool session_has_output(const struct session *s);
/* True if the output is nothing but an acknowledgement of messages. */
bool session_only_acknowledges(const struct session *s);
/* The largest size of the next packet, bytes. */
size_t session_write_size(const struct session *s);
/* Writes one packet with as much as fits: PLAIN for a direct link, SEALED for a
 * relay. False if there is nothing to send. `w` should have session_write_size
 * bytes; with fewer, fewer records go into the packet. */
bool session_write(struct session *s, bool sealed, struct instant now,
                   struct writer *w) MUST_USE;
/* Makes a PLAIN packet of BLOCK_WORTH bytes or more without copying its
 * records: `packet` is a view into the outbox's memory, which stays unchanged
 * while the caller holds `block`. False if there is no such packet now; call
 * session_write then. */
bool session_lend(struct session *s, struct instant now, struct bytes *packet,
                  struct block **block) MUST_USE;
/* Writes a packet of at most SESSION_ACK_SIZE bytes with nothing but the
 * acknowledgement, which stays due: it is for a second path, beside
 * session_write's. False if there are no keys. */
bool session_write_ack(struct session *s, bool sealed,
                       struct writer *w) MUST_USE;

/* Sends everything unacknowledged again, and the last acknowledgement: the path
 * changed, or the relay refused a packet. */
void session_rewind(struct session *s);
/* The relay refused a packet: resend after 100 ms, and if its queue was full,
 * with half as many bytes in flight [P-6.6]. */
void session_refused(struct session *s, bool full, struct instant now);
/* The session has another path: resends everything and forgets what is known
 * about the old path's capacity. */
void session_path_changed(struct session *s, struct instant now);
/* When the owner should suspect the path, because acknowledgements made no
 * progress for 4 of its round trips (rtt; negative: unknown) and at least 400
 * ms [P-8.7]. NEVER if nothing is in flight. */
struct instant session_suspect_path_at(const struct session *s,
                                       struct span rtt);
/* When to call session_stalled, because acknowledgements made no progress for
 * so long that everything must be sent again on the same path. */
struct instant session_stall_at(const struct session *s);
/* Resends everything; the next stall takes twice as long. */
void session_stalled(struct session *s, struct instant now);
/* When the owner should ask session_wants_handshake again. */
struct instant session_deadline(const struct session *s);

#endif
