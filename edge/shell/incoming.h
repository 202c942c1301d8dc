/*
 * incoming - links that other nodes opened to this one: one ROUTER for all.
 *
 * A connection becomes a link (with an even id) by its first packet; its end is
 * told once everything it had sent was handed on. libzmq has no way to end one
 * client: a link that was forgotten is deaf, and its connection is shut down
 * when it did not end by itself within a second.
 */
#ifndef EDGE_SHELL_INCOMING_H
#define EDGE_SHELL_INCOMING_H

#include "edge/shell/interfaces.h"
#include "edge/shell/turn.h"

struct incoming;

struct incoming_conf {
    void *zmq_context;
    const struct curve_pair *keys; /* copied */
    uint16_t port;                 /* 0: a free one */
    /* Where to listen; NULL: everywhere. Borrowed for the call. */
    const struct interfaces *interfaces;
    size_t limit; /* links at once; packets beyond are dropped */
};

/* NULL with errno of libzmq, as EADDRINUSE. */
struct incoming *incoming_open(struct turn *turn,
                               const struct incoming_conf *conf);
void incoming_close(struct incoming **in);
uint16_t incoming_port(const struct incoming *in);

/* Ids that are no link (any more) are ignored: its end is being told. */
void incoming_write(struct incoming *in, uint32_t id, struct bytes bytes);
void incoming_forget(struct incoming *in, uint32_t id);

#endif
