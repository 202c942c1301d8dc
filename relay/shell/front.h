/*
 * front - the relay's listening socket: connections by numbers, as carriers,
 * and writes that never wait.
 *
 * The transport is one ROUTER with CurveZMQ (common/io/router.h). Anybody may
 * connect: the hub decides by a HELLO which edge is a member.
 */
#ifndef RELAY_SHELL_FRONT_H
#define RELAY_SHELL_FRONT_H

#include "common/core/secrets.h"
#include "common/io/carrier.h"
#include "common/io/gate.h"
#include "common/io/zsocket.h"
#include "relay/shell/listener.h"

enum {
    /* What libzmq may hold of the packets for one connection: enough to keep it
     * busy until the next retry; and the least, a packet and others. */
    FRONT_CREDIT = 1024 * 1024,
    FRONT_CREDIT_LEAST = 128 * 1024,
};

struct front;

struct front_user {
    /* See carrier.h. A packet may be handed to front_forward within the call,
     * as often as the user likes. */
    struct carrier_owner owner;
    /* A connection got no further: `what` is the log's event, `reason` a word;
     * both are static. */
    void (*turned_away)(void *context, const char *what,
                        const struct address *address, const char *reason);
};

struct front_conf {
    struct gate_conf gate;
    size_t memory_unread; /* what libzmq may hold of all that edges sent, */
    size_t memory_held;   /* and of all that blocked edges are sent */
};

/* NULL with errno. */
struct front *front_open(struct zloop *z, void *zmq_context,
                         const struct curve_pair *keys,
                         const struct front_conf *conf,
                         const struct front_user *user) MUST_USE;
/* See listener_bind. */
bool front_listen(struct front *f, const char *endpoint,
                  char bound[static LISTENER_TEXT_SIZE]) MUST_USE;
void front_reconfigure(struct front *f, const struct front_conf *conf);
/* What was written leaves within half a second. NULL-safe. */
void front_close(struct front **f);

/* Sends a copy. What is written to a connection that is gone or dropped is
 * ignored. */
void front_write(struct front *f, uint64_t conn, struct bytes packet);
/* Sends a received packet, whose bytes are shared and must not change any
 * more. */
void front_forward(struct front *f, uint64_t conn, struct packet_ref *packet);
/* The connection is a member's. */
void front_prove(struct front *f, uint64_t conn);
/* Ignores the connection from now on, and ends it in a moment. */
void front_drop(struct front *f, uint64_t conn);

/* The user has freed much memory: it is to go back to the system. */
void front_freed(struct front *f, struct instant now);

/* To be called in each turn of the loop, and at the deadline. */
void front_turn(struct front *f, struct instant now);
struct instant front_deadline(const struct front *f);

#endif
