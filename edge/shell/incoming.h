/*
 * incoming - links that other nodes open to this one.
 *
 * The transport is a ROUTER (common/io/router.h); its links have even ids. The
 * gate cuts a connection that does not become a link in time, and one of which
 * libzmq buffers too much. If the node drops a link, the node hears nothing
 * more of it, and the gate cuts the connection after a second.
 */
#ifndef EDGE_SHELL_INCOMING_H
#define EDGE_SHELL_INCOMING_H

#include "edge/shell/interfaces.h"
#include "edge/shell/link_table.h"
#include "edge/shell/receive_limits.h"

struct incoming;

struct incoming_conf {
    void *zmq_context;
    const struct curve_pair *keys; /* copied */
    struct link_table *links;      /* outlives this */
    struct receive_limits *limits;
    size_t limit;      /* links at once; packets of further ones are dropped */
    size_t sockets;    /* connections at once, */
    size_t strangers;  /* and how many of these may have sent no packet yet */
    struct span hello; /* the time that a connection has to become a link */
};

/* NULL with errno of libzmq. */
struct incoming *incoming_open(const struct incoming_conf *conf);
/* Ends all its links; the node is not told. NULL-safe. */
void incoming_close(struct incoming **self);

/*
 * Listens on a port (0: a free one) of these interfaces' addresses (borrowed),
 * and no longer on others; NULL: on all, for good. False with errno, as
 * EADDRINUSE, if there are addresses and none can be had.
 */
bool incoming_listen(struct incoming *in, uint16_t port,
                     const struct interfaces *where) MUST_USE;
/* 0 while the caller asked for no port and there was no address to listen on.
 */
uint16_t incoming_port(const struct incoming *in);
/* New incoming links get smaller TCP segments; returns their largest size in
 * bytes. For networks that lose large packets. */
int incoming_smaller_segments(struct incoming *in);

#endif
