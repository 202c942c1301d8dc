/*
 * carrier - one connection that carries packets, whichever its transport.
 *
 *     owner:      the node's links, the relay
 *        | carriers_write, carriers_close         ^ opened, packet, blocked,
 *        v                                        | writable, closed
 *     carrier:    credit, queue, retry
 *        | send, close                            ^ carrier_opened,
 *        v                                        | carrier_packet,
 * carrier_ended transport:  a libzmq ROUTER or DEALER (UDP, WebSocket and TLS
 * to come)
 *
 * The transport opens and ends connections, and moves packets. It may hold so
 * many bytes of what a connection is sent (the credit, see send_credit.h).
 * Further packets wait in the carrier's queue, in order. The owner hears
 * `blocked` when the first packet waits, and `writable` when none does any
 * more; an owner that stops writing in between keeps the queue short.
 *
 * A transport embeds a carrier in its struct of a connection. All carriers of
 * one owner stand in one table, `carriers`, by ids that the owner knows them
 * by.
 */
#ifndef COMMON_IO_CARRIER_H
#define COMMON_IO_CARRIER_H

#include "common/base/address.h"
#include "common/base/instant.h"
#include "common/base/map.h"
#include "common/io/send_credit.h"
#include "common/wire/ids.h"

struct carrier;

/* ---- The owner ---------------------------------------------------------- */

enum carrier_end {
    CARRIER_NAMELESS,    /* the host's name has no address */
    CARRIER_UNREACHABLE, /* no address takes the connection */
    CARRIER_HANDSHAKE,   /* the other end did not prove its key */
    CARRIER_BROKEN,      /* an open connection ended */
    CARRIER_OVERFULL,    /* its queue was full: packets would be lost */
};

/* What an owner is told, within the loop. A carrier is open between `opened`
 * and `closed`; one that never opened is only told `closed`. */
struct carrier_owner {
    void *context;
    /* The other end has proved the key in the carrier. May be NULL. */
    void (*opened)(void *context, struct carrier *c);
    /* A packet arrived. The owner may change its bytes in place, and may move
     * or share it. */
    void (*packet)(void *context, struct carrier *c, struct packet_ref *packet);
    void (*blocked)(void *context, struct carrier *c);
    void (*writable)(void *context, struct carrier *c);
    /* Nothing follows. Not told after carriers_close. */
    void (*closed)(void *context, struct carrier *c, enum carrier_end why);
};

struct carriers_conf {
    size_t credit; /* bytes that a transport may hold of one connection's */
    /* Bytes that the transports may hold of all blocked connections together,
     * each of which keeps at least `credit_least`. 0: no limit. */
    size_t memory;
    size_t credit_least;
    size_t queue;      /* bytes that may wait in one carrier */
    struct bell *bell; /* whose listener calls carriers_retry; or NULL */
};

/* All carriers of one owner. */
struct carriers {
    struct carriers_conf conf;
    struct carrier_owner owner;
    struct map by_id;
    struct carrier *first_blocked; /* the one retried longest ago */
    struct carrier *last_blocked;
    size_t blocked_count;
    struct instant tried_at; /* the blocked ones, last */
};

void carriers_init(struct carriers *all, const struct carriers_conf *conf,
                   const struct carrier_owner *owner);
/* The transports closed all their connections before. */
void carriers_close_all(struct carriers *all);
/* NULL: there is no such carrier (any more). */
struct carrier *carriers_find(const struct carriers *all, uint64_t id);
/* Sends the packet, or lets it wait; leaves it empty. A carrier that is not
 * open is ignored: its end was or will be told. */
void carriers_write(struct carriers *all, uint64_t id,
                    struct packet_ref *packet);
/* Closes the connection; the owner hears no more of it. Whether packets that
 * were written before still leave is the transport's. */
void carriers_close(struct carriers *all, uint64_t id);
/* The transports may take packets again: tries to send what waits, of `most`
 * blocked carriers at the most, in turns. */
void carriers_retry(struct carriers *all, size_t most);
/* The credit of each carrier now: the more are blocked, the less. */
size_t carriers_credit(const struct carriers *all);

/* ---- The transport ------------------------------------------------------ */

enum carrier_sent {
    CARRIER_SENT,
    CARRIER_FULL, /* for now; the transport calls carrier_retry later */
    CARRIER_GONE, /* for good: the packet is dropped, the end will be told */
};

/* What a transport does for the carriers that it opened. */
struct carrier_transport {
    bool incoming; /* others open the connections */
    /* SENT: the packet was moved away. It is released when the transport needs
     * its bytes no more. Else the packet stays as it is. */
    enum carrier_sent (*send)(struct carrier *c, struct packet_ref *packet);
    /* Ends the connection, now or soon. May free the carrier. */
    void (*close)(struct carrier *c);
};

struct packet_queue {
    struct packet_ref *packets;
    size_t first;
    size_t count; /* with those before `first`, which were sent */
    size_t room;
    size_t bytes; /* taken since the queue was empty */
};

struct carrier {
    uint64_t id;
    struct curve_key key;   /* of the other end, */
    struct address address; /* once it is open */
    struct carriers *all;
    const struct carrier_transport *transport;
    void *connection; /* the transport's own */
    bool open;
    bool deaf;    /* the owner closed it */
    bool blocked; /* in the list of those; packets wait */
    struct send_credit *credit;
    struct packet_queue queue;
    struct carrier *previous_blocked;
    struct carrier *next_blocked;
};

/* Puts a new carrier into the owner's table; `id` is free. */
void carrier_init(struct carrier *c, struct carriers *all, uint64_t id,
                  const struct carrier_transport *transport, void *connection);
/* Takes it out and drops what waits. The owner is not told. */
void carrier_fini(struct carrier *c);
void carrier_opened(struct carrier *c, const struct curve_key *key,
                    const struct address *address);
/* The end of the connection, told after its last packet. carrier_fini
 * follows. */
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
