/*
 * entrance - all ways by which edges reach the relay, as one transport of
 * numbered connections.
 *
 *     listen.tcp    the door (door.h)
 *     listen.curve  the front (front.h): libzmq's ROUTER, if it is asked for
 *
 * The door's connections have odd numbers, and the front's have even ones.
 */
#ifndef RELAY_SHELL_ENTRANCE_H
#define RELAY_SHELL_ENTRANCE_H

#include "relay/shell/door.h"
#include "relay/shell/front.h"

struct entrance;

struct entrance_conf {
    bool has_front; /* read by entrance_open only */
    struct door_conf door;
    struct front_conf front;
};

/* NULL with errno of libzmq. */
struct entrance *entrance_open(struct zloop *z, void *zmq_context,
                               const struct curve_pair *keys,
                               const struct entrance_conf *conf,
                               const struct entrance_user *user) MUST_USE;
/* The door listens, or the front, which the settings asked for. See
 * listener_bind. */
bool entrance_listen_tcp(struct entrance *e, const char *endpoint,
                         char bound[static LISTENER_TEXT_SIZE]) MUST_USE;
bool entrance_listen_curve(struct entrance *e, const char *endpoint,
                           char bound[static LISTENER_TEXT_SIZE]) MUST_USE;
void entrance_reconfigure(struct entrance *e, const struct entrance_conf *conf);
/* See door_serve_tls. */
void entrance_serve_tls(struct entrance *e, struct tls_pair *pair);
/* See door_stopping. */
void entrance_stopping(struct entrance *e);
/* See door_close and front_close. NULL-safe. */
void entrance_close(struct entrance **self);

/* Sends a copy. Ignores a connection that is gone or dropped. */
void entrance_write(struct entrance *e, uint64_t conn, struct bytes packet);
/* Sends the packet that the user is hearing of from connection `from`; its
 * bytes must not change any more. */
void entrance_forward(struct entrance *e, uint64_t conn, uint64_t from,
                      struct packet_ref *packet);
/* The connection is a member's. */
void entrance_prove(struct entrance *e, uint64_t conn);
/* Ignores the connection from now on, and ends it in a moment. */
void entrance_drop(struct entrance *e, uint64_t conn);
/* The user has freed much memory: it soon goes back to the system. */
void entrance_freed(struct entrance *e, struct instant now);

/* To be called in each turn of the loop, and at the deadline. */
void entrance_turn(struct entrance *e, struct instant now);
struct instant entrance_deadline(const struct entrance *e);

#endif
