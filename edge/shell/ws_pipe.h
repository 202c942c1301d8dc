/*
 * ws_pipe - a byte_pipe that is a WebSocket over another byte pipe [P-14.2].
 *
 * Once the pipe below is open, it asks for the upgrade and checks the answer;
 * then all bytes travel in binary messages. It asks for a sign of life after
 * 20 s in which it wrote nothing, and ends if nothing at all comes within 5 s
 * more [P-14.5]. Besides what the pipe below holds it keeps at most 64 KiB each
 * way, and allocates nothing for a message.
 *
 * It ends as the pipe below does, and before it is open also with
 * LINK_CAPTIVE_PORTAL or LINK_NOT_A_RELAY for the wrong answer, and
 * LINK_TIMEOUT for none within 4 s.
 */
#ifndef EDGE_SHELL_WS_PIPE_H
#define EDGE_SHELL_WS_PIPE_H

#include "edge/shell/byte_pipe.h"

#include <uv.h>

/* Makes the pipe below, which tells `user`. Never NULL. */
typedef struct byte_pipe *ws_pipe_below(void *context, uv_loop_t *loop,
                                        const struct byte_pipe_user *user);

struct ws_pipe_conf {
    /* The value of Host: "relay.example.org", "[2001:db8::1]:8443". And the
     * host in it: a redirect to it is no captive portal's. Copied. */
    const char *authority;
    const char *host;
    ws_pipe_below *below;
    void *context; /* of `below`, used only within ws_pipe_open */
    /* The times above; 0: as they are there. */
    struct span answer, silence, pong;
};

struct byte_pipe *ws_pipe_open(uv_loop_t *loop, const struct ws_pipe_conf *conf,
                               const struct byte_pipe_user *user);

#endif
