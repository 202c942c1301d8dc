#include "edge/shell/http_private.h"

#include "common/base/memory.h"
#include "common/conf/endpoint.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/sockaddr.h"
#include "edge/shell/http_token.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKLOG = 128,
    ACCEPTS = 16,     /* in one turn of the loop */
    GOODBYE_MS = 300, /* to send the last output after http_close */
    TICK_MS = 1000,
};

bool http_may_log(struct http *h, const char *event, const char *reason)
{
    return log_limit_passes(h->log, clock_now(), LOG_BY_STRANGERS, event,
                            reason, (struct bytes){0});
}

/* ---- The listener */

static void on_listener(uv_poll_t *poll, int status, int events);
static void on_tick(uv_timer_t *timer);

static void tick_on(struct http *h)
{
    if (!h->closing && !uv_is_active((uv_handle_t *)&h->tick))
        uv_timer_start(&h->tick, on_tick, TICK_MS, TICK_MS);
}

/* Switches polling off while the process has no descriptors left: the listener
 * would be readable all the time, and the loop would never sleep. */
static void listen_on(struct http *h, bool on)
{
    if (on == h->listening || h->closing)
        return;
    h->listening =
        on && uv_poll_start(&h->listener, UV_READABLE, on_listener) == 0;
    if (!h->listening)
        uv_poll_stop(&h->listener);
}

/* Closes the connection that has waited longest for its request or its end, so
 * that idle connections cannot lock out new ones. False: all are WebSockets. */
static bool make_place(struct http *h)
{
    struct http_conn *c = h->oldest;

    while (c && c->state == CONN_OPEN)
        c = c->next;
    if (!c)
        return false;
    if (http_may_log(h, "http_refused", "too_many_connections"))
        log_warn("http_refused", "reason=too_many_connections limit=%zu",
                 h->connections_limit);
    conn_close(c);
    return true;
}

static void take_connection(struct http *h, int fd)
{
    int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (h->connections >= h->connections_limit && !make_place(h))
        close(fd);
    else
        conn_open(h, fd);
    tick_on(h);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct http *h = poll->data;

    (void)events;
    if (status != 0 || h->closing)
        return;
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept4(h->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_connection(h, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                   errno == ENOMEM) {
            int error = errno;
            if (http_may_log(h, "http_refused", "no_sockets"))
                log_warn("http_refused", "reason=no_sockets error=\"%s\"",
                         strerror(error));
            if (!make_place(h))
                listen_on(h, false); /* Until the next tick. */
            tick_on(h);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct http *h = timer->data;
    struct instant now = clock_now();
    struct http_conn *next;

    listen_on(h, true);
    for (struct http_conn *c = h->oldest; c; c = next) {
        next = c->next;
        conn_tick(c, now);
    }
    if (h->connections == 0 && h->listening)
        uv_timer_stop(timer);
}

static bool parse_listen(const char *listen, struct address *a)
{
    struct endpoint e;
    const char *host = e.host;

    if (endpoint_parse(listen, ENDPOINT_LISTEN, &e))
        return false;
    if (strcmp(host, "*") == 0)
        host = "::";
    else if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    return address_of_ip(host, e.port, a);
}

/* 0, or a negative error number of libuv. */
static int listen_at(struct http *h, const struct address *a)
{
    struct sockaddr_storage to;
    socklen_t size = sockaddr_of_address(a, &to);
    int on = 1;

    h->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (h->fd < 0)
        return -errno;
    if (setsockopt(h->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(h->fd, (struct sockaddr *)&to, size) != 0 ||
        listen(h->fd, BACKLOG) != 0)
        return -errno;
    size = sizeof to;
    if (getsockname(h->fd, (struct sockaddr *)&to, &size) != 0)
        return -errno;
    h->gate.listen = address_of_sockaddr((struct sockaddr *)&to);
    return 0;
}

/* ---- Open and close */

static bool start(struct http *h, const char *listen,
                  char error[API_ERROR_SIZE])
{
    struct address a;
    char text[ADDRESS_TEXT_SIZE];

    if (!parse_listen(listen, &a)) {
        snprintf(error, API_ERROR_SIZE,
                 "api.http: %s: wants an address, localhost or *, and a port",
                 listen);
        return false;
    }
    int result = listen_at(h, &a);
    if (result == 0)
        result = uv_poll_init_socket(h->loop, &h->listener, h->fd);
    if (result != 0) {
        snprintf(error, API_ERROR_SIZE, "api.http: %s: %s", listen,
                 uv_strerror(result));
        if (h->fd >= 0)
            close(h->fd);
        h->fd = -1;
        return false;
    }
    h->listener.data = h;
    snprintf(h->url, sizeof h->url, "http://%s/",
             address_format(&h->gate.listen, text));
    listen_on(h, true);
    tick_on(h);
    return true;
}

/* Tells the API the URLs. If the server listens on the wildcard address, a
 * browser of this host uses 127.0.0.1. */
static void tell_api(struct http *h)
{
    char page[HTTP_URL_SIZE + HTTP_TOKEN_SIZE + 8];
    bool all = strncmp(h->url, "http://[::]:", 12) == 0 ||
               strncmp(h->url, "http://0.0.0.0:", 15) == 0;

    if (all)
        snprintf(page, sizeof page, "http://127.0.0.1:%u/?token=%s",
                 h->gate.listen.port, h->gate.token);
    else
        snprintf(page, sizeof page, "%s?token=%s", h->url, h->gate.token);
    api_tell_http(h->api, h->url, page, h->token_path);
    sodium_memzero(page, sizeof page);
}

struct http *http_open(struct api *a, const char *listen,
                       char error[API_ERROR_SIZE])
{
    struct http *h = memory_new(sizeof(*h));

    h->api = a;
    h->fd = -1;
    h->message_limit = api_line_limit(a);
    h->connections_limit = edge_pages(api_edge(a));
    h->bridges_limit = (h->connections_limit + 1) / 2;
    h->log = edge_log_limit(api_edge(a));
    h->loop = edge_loop(api_edge(a));
    h->token_path = http_token_path(api_socket(a));
    uv_timer_init(h->loop, &h->patience);
    uv_timer_init(h->loop, &h->tick);
    h->patience.data = h->tick.data = h;
    if (!http_token_load(h->token_path, h->gate.token, error) ||
        !start(h, listen, error)) {
        http_close(h);
        uv_run(h->loop, UV_RUN_NOWAIT);
        http_free(&h);
        return NULL;
    }
    tell_api(h);
    log_info("http_listening", "url=%s token_file=%s", h->url, h->token_path);
    return h;
}

const char *http_url(const struct http *h)
{
    return h->url;
}

/* Closes the remaining handles; http_free frees the rest. */
static void on_patience(uv_timer_t *timer)
{
    struct http *h = timer->data;

    uv_close((uv_handle_t *)timer, NULL);
    while (h->oldest)
        conn_close(h->oldest);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct http *h = handle->data;

    close(h->fd);
    h->fd = -1;
}

void http_close(struct http *h)
{
    struct http_conn *next;

    if (!h || h->closing)
        return;
    h->closing = true;
    if (h->fd >= 0)
        uv_close((uv_handle_t *)&h->listener, on_listener_closed);
    uv_close((uv_handle_t *)&h->tick, NULL);
    for (struct http_conn *c = h->oldest; c; c = next) {
        next = c->next;
        if (c->state == CONN_HEAD && conn_unread(c) == 0)
            conn_close(c);
    }
    uv_timer_start(&h->patience, on_patience, h->oldest ? GOODBYE_MS : 0, 0);
}

void http_free(struct http **self)
{
    struct http *h = *self;

    *self = NULL;
    if (!h)
        return;
    sodium_memzero(&h->gate, sizeof h->gate);
    free(h->token_path);
    free(h);
}
