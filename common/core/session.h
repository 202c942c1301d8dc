/*
 * session - what two nodes share end to end: keys, sequence numbers,
 * acknowledgements [P-6]. It outlives the paths that carry it.
 *
 * The owner hands in the session packets of this peer and asks for packets to
 * send; the session says through its sink what came of it. Either side begins:
 *
 *     session_wants_handshake -> session_ask -> INIT travels
 *     peer: session_take_init answers ACCEPT
 *     session_take_accept; from then on session_write / session_take
 *
 * A new handshake between the same two processes goes on with the same streams
 * (new keys, the same numbers); one that finds a side without its state starts
 * both streams afresh, and what was under way is settled as NOT_DELIVERED.
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
    /* What the handshake says, also in later versions [P-1.3], and its messages
     * as packets, at the most. */
    SESSION_PAYLOAD_SIZE = 256,
    SESSION_INIT_SIZE = 5 + NOISE_1_OVERHEAD + SESSION_PAYLOAD_SIZE,
    SESSION_ACCEPT_SIZE = 9 + NOISE_2_OVERHEAD + SESSION_PAYLOAD_SIZE,
    SESSION_ACK_SIZE =
        PACKET_OVERHEAD + 64 + SESSION_GROUP_ACKS * GROUP_ACK_SIZE,
};

/* Bits of the ciphers that a node offers [P-6.2]; others are of later days. */
enum { SESSION_AES = 1 };

/* Borrowed for the session's life. */
struct session_keys {
    const struct curve_pair *self;
    const uint8_t *psk; /* 32 bytes */
    struct node_id self_id;
    struct node_id peer_id;
    struct curve_key peer_key;
    struct epoch self_epoch;
    struct epoch peer_epoch;
    uint64_t *ask_counter; /* of this process's INITs, to whichever peer */
    /* The newest INIT of the peer's process that was taken: it outlives the
     * session, or an old one would count again [P-6.3]. */
    uint64_t *taken_counter;
    uint8_t version; /* that it speaks, as is known; 0: it is not */
    uint8_t ciphers; /* that this node can do beside ChaCha20-Poly1305 */
};

struct session_limits {
    size_t window;  /* bytes each way beyond what is acknowledged */
    size_t stored;  /* bytes kept, sent or not, if that is more */
    size_t message; /* the largest message taken, bytes */
};

struct keyset {
    bool live;
    uint32_t index;      /* names it in packets to this node */
    uint32_t peer_index; /* names it in packets to the peer */
    struct seal seal;
    struct instant since;
    bool asked; /* this node began the handshake */
    /* PENDING only: what comes into force with it. */
    uint64_t stream, peer_stream;
    bool fresh;
    uint64_t peer_window, peer_message;
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
};

struct session_counters {
    uint64_t records_sent, records_resent, records_duplicate, handshakes;
    uint64_t handshakes_aes; /* those that agreed on AES-256-GCM */
};

struct session {
    struct session_keys keys;
    struct session_limits limits;
    struct keyset current, previous, pending;
    bool established; /* both streams were agreed once */
    uint64_t stream, peer_stream;
    uint8_t version; /* agreed on; 0: not yet */

    bool asking; /* an INIT is out */
    uint32_t asking_index;
    uint8_t asking_version;
    unsigned unanswered; /* INITs, while the peer's version is not known */
    struct noise noise;
    struct instant ask_again;
    struct span ask_interval;

    struct outbox outbox;
    struct inbox inbox;
    bool ack_due;
    bool confirm_due; /* the peer waits for a first packet with the new keys */
    uint64_t peer_window, peer_message;
    size_t flight; /* so many bytes may fly, as far as the way is known */

    uint64_t timed_sequence; /* a record whose round trip is measured; or 0 */
    struct instant timed_at;
    struct span rtt;            /* < 0: unknown */
    struct instant progress_at; /* acknowledgements moved, or began to fly */
    int stalls;                 /* in a row */
    struct instant retry_at;    /* a packet was refused: go again; or NEVER */

    uint64_t pings[SESSION_PINGS]; /* to be sent */
    uint64_t pongs[SESSION_PINGS];
    size_t ping_count, pong_count;
    struct group_ack group_acks[SESSION_GROUP_ACKS]; /* to be sent */
    size_t group_ack_count;
    struct session_counters *counters; /* borrowed; may be shared */
};

void session_init(struct session *s, const struct session_keys *keys,
                  const struct session_limits *limits, struct entropy *entropy,
                  struct session_counters *counters, struct slabs *slabs);
/* Wipes and frees; settles nothing: see session_settle_all. */
void session_close(struct session *s);
/* Settles every message not acknowledged, for a peer that is gone. */
void session_settle_all(struct session *s, enum session_settled how,
                        const struct session_sink *sink);

/* Room for a message; false: the window is full. */
bool session_has_room(const struct session *s, size_t message_size);
/* False: there is no room or memory, and it was not taken. */
bool session_submit(struct session *s, const struct message *m, uint64_t ref,
                    struct instant now) MUST_USE;
/* Queues a PING; false when SESSION_PINGS wait already. */
bool session_ping(struct session *s, uint64_t token) MUST_USE;
/* Queues what this node has of a stream of the peer's [P-9.7]; an older word
 * on the same stream gives way. False when SESSION_GROUP_ACKS others wait. */
bool session_group_ack(struct session *s, const struct group_ack *ack) MUST_USE;

/* True if there is something to say and no keys to say it with, or the keys
 * are due to be replaced: time for session_ask. */
bool session_wants_handshake(const struct session *s, struct instant now);
/* Writes INIT (room SESSION_INIT_SIZE). Asks again after a time that doubles
 * from 500 ms to 4 s, until an ACCEPT comes. False: the peer's key is bad. */
bool session_ask(struct session *s, struct entropy *entropy, struct instant now,
                 struct writer *w) MUST_USE;
/* The path changed: an INIT that is out goes again at once. */
void session_ask_soon(struct session *s, struct instant now);

enum session_greeting {
    SESSION_ACCEPTED, /* and ACCEPT was written */
    /* It is forged, old, of another process, or our own INIT goes before it
     * (the smaller node id's does [P-6.2]). */
    SESSION_IGNORED,
    SESSION_UNSPOKEN, /* authentic, of a version that is not spoken here */
};
/* Takes an INIT and writes the ACCEPT for it (room SESSION_ACCEPT_SIZE). */
enum session_greeting session_take_init(struct session *s, struct bytes packet,
                                        struct entropy *entropy,
                                        struct instant now,
                                        struct writer *w) MUST_USE;
bool session_take_accept(struct session *s, struct bytes packet,
                         struct instant now,
                         const struct session_sink *sink) MUST_USE;

enum session_verdict {
    SESSION_TAKEN,
    SESSION_DROPPED,   /* replayed, forged or malformed */
    SESSION_UNKNOWN,   /* an index that is not ours (any more) */
    SESSION_VIOLATION, /* authentic nonsense: the session is to be closed */
};
/* Takes SEALED or PLAIN; opens SEALED in place. */
enum session_verdict session_take(struct session *s, uint8_t *packet,
                                  size_t size, struct instant now,
                                  const struct session_sink *sink) MUST_USE;
/* The peer does not know our index: handshake again, if it was current. */
void session_take_reset(struct session *s, struct bytes packet,
                        struct instant now);

bool session_has_output(const struct session *s);
/* All its output is an acknowledgement of messages. */
bool session_only_acknowledges(const struct session *s);
/* So many bytes the next packet has at the most. */
size_t session_write_size(const struct session *s);
/* Writes one packet with all that fits: SEALED for a relay, or PLAIN. False
 * if there was nothing. Room session_write_size, or less and less goes. */
bool session_write(struct session *s, bool sealed, struct instant now,
                   struct writer *w) MUST_USE;
/* Many bytes need not be copied into a packet: a PLAIN one of BLOCK_WORTH
 * bytes or more lies where the session keeps what it says, and stays as it is
 * while `block` is held. False: there is none now, and session_write is to be
 * asked. */
bool session_lend(struct session *s, struct instant now, struct bytes *packet,
                  struct block **block) MUST_USE;
/* Writes a packet with nothing but the acknowledgement, which stays due: for
 * another path than session_write's. Room SESSION_ACK_SIZE. False without
 * keys. */
bool session_write_ack(struct session *s, bool sealed,
                       struct writer *w) MUST_USE;

/* Send again from the first unacknowledged record, and what is acknowledged:
 * the path changed, or the relay refused a packet. */
void session_rewind(struct session *s);
/* The relay refused a packet: go again from there after a short pause; and, if
 * it was for a full queue, with half as much in flight [P-6.6]. */
void session_refused(struct session *s, bool full, struct instant now);
/* Another path: everything goes again, and nothing is known of the way. */
void session_path_changed(struct session *s, struct instant now);
/* When acknowledgements will have stalled so long that another path, if there
 * is one, is worth a try: 4 of this path's RTTs (< 0: unknown), at least 400
 * ms. NEVER if nothing is under way. */
struct instant session_doubt_at(const struct session *s, struct span rtt);
/* When they will have stalled so long that the same path is. */
struct instant session_stall_at(const struct session *s);
/* It has stalled: rewinds, and waits twice as long the next time. */
void session_stalled(struct session *s, struct instant now);
/* When session_wants_handshake may become true by time alone. */
struct instant session_deadline(const struct session *s);

#endif
