/*
 * relay_pipe - makes the byte_pipe for a way to a relay: the one place that
 * knows which pipe belongs to which form.
 */
#ifndef EDGE_SHELL_RELAY_PIPE_H
#define EDGE_SHELL_RELAY_PIPE_H

#include "edge/shell/byte_pipe.h"
#include "edge/shell/edge_relay.h"

#include <uv.h>

/* How to reach a relay. `relay` is borrowed for the call. */
struct relay_way {
    enum relay_form form;
    const struct edge_relay *relay;
};

/* A function of this kind begins to open the pipe; NULL: there is no pipe for
 * that form. */
typedef struct byte_pipe *relay_pipe_maker(uv_loop_t *loop,
                                           const struct relay_way *way,
                                           const struct byte_pipe_user *user);

relay_pipe_maker relay_pipe_open;

#endif
