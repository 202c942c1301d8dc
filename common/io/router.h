/*
 * router - the transport of connections that others open: carriers over one
 * libzmq ROUTER, whose TCP connections a gate limits.
 *
 * A connection becomes a carrier by its first packet. Its packets are known by
 * the routing id that libzmq gave it; only messages of a single frame count.
 * The end of a connection is told once all that it had sent was handed on: when
 * the socket is read dry, or after a number of readings where others keep it
 * from ever being dry. A carrier that the owner closed is deaf; the gate ends
 * its connection a moment later, so that what was written gets out.
 *
 * The user opens the socket and, when it is ready, calls router_read and
 * router_tell_ends.
 */
#ifndef COMMON_IO_ROUTER_H
#define COMMON_IO_ROUTER_H

#include "common/io/carrier.h"
#include "common/io/gate.h"
#include "common/io/monitor.h"

struct router;

/* What the user is told. Each may be NULL. */
struct router_user {
    void *context;
    /* True: enough packets for now. */
    bool (*enough)(void *context);
    /* After the router took note of it. */
    void (*heard)(void *context, const struct monitor_event *event);
    /* router_deadline may have come nearer. */
    void (*rearm)(void *context);
    /* A connection got no further: `what` is the log's event
     * (handshake_failed, connection_cut, links_full), `reason` a word; both are
     * static. */
    void (*turned_away)(void *context, const char *what,
                        const struct address *address, const char *reason);
};

struct router_conf {
    struct zsocket *socket; /* set up, not bound; outlives the router */
    struct zloop *zloop;
    void *zmq_context;
    struct carriers *carriers;
    struct gate_conf gate;
    struct unread *unread; /* outlives the router */
    uint64_t id_step;      /* the carriers' ids are the multiples of this */
    size_t limit;          /* connections that are carriers; 0: any number */
    /* Anybody may connect. The user tells by router_prove which connection is a
     * member's, and the key of each packet is compared with the carrier's. Else
     * only members know the socket's key. */
    bool strangers;
    int readings; /* before an end is told although the socket is not dry */
};

/* NULL with errno of libzmq. */
struct router *router_open(const struct router_conf *conf,
                           const struct router_user *user) MUST_USE;
/* Ends all its carriers without telling. NULL-safe. */
void router_close(struct router **self);
void router_reconfigure(struct router *r, const struct gate_conf *conf);

/* Hands on up to `most` packets. True: the socket is dry. */
bool router_read(struct router *r, size_t most);
/* Tries again to send what waits, if libzmq did not take a packet. For a user
 * that calls it whenever the socket is ready; else see carriers_retry. */
void router_retry(struct router *r);
/* Connections ended, and the owner was not told yet. */
bool router_is_ending(const struct router *r);
/* After a reading: tells the ends of connections whose packets were all handed
 * on. */
void router_tell_ends(struct router *r, bool dry);
/* The owner found that the carrier's other end is a member. */
void router_prove(struct router *r, uint64_t id);

struct instant router_deadline(const struct router *r);
void router_due(struct router *r, struct instant now);

#endif
