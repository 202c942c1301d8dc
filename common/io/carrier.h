/*
 * carrier - one connection that carries packets, whichever its transport.
 *
 *     owner        the node's links; the relay
 *        v         carriers_write, carriers_close
 *        ^         opened, packet, blocked, writable, closed
 *     carrier      credit, queue, retry
 *        v         send, close
 *        ^         carrier_opened, carrier_packet, carrier_ended
 *     transport    libzmq's sockets, CurveZMQ of our own, QUIC
 *
 * The transport opens and ends connections, and moves packets. It may hold a
 * limited number of bytes for each connection (the credit, see send_credit.h).
 * Further packets wait in the carrier's queue, in order. The owner hears
 * `blocked` when a first packet waits, and `writable` when the queue is empty
 * again. An owner that stops writing in between keeps the queue short.
 *
 * A transport embeds a carrier in its struct of a connection. All carriers of
 * one owner are in one table, `carriers`, by the ids that the owner uses.
 */
#ifndef COMMON_IO_CARRIER_H
#define COMMON_IO_CARRIER_H

#include "common/base/address.h"
#include "common/base/instant.h"
#include "common/base/map.h"
#include "common/io/send_credit.h"
#include "common/wire/ids.h"

struct carrier;
struct relay_tls;

/* ---- The owner ---------------------------------------------------------- */

enum carrier_end {
    CARRIER_UNREACHABLE, /* the address takes no connection */
    CARRIER_HANDSHAKE,   /* the other end did not prove its key */
    CARRIER_BROKEN,      /* an open connection ended */
    CARRIER_OVERFULL,    /* the queue was full, so a packet was lost */
    CARRIER_NAMED,       /* the carrier's `failure` says why */
};

/* What a carrier calls, on the loop's thread. A carrier is open between
 * `opened` and `closed`. For a carrier that never opened the owner hears only
 * `closed`. */
struct carrier_owner {
    void *context;
    /* The other end has proved the key in the carrier. May be NULL. */
    void (*opened)(void *context, struct carrier *c);
    /* A packet arrived. The owner may change its bytes in place, and may move
     * or share it. */
    void (*packet)(void *context, struct carrier *c, struct packet_ref *packet);
    void (*blocked)(void *context, struct carrier *c);
    void (*writable)(void *context, struct carrier *c);
    /* The last call for this carrier. None after carriers_close. */
    void (*closed)(void *context, struct carrier *c, enum carrier_end why);
};

struct carriers_conf {
    size_t credit; /* bytes that a transport may hold for one connection */
    /* Bytes that the transports may hold for all blocked connections together;
     * each keeps at least `credit_least`. 0: no limit. */
    size_t memory;
    size_t credit_least;
    size_t queue;          /* bytes that may wait in one carrier */
    struct wakeup *wakeup; /* its listener calls carriers_retry; or NULL */
};

/* All carriers of one owner. */
struct carriers {
    struct carriers_conf conf;
    struct carrier_owner owner;
    struct map by_id;
    struct carrier *first_blocked; /* the next to be retried */
    struct carrier *last_blocked;
    size_t blocked_count;
    struct instant tried_at; /* the last retry, or the first block since */
};

void carriers_init(struct carriers *all, const struct carriers_conf *conf,
                   const struct carrier_owner *owner);
/* The transports closed all their connections before. */
void carriers_close_all(struct carriers *all);
/* NULL: there is no such carrier (any more). */
struct carrier *carriers_find(const struct carriers *all, uint64_t id);
/* Sends the packet or queues it; leaves `packet` empty. Drops the packet if the
 * carrier is not open: the owner heard its end, or will hear it. */
void carriers_write(struct carriers *all, uint64_t id,
                    struct packet_ref *packet);
/* The same, for a caller that has found the carrier. */
void carrier_write(struct carrier *c, struct packet_ref *packet);
/* Closes the connection; the owner hears nothing more of it. The transport
 * decides whether packets that were written before still leave. */
void carriers_close(struct carriers *all, uint64_t id);
/* The transports may take packets again: sends what it can of the queues of up
 * to `most` blocked carriers, in turns. */
void carriers_retry(struct carriers *all, size_t most);
/* The credit of each carrier now. It shrinks while many are blocked. */
size_t carriers_credit(const struct carriers *all);

/* ---- The transport ------------------------------------------------------ */

enum carrier_sent {
    CARRIER_SENT,
    CARRIER_FULL, /* for now; a retry follows */
    CARRIER_GONE, /* for good: the carrier drops the packet, its end follows */
};

/* What a transport does for the carriers that it opened. */
struct carrier_transport {
    bool incoming; /* others open the connections */
    bool counts;   /* it limits by itself what it holds: there is no credit */
    /* SENT: the transport moved the packet away, and releases it when it needs
     * the bytes no more. FULL, GONE: the packet is unchanged. */
    enum carrier_sent (*send)(struct carrier *c, struct packet_ref *packet);
    /* Ends the connection, now or soon. May free the carrier. */
    void (*close)(struct carrier *c);
};

struct packet_queue {
    struct packet_ref *packets;
    size_t first;
    size_t count; /* includes those before `first`, which were sent */
    size_t room;
    size_t bytes; /* that were added since the queue was empty */
};

struct carrier {
    uint64_t id;
    struct curve_key key;   /* of the other end, */
    struct address address; /* once it is open */
    /* What the transport knows of TLS around it, for as long as it is open;
     * NULL: nothing. */
    const struct relay_tls *tls;
    struct carriers *all;
    const struct carrier_transport *transport;
    void *connection; /* the transport's own */
    int failure;      /* of CARRIER_NAMED: a number of the layer above */
    bool open;
    bool deaf;                  /* the owner closed it */
    bool blocked;               /* packets wait; in the list of the blocked */
    struct send_credit *credit; /* NULL: the transport counts */
    struct packet_queue queue;
    struct carrier *previous_blocked;
    struct carrier *next_blocked;
};

/* Adds a new carrier to the owner's table. No other carrier has this id. */
void carrier_init(struct carrier *c, struct carriers *all, uint64_t id,
                  const struct carrier_transport *transport, void *connection);
/* Removes the carrier from the table and drops its queue. The owner is not
 * told. */
void carrier_fini(struct carrier *c);
void carrier_opened(struct carrier *c, const struct curve_key *key,
                    const struct address *address);
/* The connection ended; its last packet was told before. The transport calls
 * carrier_fini afterwards. */
void carrier_ended(struct carrier *c, enum carrier_end why);
/* This connection may take packets again. */
void carrier_retry(struct carrier *c);

/* A packet arrived. */
static inline void carrier_packet(struct carrier *c, struct packet_ref *packet)
{
    if (c->open && !c->deaf)
        c->all->owner.packet(c->all->owner.context, c, packet);
}

#endif
