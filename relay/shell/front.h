/*
 * front - the relay's listening socket: CurveZMQ connections as numbered
 * connections with packets, and writes that never wait.
 *
 * One ROUTER for all. A connection gets its number with its first packet; it
 * is told apart by the routing id that libzmq gave it and the key that its
 * handshake proved, both looked at in each packet. Only single frames count.
 */
#ifndef RELAY_SHELL_FRONT_H
#define RELAY_SHELL_FRONT_H

#include "common/base/bytes.h"
#include "common/core/secrets.h"
#include "common/io/gate.h"
#include "common/io/zsocket.h"
#include "relay/shell/listener.h"

struct front;

/* Whoever uses the front. Each is called from within the loop. */
struct front_owner {
    void *context;
    /* A packet; the owner may change it in place, and may hand it to
     * front_forward within the call, as often as it likes. */
    void (*packet)(void *context, uint64_t conn, const struct curve_key *key,
                   const struct address *address, zmq_msg_t *packet);
    void (*closed)(void *context, uint64_t conn);
    /* What front_write had to keep is out. */
    void (*writable)(void *context, uint64_t conn);
    /* Somebody got no further: `what` is the log's event, `reason` a word; both
     * live for ever. */
    void (*turned_away)(void *context, const char *what,
                        const struct address *address, const char *reason);
};

struct front_conf {
    struct gate_conf gate;
    size_t memory_unread; /* what libzmq may hold of all that was sent to us, */
    size_t memory_held;   /* and of what we wrote */
};

/* NULL with errno. */
struct front *front_open(struct zloop *z, void *zmq_context,
                         const struct curve_pair *keys,
                         const struct front_conf *conf,
                         const struct front_owner *owner) MUST_USE;
/* See listener_bind. */
bool front_listen(struct front *f, const char *endpoint,
                  char bound[static LISTENER_TEXT_SIZE]) MUST_USE;
void front_reconfigure(struct front *f, const struct front_conf *conf);
/* What is written leaves within half a second. */
void front_close(struct front **f);

/* Writes a copy. False: the connection took no more; this and what is still
 * written to it is kept, until the owner hears `writable`. Of a connection
 * that is gone or dropped nothing is kept. */
bool front_write(struct front *f, uint64_t conn, struct bytes packet) MUST_USE;
/* The same of a received packet, whose bytes are shared: it stays as it is, to
 * be forwarded to others too, and is not to be changed any more. */
bool front_forward(struct front *f, uint64_t conn, zmq_msg_t *packet) MUST_USE;
/* Who is connected is a member. */
void front_prove(struct front *f, uint64_t conn);
/* Ignores the connection from now on, and ends it. */
void front_drop(struct front *f, uint64_t conn);

/* Its owner has freed much: it is to go back to the system. */
void front_freed(struct front *f, struct instant now);

/* To be called in each turn of the loop, and at the deadline. */
void front_turn(struct front *f, struct instant now);
struct instant front_deadline(const struct front *f);

#endif
