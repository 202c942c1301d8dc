#include "edge/shell/relay_pipe.h"

#include "edge/shell/tcp_pipe.h"
#include "edge/shell/ws_pipe.h"

#include <string.h>

enum { HTTP_PORT = 80 };

static struct byte_pipe *open_tcp(uv_loop_t *loop, const struct relay_way *way,
                                  const struct byte_pipe_user *user)
{
    return tcp_pipe_open(loop, way->relay->connect_to.host,
                         edge_relay_port(way->relay, way->form), user);
}

/* ---- A WebSocket */

static struct byte_pipe *below_ws(void *context, uv_loop_t *loop,
                                  const struct byte_pipe_user *user)
{
    return open_tcp(loop, context, user);
}

/* As a browser writes it: without the port that is the scheme's own. */
static const char *authority_of(const struct relay_way *way, uint16_t usual,
                                char text[RELAY_URL_SIZE])
{
    struct relay_url url = way->relay->url;

    url.port = edge_relay_port(way->relay, way->form);
    relay_url_authority(&url, text);
    if (url.port == usual)
        *strrchr(text, ':') = '\0';
    return text;
}

static struct byte_pipe *open_ws(uv_loop_t *loop, const struct relay_way *way,
                                 const struct byte_pipe_user *user)
{
    char authority[RELAY_URL_SIZE];
    struct relay_way copy = *way;
    struct ws_pipe_conf conf = {
        .authority = authority_of(way, HTTP_PORT, authority),
        .host = way->relay->url.host,
        .below = below_ws,
        .context = &copy,
    };

    return ws_pipe_open(loop, &conf, user);
}

/* A form without a row has no pipe in this version, and is never tried. */
static relay_pipe_maker *const makers[RELAY_FORMS] = {
    [FORM_TCP] = open_tcp,
    [FORM_WS] = open_ws,
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
