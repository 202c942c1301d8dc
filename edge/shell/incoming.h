/*
 * incoming - links that other nodes open to this one.
 *
 * The transport is a ROUTER (common/io/router.h); its links have even ids. The
 * gate cuts a connection that does not become a link in time, or of which
 * libzmq holds too much. A link that the node dropped is deaf, and is cut if it
 * did not end by itself within a second.
 */
#ifndef EDGE_SHELL_INCOMING_H
#define EDGE_SHELL_INCOMING_H

#include "edge/shell/intake.h"
#include "edge/shell/interfaces.h"
#include "edge/shell/link_table.h"

struct incoming;

struct incoming_conf {
    void *zmq_context;
    const struct curve_pair *keys; /* copied */
    struct link_table *links;      /* outlives this */
    struct intake *intake;
    size_t limit;      /* links at once; packets of others are dropped */
    size_t sockets;    /* connections at once, */
    size_t strangers;  /* and of these, the ones that sent no packet yet */
    struct span hello; /* in which a connection has to become a link */
};

/* NULL with errno of libzmq. */
struct incoming *incoming_open(const struct incoming_conf *conf);
/* Ends all its links without telling. NULL-safe. */
void incoming_close(struct incoming **self);

/*
 * Listens on a port (0: a free one) of these interfaces' addresses (borrowed),
 * and no longer on others; NULL: on all, for good. False with errno, as
 * EADDRINUSE, if there are addresses and none can be had.
 */
bool incoming_listen(struct incoming *in, uint16_t port,
                     const struct interfaces *where) MUST_USE;
/* 0 as long as none was asked for and there was no address to listen on. */
uint16_t incoming_port(const struct incoming *in);
/* Links that come in from now on have smaller TCP segments; returns their
 * largest size in bytes. For networks on which large packets vanish. */
int incoming_smaller_segments(struct incoming *in);

#endif
