#include "edge/shell/relay_pipe.h"

#include "edge/shell/tcp_pipe.h"

struct byte_pipe *relay_pipe_open(uv_loop_t *loop, const struct relay_way *way,
                                  const struct byte_pipe_user *user)
{
    switch (way->form) {
    case FORM_TCP:
        return tcp_pipe_open(loop, way->relay->connect_to.host,
                             edge_relay_port(way->relay, way->form), user);
    case FORM_WSS:
    case FORM_WS:
    case FORM_TCP_PROXY:
    case FORM_WSS_PROXY:
    case FORM_WS_PROXY:
    case RELAY_FORMS:
        break;
    }
    return NULL;
}
