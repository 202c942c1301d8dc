/*
 * inflow - a stream that a peer publishes to a group, as it comes in [P-9].
 *
 * Records are taken in order, once; whole messages are handed over through the
 * sink, and so is the number of those that will not come. When to acknowledge
 * is decided here, soon after a rest and later in a stream that goes on
 * [P-9.7]; the sending is the owner's:
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
    struct aead ready; /* one of them, that was used last */
    uint32_t ready_id; /* 0: none */
    struct inbox inbox;
    uint64_t next_message;
    uint64_t next_record;   /* with which it begins */
    bool skipping;          /* a message that is larger than this node takes */
    bool left;              /* this node left the group, and may be back */
    size_t unacknowledged;  /* bytes */
    size_t share;           /* so many never go without a word */
    bool missing;           /* something came too early */
    bool hurry;             /* the sender is to know soon what is here */
    bool later;             /* the stream goes on: there is time */
    struct instant came_at; /* the last packet */
    struct instant quick_until;    /* so long there is none */
    struct instant acknowledge_at; /* NEVER: nothing to say */
    struct instant acknowledged_at;
};

struct inflow_conf {
    size_t message_limit;   /* the largest message's data, bytes; larger ones
                             * become a gap of one */
    uint64_t sender_window; /* bytes that it keeps, and then waits */
};

void inflow_init(struct inflow *in, const struct group_start *start,
                 const struct inflow_conf *conf);
/* Wipes and frees. */
void inflow_close(struct inflow *in);
/* START: the key is kept, and its cipher must be one that this node can do; if
 * the stream goes on further than what came, the gap is told: to who left
 * meanwhile, only what is since its return. The first START must name a record.
 * Each is answered at once with what is here [P-9.7]. */
void inflow_start(struct inflow *in, const struct group_start *start,
                  struct instant now, const struct inflow_sink *sink);

enum inflow_verdict {
    INFLOW_TAKEN,
    INFLOW_NO_KEY,
    INFLOW_FORGED,
    INFLOW_VIOLATION, /* authentic nonsense: the stream is unusable */
};
/* Opens the packet in place and takes its records. */
enum inflow_verdict inflow_take(struct inflow *in,
                                const struct multicast_packet *m,
                                struct instant now,
                                const struct inflow_sink *sink) MUST_USE;

/* The way of the packets and of the words is another: what is owed is soon
 * said, and shows whether the new one leads anywhere. */
void inflow_path_changed(struct inflow *in, struct instant now);

struct instant inflow_deadline(const struct inflow *in);
/* What to say now; nothing is owed after it. */
struct group_ack inflow_acknowledge(struct inflow *in, struct instant now);

#endif
