/*
 * gate - the TCP connections that the listener accepted, and how long each may
 * stay.
 *
 * libzmq neither limits connections nor ends one: it takes whoever comes. The
 * gate sees each come and go by the socket's monitor, and ends those that are
 * too many, that prove nothing in time, or that the owner dropped, by shutting
 * down their descriptor; libzmq then closes it. Whoever comes to a full gate
 * takes the place of the oldest connection that has sent no packet yet.
 *
 * Handshakes are limited for each network and in all, networks that a member
 * came from first, see sources.h.
 */
#ifndef COMMON_IO_GATE_H
#define COMMON_IO_GATE_H

#include "common/base/address.h"
#include "common/io/sources.h"
#include "common/io/unread.h"

#include <stddef.h>

struct gate;

struct gate_conf {
    size_t sockets;      /* open at a time */
    size_t strangers;    /* of them without a packet yet; 0: any number */
    size_t per_address;  /* from one network (address_network) */
    uint64_t handshakes; /* begun a second; 0: any number */
    struct span hello;   /* from the accept to the first packet */
    struct span drop;    /* from gate_drop to the end: time to be told why */
    int unsent;          /* bytes that the kernel may have and not send yet */
    const char *congestion; /* control, where the kernel has it; NULL: any */
    /* What libzmq may hold of a connection, in bytes on the wire, until a
     * member holds it (gate_prove), and from then on. */
    size_t unread_stranger;
    size_t unread;
};

/* Why a connection was cut: a word for the log, which lives for ever. */
typedef void gate_cut_fn(void *context, const struct address *address,
                         const char *reason);

/* Watches its connections by `unread`, which outlives it. */
struct gate *gate_new(const struct gate_conf *conf, struct unread *unread,
                      gate_cut_fn *cut, void *context);
void gate_free(struct gate *g);
/* For those who come from now on. */
void gate_reconfigure(struct gate *g, const struct gate_conf *conf);

/* A socket that listens: from now on the kernel keeps out whom the gate would
 * have to end at once. */
void gate_listening(struct gate *g, int fd);
void gate_accepted(struct gate *g, int fd, struct instant now);
/* With errno: when the system is out of descriptors, the oldest connection
 * without a packet makes room, and for a second nobody is let in. */
void gate_accept_failed(struct gate *g, int error, struct instant now);
/* Its first packet came, at times before the news that it was accepted: `conn`
 * holds the descriptor, and has the address. False if the connection is gone
 * already. *before is the holder that was missed when it went, or 0. */
bool gate_hold(struct gate *g, int fd, uint64_t conn, struct instant now,
               struct address *address, uint64_t *before) MUST_USE;
/* Who holds it is a member: it may send more, and more are welcome from its
 * network than from others. */
void gate_prove(struct gate *g, int fd, uint64_t conn);
/* A packet of so many bytes was read. A connection of which too much is not
 * (a message in frames without end) is cut. */
void gate_read(struct gate *g, int fd, size_t size);
/* Ends the connection in a moment, so that what was written gets out. Nothing
 * happens if `conn` does not hold the descriptor any more. */
void gate_drop(struct gate *g, int fd, uint64_t conn, struct instant now);
/* It closed: answers its holder, or 0; its address in any case. */
uint64_t gate_closed(struct gate *g, int fd, struct address *address);

struct instant gate_deadline(const struct gate *g);
void gate_due(struct gate *g, struct instant now);
size_t gate_count(const struct gate *g);

#endif
