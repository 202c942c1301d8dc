/*
 * intake - the limit of what all links' connections together may hold in
 * libzmq, see common/io/unread.h, on the edge's loop.
 *
 * Whoever adds a connection to `unread` calls intake_arm afterwards.
 */
#ifndef EDGE_SHELL_INTAKE_H
#define EDGE_SHELL_INTAKE_H

#include "common/io/unread.h"

#include <uv.h>

struct intake {
    struct unread unread;
    uv_timer_t timer;
};

/* It stays where it is until the loop ran after intake_close. */
void intake_open(struct intake *in, uv_loop_t *loop, size_t memory);
/* All connections were removed. */
void intake_close(struct intake *in);
void intake_arm(struct intake *in);

#endif
