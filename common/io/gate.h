/*
 * gate - limits the connections of a TCP listener: how many there are, and how
 * long each may stay without a packet.
 *
 * The owner of the sockets (libzmq, or the relay's door) accepts every
 * connection. The gate is told of each one, and cuts those that are
 * too many, that send no packet in time, or that the owner drops: it shuts down
 * the descriptor, and its owner closes it. When the gate is full, a new
 * connection takes the place of the oldest one that has sent no packet yet.
 *
 * A connection without a packet is a stranger. The owner names the connection
 * with gate_hold (its "holder" is the owner's number for it) at its first
 * packet, and tells with gate_prove that a member uses it. Handshakes are
 * limited for each network and in total; see sources.h.
 */
#ifndef COMMON_IO_GATE_H
#define COMMON_IO_GATE_H

#include "common/base/address.h"
#include "common/io/sources.h"
#include "common/io/unread.h"

#include <stddef.h>

struct gate;

struct gate_conf {
    size_t sockets;      /* connections at a time */
    size_t strangers;    /* connections without a packet yet; 0: no limit */
    size_t per_address;  /* connections from one network (address_network) */
    uint64_t handshakes; /* begun in a second; 0: no limit */
    struct span hello;   /* from accept to the first packet */
    /* From gate_drop to the cut, so that a last packet gets out. */
    struct span drop;
    int unsent; /* TCP_NOTSENT_LOWAT, bytes */
    /* The congestion control to ask the kernel for; NULL: its default. */
    const char *congestion;
    /* The most that libzmq may hold unread from a connection, in bytes on the
     * wire: before gate_prove, and after it. */
    size_t unread_stranger;
    size_t unread;
};

/* The gate cut a connection. `reason` is a word for the log, a constant. */
typedef void gate_cut_fn(void *context, const struct address *address,
                         const char *reason);

/* Watches the unread bytes of the connections with `unread`, which the caller
 * must keep longer than the gate; NULL: the owner limits them by itself. */
struct gate *gate_new(const struct gate_conf *conf, struct unread *unread,
                      gate_cut_fn *cut, void *context);
/* Frees the gate; the connections stay open. NULL is allowed. */
void gate_free(struct gate *g);
/* The new limits apply to connections accepted from now on. */
void gate_reconfigure(struct gate *g, const struct gate_conf *conf);

/* `fd` listens. From now on the kernel rejects connections that the gate would
 * have to cut at once. */
void gate_listening(struct gate *g, int fd);
/* The listener accepted a connection; the gate may cut it at once. */
void gate_accepted(struct gate *g, int fd, struct instant now);
/* The same for a connection that a load balancer passes on: no limit for an
 * address counts it, and the kernel lets in all of that address, until
 * gate_client tells whose it is. */
void gate_accepted_proxy(struct gate *g, int fd, struct instant now);
/* This is the client; now the limits for its address count, and may cut the
 * connection. Only after gate_accepted_proxy. */
void gate_client(struct gate *g, int fd, const struct address *client,
                 struct instant now);
/* accept failed with this errno. If the system is out of descriptors, the gate
 * cuts the oldest connection without a packet, and for a second the kernel
 * rejects new ones. */
void gate_accept_failed(struct gate *g, int error, struct instant now);
/* The first packet of a connection came, possibly before the monitor reported
 * the accept. `conn` (not 0) becomes the connection's holder; `*address` is its
 * other end. `*before` is the holder of an earlier connection on this
 * descriptor whose end was not reported, or 0. False if the connection is gone
 * already. */
bool gate_hold(struct gate *g, int fd, uint64_t conn, struct instant now,
               struct address *address, uint64_t *before) MUST_USE;
/* The connection may take until then for its first packet, instead of
 * conf.hello: other protocols come before. Does nothing if that packet came. */
void gate_allow(struct gate *g, int fd, struct instant until);
/* A member uses the connection: it may hold more unread bytes, and its network
 * may begin more handshakes. */
void gate_prove(struct gate *g, int fd, uint64_t conn);
/* The owner has read a packet of this size. A connection that sends more than
 * is read, such as a message of endless frames, is cut. */
void gate_read(struct gate *g, int fd, size_t size);
/* Cuts the connection after conf.drop, so that packets already written get out.
 * Does nothing unless `conn` still holds the descriptor. */
void gate_drop(struct gate *g, int fd, uint64_t conn, struct instant now);
/* The connection was closed. Returns its holder, or 0; *address is its other
 * end in both cases. */
uint64_t gate_closed(struct gate *g, int fd, struct address *address);
/* The gate has cut the connection, or does not know it. */
bool gate_is_cut(const struct gate *g, int fd);

/* When the owner must call gate_due, which cuts connections whose time is over
 * and adjusts the kernel's filter. */
struct instant gate_deadline(const struct gate *g);
void gate_due(struct gate *g, struct instant now);
size_t gate_count(const struct gate *g);

#endif
