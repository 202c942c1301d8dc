/*
 * router - the transport of connections that others open: carriers over one
 * libzmq ROUTER, whose TCP connections a gate limits.
 *
 * The first packet of a connection makes it a carrier. The router finds the
 * carrier of a packet by the routing id that libzmq gave the connection, and
 * drops messages of several frames. The router tells the end of a connection
 * when the owner has all its packets: when the socket is dry, or after some
 * readings if other connections keep the socket from ever being dry. If the
 * owner closes a carrier, the gate ends its connection a moment later, so that
 * packets that were written before still leave.
 *
 * The user opens the socket. When the socket is ready, the user calls
 * router_read and then router_tell_ends.
 */
#ifndef COMMON_IO_ROUTER_H
#define COMMON_IO_ROUTER_H

#include "common/io/carrier.h"
#include "common/io/gate.h"
#include "common/io/monitor.h"

struct router;

/* What the router calls. Each function may be NULL. */
struct router_user {
    void *context;
    /* True: enough packets for now. */
    bool (*enough)(void *context);
    /* The monitor's event, after the router has handled it. */
    void (*heard)(void *context, const struct monitor_event *event);
    /* router_deadline may have come nearer. */
    void (*rearm)(void *context);
    /* A connection did not become a carrier, or was cut. `what` is the event
     * for the log (handshake_failed, connection_cut, links_full), `reason` a
     * word for it; both strings are static. */
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
    size_t limit;          /* of connections that are carriers; 0: no limit */
    /* True: anybody may connect. The user calls router_prove for members'
     * connections, and the router compares each packet's key with the
     * carrier's. False: only members know the socket's key. */
    bool strangers;
    int readings; /* before the router tells an end without a dry socket */
};

/* NULL with errno of libzmq. */
struct router *router_open(const struct router_conf *conf,
                           const struct router_user *user) MUST_USE;
/* Ends all its carriers; the owner is not told. NULL-safe. */
void router_close(struct router **self);
/* Changes the limits for new connections. */
void router_reconfigure(struct router *r, const struct gate_conf *conf);

/* Hands up to `most` packets to the owner. True: the socket is dry. */
bool router_read(struct router *r, size_t most);
/* Retries the blocked carriers if libzmq has refused a packet since the last
 * call. For a user that calls this whenever the socket is ready; others call
 * carriers_retry from time to time. */
void router_retry(struct router *r);
/* True: some connection has ended, and the owner does not know it yet. */
bool router_is_ending(const struct router *r);
/* To be called after router_read, with its result: tells the owner the ends of
 * connections whose packets it has. */
void router_tell_ends(struct router *r, bool dry);
/* The owner knows now that the other end of this carrier is a member. */
void router_prove(struct router *r, uint64_t id);

/* router_due is to be called at the deadline. */
struct instant router_deadline(const struct router *r);
void router_due(struct router *r, struct instant now);

#endif
