/*
 * inflow - the receiving end of one stream that a peer publishes [P-9].
 *
 * The inflow takes each record once and in order. It passes complete messages
 * to the sink, and so the number of messages that this node will not receive.
 * It decides when to acknowledge: soon after a pause in the stream, later
 * within a continuous stream [P-9.7]. The owner sends the acknowledgements:
 *
 *     inflow_start(...) with each START, inflow_take(...) with each packet;
 *     at inflow_deadline: inflow_acknowledge(...)
 */
#ifndef EDGE_CORE_INFLOW_H
#define EDGE_CORE_INFLOW_H

#include "common/base/instant.h"
#include "common/core/group_seal.h"
#include "common/core/inbox.h"

enum { INFLOW_KEYS = 4 };

struct inflow_key {
    uint32_t id; /* 0: none */
    bool aes;
    uint8_t key[32];
};

struct inflow_sink {
    void *owner;
    /* The view is valid for the call. */
    void (*message)(void *owner, struct bytes message);
    void (*gap)(void *owner, uint64_t missed);
};

struct inflow {
    struct group_tag tag;
    uint64_t stream;
    struct inflow_key keys[INFLOW_KEYS];
    struct aead ready; /* the key used last, ready for use */
    uint32_t ready_id; /* 0: none */
    struct inbox inbox;
    uint64_t next_message;
    uint64_t next_record;   /* where the next message begins */
    bool skipping;          /* inside a message that is too large to take */
    bool left;              /* this node left the group, and may rejoin */
    size_t unacknowledged;  /* bytes */
    size_t share;           /* that many unacknowledged bytes force an ack */
    bool missing;           /* a record came ahead of one that is missing */
    bool hurry;             /* acknowledge soon: the sender wastes packets */
    bool later;             /* continuous stream: the ack may wait longer */
    struct instant came_at; /* the last packet */
    struct instant quick_until;    /* until then no ack waits longer */
    struct instant acknowledge_at; /* NEVER: nothing to acknowledge */
    struct instant acknowledged_at;
};

struct inflow_conf {
    size_t message_limit;   /* data bytes of the largest message to take; a
                             * larger one becomes a gap of one */
    uint64_t sender_window; /* bytes that the sender stores before it blocks */
};

void inflow_init(struct inflow *in, const struct group_start *start,
                 const struct inflow_conf *conf);
/* Wipes and frees. */
void inflow_close(struct inflow *in);
/* Takes a START: keeps the key, whose cipher this node must support. If the
 * START skips messages, the sink gets the gap; a node that left the group
 * meanwhile counts only the messages since it rejoined. The first START must
 * name a record. An acknowledgement is due at once [P-9.7]. */
void inflow_start(struct inflow *in, const struct group_start *start,
                  struct instant now, const struct inflow_sink *sink);

enum inflow_verdict {
    INFLOW_TAKEN,
    INFLOW_NO_KEY,
    INFLOW_FORGED,
    INFLOW_VIOLATION, /* authentic but malformed: the stream is unusable */
};
/* Opens the packet in place and takes its records. */
enum inflow_verdict inflow_take(struct inflow *in,
                                const struct multicast_packet *m,
                                struct instant now,
                                const struct inflow_sink *sink) MUST_USE;

/* The path of packets and acknowledgements changed: an acknowledgement that is
 * owed goes soon, so that both ends learn whether the new path works. */
void inflow_path_changed(struct inflow *in, struct instant now);

struct instant inflow_deadline(const struct inflow *in);
/* The acknowledgement to send now; none is owed afterwards. */
struct group_ack inflow_acknowledge(struct inflow *in, struct instant now);

#endif
