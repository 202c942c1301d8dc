/*
 * incoming - links that other nodes opened to this one: one ROUTER for all.
 *
 * A connection becomes a link (with an even id) by its first packet; its end is
 * told once everything it had sent was handed on. A connection that is none in
 * time, or that holds too much in libzmq, is cut (see common/io/gate.h). A link
 * that was forgotten is deaf, and is cut when it did not end by itself within a
 * second.
 */
#ifndef EDGE_SHELL_INCOMING_H
#define EDGE_SHELL_INCOMING_H

#include "common/io/bell.h"
#include "edge/shell/intake.h"
#include "edge/shell/interfaces.h"
#include "edge/shell/turn.h"

struct incoming;

struct incoming_conf {
    void *zmq_context;
    const struct curve_pair *keys; /* copied */
    size_t limit;      /* links at once; packets beyond are dropped */
    size_t sockets;    /* connections at once, */
    size_t strangers;  /* and of them that sent no packet yet */
    struct span hello; /* in which a connection has to become a link */
    struct intake *intake;
    struct bell *bell; /* its ear calls incoming_write_on */
};

/* NULL with errno of libzmq. */
struct incoming *incoming_open(struct turn *turn,
                               const struct incoming_conf *conf);
void incoming_close(struct incoming **self);

/*
 * Listens on a port (0: a free one) of these interfaces' addresses (borrowed),
 * and no longer on others; NULL: on all, for good. False with errno, as
 * EADDRINUSE, if there are addresses and none can be had.
 */
bool incoming_listen(struct incoming *in, uint16_t port,
                     const struct interfaces *where) MUST_USE;
/* Links that come in from now on have smaller segments; returns how large these
 * are at the most, in bytes. For networks on which large packets vanish. */
int incoming_smaller_segments(struct incoming *in);
/* 0 as long as none was asked for and there was no address to listen on. */
uint16_t incoming_port(const struct incoming *in);

/* See link_message. Ids that are no link (any more) are ignored: its end is
 * being told. */
void incoming_write(struct incoming *in, uint32_t id, struct bytes bytes,
                    struct block *block);
/* libzmq may be able to take more of what it did not. */
void incoming_write_on(struct incoming *in);
void incoming_forget(struct incoming *in, uint32_t id);

#endif
