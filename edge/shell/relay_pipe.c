#include "edge/shell/relay_pipe.h"

#include "edge/shell/curl_pipe.h"
#include "edge/shell/tcp_pipe.h"
#include "edge/shell/ws_pipe.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443, AUTHORITY_SIZE = 280 };

/* What one connection needs. */
struct dial {
    const struct edge_relay *relay;
    enum relay_form form;
    const struct proxy_url *proxy; /* NULL: none */
};

/* The name that a request and TLS have; an address where the URL has one. */
static const char *name_of(const struct edge_relay *r)
{
    return r->server_name[0] != '\0' ? r->server_name : r->url.host;
}

static struct byte_pipe *open_tcp(const struct dial *d, uv_loop_t *loop,
                                  const struct byte_pipe_user *user)
{
    return tcp_pipe_open(loop, d->relay->connect_to.host,
                         edge_relay_port(d->relay, d->form), user);
}

static struct byte_pipe *open_curl(const struct dial *d, bool tls,
                                   uv_loop_t *loop,
                                   const struct byte_pipe_user *user)
{
    const struct curl_pipe_conf conf = {.host = d->relay->connect_to.host,
                                        .port =
                                            edge_relay_port(d->relay, d->form),
                                        .tls = tls,
                                        .name = name_of(d->relay),
                                        .verify = d->relay->verify,
                                        .proxy = d->proxy};

    return curl_pipe_open(loop, &conf, user);
}

/* ---- Below a WebSocket */

static struct byte_pipe *below_wss(void *context, uv_loop_t *loop,
                                   const struct byte_pipe_user *user)
{
    return open_curl(context, true, loop, user);
}

static struct byte_pipe *below_ws(void *context, uv_loop_t *loop,
                                  const struct byte_pipe_user *user)
{
    return open_tcp(context, loop, user);
}

static struct byte_pipe *below_ws_proxy(void *context, uv_loop_t *loop,
                                        const struct byte_pipe_user *user)
{
    return open_curl(context, false, loop, user);
}

/* "HOST", "[2001:db8::1]:8443": as a browser writes it. */
static void write_authority(const struct dial *d, bool tls,
                            char text[AUTHORITY_SIZE])
{
    const char *host = name_of(d->relay);
    bool bracket = strchr(host, ':') != NULL;
    uint16_t port = edge_relay_port(d->relay, d->form);
    int size = snprintf(text, AUTHORITY_SIZE, "%s%s%s", bracket ? "[" : "",
                        host, bracket ? "]" : "");

    if (port != (tls ? HTTPS_PORT : HTTP_PORT))
        snprintf(text + size, AUTHORITY_SIZE - (size_t)size, ":%u", port);
}

static struct byte_pipe *open_ws(struct dial d, ws_pipe_below *below,
                                 uv_loop_t *loop,
                                 const struct byte_pipe_user *user)
{
    char authority[AUTHORITY_SIZE];
    const struct ws_pipe_conf conf = {.authority = authority,
                                      .host = name_of(d.relay),
                                      .below = below,
                                      .context = &d};

    write_authority(&d, below == below_wss, authority);
    return ws_pipe_open(loop, &conf, user);
}

static struct byte_pipe *open_form(const struct dial *d, uv_loop_t *loop,
                                   const struct byte_pipe_user *user)
{
    switch (d->form) {
    case FORM_TCP:
        return open_tcp(d, loop, user);
    case FORM_TCP_PROXY:
        return open_curl(d, false, loop, user);
    case FORM_WSS:
    case FORM_WSS_PROXY:
        return open_ws(*d, below_wss, loop, user);
    case FORM_WS:
        return open_ws(*d, below_ws, loop, user);
    case FORM_WS_PROXY:
        return open_ws(*d, below_ws_proxy, loop, user);
    case RELAY_FORMS:
        break;
    }
    return NULL;
}

struct byte_pipe *relay_pipe_open(uv_loop_t *loop, const struct relay_way *way,
                                  const struct byte_pipe_user *user)
{
    struct proxy_setting proxy;
    struct dial d = {.relay = way->relay, .form = way->form};

    if (!relay_form_by_proxy(way->form))
        return open_form(&d, loop, user);
    edge_relay_proxy(way->relay, way->form, &proxy);
    d.proxy = &proxy.url;
    /* A program that uses the library may have changed its environment. */
    struct byte_pipe *pipe =
        proxy.use == PROXY_WITHOUT_ONLY ? NULL : open_form(&d, loop, user);
    sodium_memzero(&proxy, sizeof proxy);
    return pipe;
}
