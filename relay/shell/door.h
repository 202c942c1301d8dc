/*
 * door - the relay's front door: accepts TCP connections and speaks ZMTP with
 * CURVE on them by itself [P-12]; numbered connections, as carriers, and writes
 * that never wait.
 *
 * It is the transport beside front.h, without libzmq and its threads. All of it
 * runs on the relay's loop. Anybody may connect; the hub decides by the HELLO
 * which edge is a member.
 *
 *     in a turn of the loop, for each connection that can be read:
 *         read once into a buffer that all connections share
 *         decrypt each packet where it lies, and hand it to the user
 *         the user's writes are sealed from there into the receivers' queues
 *     at the end of the turn (door_turn): send each queue by one system call
 *
 * A connection keeps memory only for the beginning of a frame whose end has not
 * come, for sealed bytes that the kernel does not take yet, and for TLS.
 */
#ifndef RELAY_SHELL_DOOR_H
#define RELAY_SHELL_DOOR_H

#include "common/base/address_prefix.h"
#include "common/core/secrets.h"
#include "common/io/gate.h"
#include "common/io/zsocket.h"
#include "relay/shell/entrance_user.h"
#include "relay/shell/listener.h"
#include "relay/shell/tls_pair.h"

enum {
    /* Sealed bytes that wait for one receiver before it is blocked; fewer while
     * many are. */
    DOOR_CREDIT = 512 * 1024,
    DOOR_CREDIT_LEAST = 32 * 1024,
};

/* Load balancers that it knows, at most. */
enum { DOOR_PROXIES = 64 };

struct door;

struct door_conf {
    struct gate_conf gate;
    /* Who may name a connection's client [P-13.2, P-13.3]. */
    struct address_prefix proxies[DOOR_PROXIES];
    size_t proxy_count;
    /* From accept, or from the answer that makes a WebSocket, to the end of the
     * handshake. */
    struct span handshake;
    /* Bytes of incomplete frames, and what TLS needs, of all connections. */
    size_t memory_unread;
    size_t memory_held; /* sealed bytes for all connections that block */
    uint64_t first_id;  /* the connections' numbers start here, */
    uint64_t id_step;   /* and differ by this */
};

/* Never NULL. The numbers of `conf` stay as they are here. */
struct door *door_open(struct zloop *z, const struct curve_pair *keys,
                       const struct door_conf *conf,
                       const struct entrance_user *user);
/* `bound` is as listener_bind writes it. False with errno. */
bool door_listen(struct door *d, const char *endpoint,
                 char bound[static LISTENER_TEXT_SIZE]) MUST_USE;
void door_reconfigure(struct door *d, const struct door_conf *conf);
/* New connections that begin with TLS get this certificate; before the first
 * call they are turned away. Takes a reference. */
void door_serve_tls(struct door *d, struct tls_pair *pair);
/* From now on /healthz says so, and no WebSocket begins. */
void door_stopping(struct door *d);
/* Ends all connections; the user is not told. The loop must run once more, to
 * free their handles. NULL-safe. */
void door_close(struct door **self);

/* Seals a copy. Ignores a connection that is gone or dropped. */
void door_write(struct door *d, uint64_t conn, struct bytes packet);
/* Seals a received packet straight from where it lies. */
void door_forward(struct door *d, uint64_t conn, struct packet_ref *packet);
/* The connection is a member's. */
void door_prove(struct door *d, uint64_t conn);
/* Ignores the connection from now on, and ends it in a moment. */
void door_drop(struct door *d, uint64_t conn);

/* The user has freed much memory: it soon goes back to the system. */
void door_freed(struct door *d, struct instant now);

/* To be called in each turn of the loop, and at the deadline. */
void door_turn(struct door *d, struct instant now);
struct instant door_deadline(const struct door *d);

/* Connections that are open now, in the handshake or past it. */
size_t door_count(const struct door *d);

#endif
