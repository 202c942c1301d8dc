/*
 * http_private - what the parts of the web server share; for http*.c only.
 *
 * http.c         the listener, libwebsockets on the edge's loop, the log
 * http_answer.c  a request: who it is, what it gets
 * http_bridge.c  a WebSocket as a client of the local API
 * http_gate.c, http_token.c, http_pages.h   as their headers say
 *
 * libwebsockets gets connections that were accepted here, and nothing else of
 * the world: it neither listens nor dials nor owns a thread.
 */
#ifndef EDGE_SHELL_HTTP_PRIVATE_H
#define EDGE_SHELL_HTTP_PRIVATE_H

#include "edge/shell/http.h"
#include "edge/shell/http_gate.h"

#include <libwebsockets.h>
#include <uv.h>

enum {
    HTTP_CONNECTIONS = 128,
    HTTP_BRIDGES = 64, /* of them WebSockets; the API has room for others */
    HTTP_HEADERS_SIZE = 8 * 1024, /* of a request, all together */
    HTTP_TIMEOUT_S = 10,          /* for a request to come in */
    HTTP_URL_SIZE = 96,
    HTTP_COOKIE_SIZE = 32,
};

/* Why something was refused or closed, each with a minute of its own. */
enum http_refusal {
    HTTP_REFUSED_VERDICT, /* and the verdicts, but for PASS */
    HTTP_REFUSED_CONNECTIONS = HTTP_REFUSED_VERDICT + HTTP_FOREIGN_ORIGIN + 1,
    HTTP_REFUSED_BRIDGES,
    HTTP_REFUSED_FRAMES, /* and seven more: closed with 1002 to 1009 */
    HTTP_REFUSALS = HTTP_REFUSED_FRAMES + 8
};

struct http_limiter {
    struct instant told; /* 0: never yet */
    unsigned more;       /* since then */
};

struct http_bridge;

struct http {
    struct api *api; /* gone once `closing` */
    size_t message_limit;
    uv_loop_t *loop;
    uv_tcp_t listener;
    uv_timer_t patience;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct http_gate gate;
    char *token_path;
    char url[HTTP_URL_SIZE];
    char cookie[HTTP_COOKIE_SIZE]; /* its name: cookies know no ports */
    size_t connections;
    size_t bridges;
    bool listening;
    bool closing;
    struct http_limiter limiters[HTTP_REFUSALS];
};

/* libwebsockets keeps one for each connection. */
struct http_user {
    struct http_bridge *bridge; /* NULL: no WebSocket */
    bool counted;
};

/* True if it may be told now; then `more` were not since the last time. */
bool http_may_tell(struct http *h, enum http_refusal what, unsigned *more);

/* http_answer.c: what a callback of libwebsockets returns for a request, and
 * for a wish to become a WebSocket: 0 lets it. */
int http_answer(struct http *h, struct lws *wsi, const char *path);
int http_answer_upgrade(struct http *h, struct lws *wsi, const char *to);

/* http_bridge.c: NULL if the system has no sockets left. */
struct http_bridge *http_bridge_open(struct http *h, struct lws *wsi);
/* The WebSocket is gone, or goes. */
void http_bridge_close(struct http_bridge *b);
/* These return what the callback returns: not 0 closes the WebSocket. */
int http_bridge_heard(struct http_bridge *b, const void *data, size_t size);
int http_bridge_writable(struct http_bridge *b);
/* The page closes it, so what follows is no mistake. */
void http_bridge_parting(struct http_bridge *b);

#endif
