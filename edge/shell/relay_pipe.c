#include "edge/shell/relay_pipe.h"

#include "edge/shell/tcp_pipe.h"

static struct byte_pipe *open_tcp(uv_loop_t *loop, const struct relay_way *way,
                                  const struct byte_pipe_user *user)
{
    return tcp_pipe_open(loop, way->relay->connect_to.host,
                         edge_relay_port(way->relay, way->form), user);
}

/* A form without a row has no pipe in this version, and is never tried. */
static relay_pipe_maker *const makers[RELAY_FORMS] = {
    [FORM_TCP] = open_tcp,
};

bool relay_pipe_has(enum relay_form form)
{
    return makers[form] != NULL;
}

struct byte_pipe *relay_pipe_open(uv_loop_t *loop, const struct relay_way *way,
                                  const struct byte_pipe_user *user)
{
    return relay_pipe_has(way->form) ? makers[way->form](loop, way, user)
                                     : NULL;
}
