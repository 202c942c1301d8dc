/*
 * intake - the limits of what other ends send, on the edge's loop: one timer
 * for limits.memory (common/io/unread.h), which limits the bytes that libzmq
 * may buffer for all connections of links together, and for the deadlines of
 * incoming connections (common/io/router.h).
 *
 * A caller calls intake_arm after it added a connection to `unread`, and when
 * the router's deadline may have come nearer.
 */
#ifndef EDGE_SHELL_RECEIVE_LIMITS_H
#define EDGE_SHELL_RECEIVE_LIMITS_H

#include "common/io/router.h"

#include <uv.h>

struct intake {
    struct unread unread;
    struct router *router; /* NULL: none */
    uv_timer_t timer;
    struct instant armed_for;
};

/* `memory`: the limit in bytes. The struct must not move, and must exist until
 * the loop ran after intake_close. */
void intake_open(struct intake *in, uv_loop_t *loop, size_t memory);
/* The caller has removed all connections. */
void intake_close(struct intake *in);
/* Sets the timer to the next deadline. */
void intake_arm(struct intake *in);

#endif
