/*
 * front - connections by libzmq: numbered, as carriers, and writes that never
 * wait.
 *
 * The transport is one ROUTER with CurveZMQ (common/io/router.h). Anybody may
 * connect; the hub decides by the HELLO which edge is a member.
 */
#ifndef RELAY_SHELL_FRONT_H
#define RELAY_SHELL_FRONT_H

#include "common/core/secrets.h"
#include "common/io/gate.h"
#include "common/io/zsocket.h"
#include "relay/shell/entrance_user.h"
#include "relay/shell/listener.h"

enum {
    /* Bytes that libzmq may hold for one connection: enough to keep it busy
     * until the next retry. While many connections are blocked each keeps the
     * least, which is a packet and others. */
    FRONT_CREDIT = 1024 * 1024,
    FRONT_CREDIT_LEAST = 128 * 1024,
};

struct front;

struct front_conf {
    struct gate_conf gate;
    size_t memory_unread; /* bytes that libzmq may hold from all edges, */
    size_t memory_held;   /* and for all edges that are blocked */
    uint64_t id_step; /* the connections' numbers are the multiples of this */
};

/* NULL with errno. */
struct front *front_open(struct zloop *z, void *zmq_context,
                         const struct curve_pair *keys,
                         const struct front_conf *conf,
                         const struct entrance_user *user) MUST_USE;
/* See listener_bind. */
bool front_listen(struct front *f, const char *endpoint,
                  char bound[static LISTENER_TEXT_SIZE]) MUST_USE;
void front_reconfigure(struct front *f, const struct front_conf *conf);
/* Packets that were written before leave within half a second. NULL-safe. */
void front_close(struct front **f);

/* Sends a copy. Ignores a connection that is gone or dropped. */
void front_write(struct front *f, uint64_t conn, struct bytes packet);
/* Sends a received packet, whose bytes are shared and must not change any
 * more. */
void front_forward(struct front *f, uint64_t conn, struct packet_ref *packet);
/* The connection is a member's. */
void front_prove(struct front *f, uint64_t conn);
/* Ignores the connection from now on, and ends it in a moment. */
void front_drop(struct front *f, uint64_t conn);

/* The user has freed much memory: the front soon returns it to the system. */
void front_freed(struct front *f, struct instant now);

/* To be called in each turn of the loop, and at the deadline. */
void front_turn(struct front *f, struct instant now);
struct instant front_deadline(const struct front *f);

#endif
