/*
 * receive_limits - limits what the other ends of links may send.
 *
 * One timer of the edge's loop serves two modules: `unread` applies
 * limits.memory to the bytes that libzmq buffers for all links together
 * (common/io/unread.h), and the router has the deadlines of incoming
 * connections (common/io/router.h).
 *
 * A caller calls receive_limits_arm after it added a connection to `unread`,
 * and when the router's deadline may have come nearer.
 */
#ifndef EDGE_SHELL_RECEIVE_LIMITS_H
#define EDGE_SHELL_RECEIVE_LIMITS_H

#include "common/io/router.h"

#include <uv.h>

struct receive_limits {
    struct unread unread;
    struct router *router; /* NULL: none */
    uv_timer_t timer;
    struct instant armed_for;
};

/* `memory`: the limit in bytes. The struct must not move, and must exist until
 * the loop ran after receive_limits_close. */
void receive_limits_open(struct receive_limits *in, uv_loop_t *loop,
                         size_t memory);
/* The caller has removed all connections. */
void receive_limits_close(struct receive_limits *in);
/* Sets the timer to the next deadline. */
void receive_limits_arm(struct receive_limits *in);

#endif
