#include "edge/shell/http_private.h"

#include "common/base/memory.h"
#include "common/conf/endpoint.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/sockaddr.h"
#include "edge/shell/http_token.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BACKLOG = 64,
    GOODBYE_MS = 300, /* for what was said last to leave */
    TELL_AGAIN_S = 60,
};

bool http_may_tell(struct http *h, enum http_refusal what, unsigned *more)
{
    struct http_limiter *l = &h->limiters[what];
    struct instant now = clock_now();

    if (l->told.us != 0 &&
        instant_between(l->told, now).us < span_s(TELL_AGAIN_S).us) {
        l->more++;
        return false;
    }
    *more = l->more;
    *l = (struct http_limiter){.told = now};
    return true;
}

/* ---- libwebsockets */

/* Its log is the process's, and has no room for a pointer of ours. What it
 * warns of is what clients do; the rest is for who debugs it. */
static void on_library_log(int level, const char *line)
{
    char text[256];
    char quoted[300];

    snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
    log_quote(text, quoted, sizeof quoted);
    log_debug("http_library", "level=%d text=%s", level, quoted);
}

static int on_established(struct http *h, struct lws *wsi, struct http_user *u)
{
    u->bridge = http_bridge_open(h, wsi);
    return u->bridge ? 0 : -1;
}

static void on_destroyed(struct http *h, struct http_user *u)
{
    if (!u)
        return;
    if (u->bridge)
        http_bridge_close(u->bridge);
    u->bridge = NULL;
    if (u->counted)
        h->connections--;
    u->counted = false;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
                    void *user, void *in, size_t size)
{
    struct http *h = lws_context_user(lws_get_context(wsi));
    struct http_user *u = user;

    /* It has about a hundred reasons to call, and these matter here. */
    if (reason == LWS_CALLBACK_HTTP)
        return http_answer(h, wsi, in);
    if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE)
        return http_answer_upgrade(h, wsi, in);
    if (reason == LWS_CALLBACK_ESTABLISHED)
        return on_established(h, wsi, u);
    if (reason == LWS_CALLBACK_RECEIVE)
        return http_bridge_heard(u->bridge, in, size);
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
        return http_bridge_writable(u->bridge);
    if (reason == LWS_CALLBACK_WS_PEER_INITIATED_CLOSE)
        http_bridge_parting(u->bridge);
    else if (reason == LWS_CALLBACK_CLOSED ||
             reason == LWS_CALLBACK_CLOSED_HTTP ||
             reason == LWS_CALLBACK_WSI_DESTROY)
        on_destroyed(h, u);
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "zeroservices",
     .callback = on_event,
     .per_session_data_size = sizeof(struct http_user),
     .rx_buffer_size = 16 * 1024},
    {0}};

/* A page whose host vanished is asked whether it is there, and then let go. */
static const lws_retry_bo_t idle = {.secs_since_valid_ping = 20,
                                    .secs_since_valid_hangup = 40};

static bool open_library(struct http *h)
{
    void *loops[] = {h->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8,
        .foreign_loops = loops,
        .fd_limit_per_thread = HTTP_CONNECTIONS + 16,
        .max_http_header_data2 = HTTP_HEADERS_SIZE,
        .max_http_header_pool2 = HTTP_CONNECTIONS,
        .timeout_secs = HTTP_TIMEOUT_S,
        .keepalive_timeout = HTTP_TIMEOUT_S,
        .retry_and_idle_policy = &idle,
        .gid = -1,
        .uid = -1,
        .user = h,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, on_library_log);
    h->context = lws_create_context(&info);
    h->vhost = h->context ? lws_get_vhost_by_name(h->context, "default") : NULL;
    return h->vhost != NULL;
}

/* ---- The listener */

static void free_stream(uv_handle_t *handle)
{
    free(handle);
}

static void adopt(struct http *h, int fd)
{
    struct lws *wsi = lws_adopt_socket_vhost(h->vhost, fd);
    struct http_user *u = wsi ? lws_wsi_user(wsi) : NULL;

    if (!u)
        return;
    u->counted = true;
    h->connections++;
}

static void take_connection(struct http *h, uv_tcp_t *stream)
{
    uv_os_fd_t fd;
    unsigned more;

    if (uv_fileno((uv_handle_t *)stream, &fd) != 0)
        return;
    if (h->connections >= HTTP_CONNECTIONS) {
        if (http_may_tell(h, HTTP_REFUSED_CONNECTIONS, &more))
            log_warn("http_refused",
                     "reason=too_many_connections limit=%d "
                     "more=%u",
                     HTTP_CONNECTIONS, more);
        return;
    }
    uv_tcp_nodelay(stream, 1);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own >= 0)
        adopt(h, own);
}

/* As api_client.c does it, and for the same reason. */
static void on_connection(uv_stream_t *listener, int status)
{
    struct http *h = listener->data;

    if (status != 0)
        return;
    uv_tcp_t *stream = memory_new(sizeof(*stream));
    uv_tcp_init(h->loop, stream);
    if (uv_accept(listener, (uv_stream_t *)stream) == 0 && !h->closing)
        take_connection(h, stream);
    uv_close((uv_handle_t *)stream, free_stream);
}

static bool parse_listen(const char *listen, struct address *a)
{
    struct endpoint e;
    char text[ENDPOINT_HOST_SIZE + 16];
    const char *host = e.host;

    if (endpoint_parse(listen, ENDPOINT_LISTEN, &e))
        return false;
    if (strcmp(host, "*") == 0)
        host = "::";
    else if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    snprintf(text, sizeof text, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
             e.port);
    return address_parse(text, a);
}

static int listen_at(struct http *h, const struct address *a)
{
    struct sockaddr_storage to;
    int size = sizeof to;
    int result;

    sockaddr_of_address(a, &to);
    if ((result = uv_tcp_bind(&h->listener, (struct sockaddr *)&to, 0)) == 0)
        result = uv_listen((uv_stream_t *)&h->listener, BACKLOG, on_connection);
    if (result != 0)
        return result;
    uv_tcp_getsockname(&h->listener, (struct sockaddr *)&to, &size);
    h->gate.listen = address_of_sockaddr((struct sockaddr *)&to);
    return 0;
}

/* ---- Open and close */

static void init_handles(struct http *h)
{
    uv_tcp_init(h->loop, &h->listener);
    uv_timer_init(h->loop, &h->patience);
    h->listener.data = h->patience.data = h;
}

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
    if (result != 0) {
        snprintf(error, API_ERROR_SIZE, "api.http: %s: %s", listen,
                 uv_strerror(result));
        return false;
    }
    snprintf(h->url, sizeof h->url, "http://%s/",
             address_format(&h->gate.listen, text));
    snprintf(h->cookie, sizeof h->cookie, "zs_token_%u", h->gate.listen.port);
    if (!open_library(h)) {
        snprintf(error, API_ERROR_SIZE,
                 "api.http: libwebsockets does not "
                 "start: is libwebsockets-evlib-uv "
                 "installed?");
        return false;
    }
    return true;
}

struct http *http_open(struct api *a, const char *listen,
                       char error[API_ERROR_SIZE])
{
    struct http *h = memory_new(sizeof(*h));

    h->api = a;
    h->message_limit = api_line_limit(a);
    h->loop = edge_loop(api_edge(a));
    h->token_path = http_token_path(api_socket(a));
    init_handles(h);
    if (!http_token_load(h->token_path, h->gate.token, error) ||
        !start(h, listen, error)) {
        http_close(h);
        uv_run(h->loop, UV_RUN_NOWAIT);
        http_free(&h);
        return NULL;
    }
    api_tell_http(a, h->url, h->token_path);
    log_info("http_listening", "url=%s token_file=%s", h->url, h->token_path);
    return h;
}

const char *http_url(const struct http *h)
{
    return h->url;
}

/* It closes what it has on the loop; http_free does the rest. */
static void on_patience(uv_timer_t *timer)
{
    struct http *h = timer->data;

    uv_close((uv_handle_t *)timer, NULL);
    if (h->context)
        lws_context_destroy(h->context);
}

void http_close(struct http *h)
{
    if (!h || h->closing)
        return;
    h->closing = true;
    uv_close((uv_handle_t *)&h->listener, NULL);
    uv_timer_start(&h->patience, on_patience, h->bridges ? GOODBYE_MS : 0, 0);
}

void http_free(struct http **self)
{
    struct http *h = *self;

    *self = NULL;
    if (!h)
        return;
    if (h->context)
        lws_context_destroy(h->context);
    sodium_memzero(&h->gate, sizeof h->gate);
    free(h->token_path);
    free(h);
}
