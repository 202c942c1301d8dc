/*
 * intake - enforces limits.memory on the edge's loop: the bytes that libzmq may
 * buffer for all connections of links together. common/io/unread.h decides
 * which connection is cut; this module adds the timer.
 *
 * A caller that adds a connection to `unread` calls intake_arm afterwards.
 */
#ifndef EDGE_SHELL_INTAKE_H
#define EDGE_SHELL_INTAKE_H

#include "common/io/unread.h"

#include <uv.h>

struct intake {
    struct unread unread;
    uv_timer_t timer;
};

/* `memory`: the limit in bytes. The struct must not move, and must exist until
 * the loop ran after intake_close. */
void intake_open(struct intake *in, uv_loop_t *loop, size_t memory);
/* The caller has removed all connections. */
void intake_close(struct intake *in);
/* Starts the timer, if it is not running. */
void intake_arm(struct intake *in);

#endif
