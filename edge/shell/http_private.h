/*
 * http_private - what the parts of the web server share; for http*.c only.
 *
 * http.c         the listener, who is let go when it is crowded, the log
 * http_conn.c    a connection: requests in, answers out
 * http_answer.c  a request: who it is, what it gets
 * http_bridge.c  a WebSocket as a client of the local API
 * http_gate.c, http_token.c, http_pages.h   as their headers say
 *
 * How requests and frames are read: common/wire/http_head.h, websocket.h.
 */
#ifndef EDGE_SHELL_HTTP_PRIVATE_H
#define EDGE_SHELL_HTTP_PRIVATE_H

#include "common/base/text.h"
#include "common/wire/websocket.h"
#include "edge/shell/http.h"
#include "edge/shell/http_gate.h"

#include <uv.h>

enum {
    HTTP_TIMEOUT_S = 10, /* for a request to come, an answer to be taken */
    HTTP_LINGER_S = 2,   /* for what is said last to be read */
    HTTP_PING_S = 20,    /* a WebSocket that is silent is asked, ... */
    HTTP_LOST_S = 40,    /* ... and let go */
    HTTP_URL_SIZE = 96,
    HTTP_READ_SIZE = 16 * 1024,
};

/* Why something was refused or closed, each with a minute of its own. */
enum http_refusal {
    HTTP_REFUSED_VERDICT, /* and the verdicts, but for PASS */
    HTTP_REFUSED_HEAD = HTTP_REFUSED_VERDICT + HTTP_FOREIGN_ORIGIN + 1,
    HTTP_REFUSED_CONNECTIONS,
    HTTP_REFUSED_BRIDGES,
    HTTP_REFUSED_SOCKETS,
    HTTP_REFUSED_FRAMES, /* and seven more: closed with 1002 to 1009 */
    HTTP_REFUSALS = HTTP_REFUSED_FRAMES + 8
};

struct http_limiter {
    struct instant told; /* 0: never yet */
    unsigned more;       /* since then */
};

struct http_bridge;

enum conn_state {
    CONN_HEAD, /* a request is waited for */
    CONN_OPEN, /* a WebSocket */
    CONN_LAST, /* what is queued goes out; what comes in is thrown away */
    CONN_GONE, /* freed once libuv is done with it */
};

struct http_conn {
    struct http *http;
    struct http_conn *previous, *next; /* in the order of `begun` */
    enum conn_state state;
    int fd;
    uv_poll_t poll;
    int events;           /* that are polled for */
    bool ended;           /* the other side says no more */
    bool shut;            /* and neither do we */
    bool asked;           /* by a PING since it was heard */
    bool more;            /* requests are here, and wait for their turn */
    size_t wasted;        /* bytes that were thrown away */
    struct instant begun; /* of the wait for a request, or for the rest */
    struct instant heard;
    struct text in; /* of a request that is not whole */
    struct text out;
    size_t sent; /* of `out` */
    struct http_bridge *bridge;
};

struct http {
    struct api *api; /* gone once `closing` */
    size_t message_limit;
    uv_loop_t *loop;
    int fd; /* listens; -1: not yet, or no more */
    uv_poll_t listener;
    uv_timer_t patience;
    uv_timer_t tick;
    bool listening; /* polled; it rests while there are no descriptors */
    bool closing;
    struct http_gate gate;
    char *token_path;
    char url[HTTP_URL_SIZE];
    struct http_conn *oldest, *newest;
    size_t connections;
    size_t connections_limit;
    size_t bridges;       /* those that are WebSockets, */
    size_t bridges_limit; /* so that the API has room for others */
    struct http_limiter limiters[HTTP_REFUSALS];
    uint8_t room[HTTP_READ_SIZE];
};

/* True if it may be told now; then `more` were not since the last time. */
bool http_may_tell(struct http *h, enum http_refusal what, unsigned *more);

/* http_conn.c: takes the socket over; closes it if that fails. */
void conn_open(struct http *h, int fd);
void conn_close(struct http_conn *c);
size_t conn_unread(const struct http_conn *c);
/* Writes what the socket takes; may close it. */
void conn_flush(struct http_conn *c);
/* It ends once all is written and the other side has seen it. */
void conn_finish(struct http_conn *c);
/* What it is polled for. To be called when something of it changed. */
void conn_review(struct http_conn *c);
/* Lets go who has had its time. */
void conn_tick(struct http_conn *c, struct instant now);

/* http_answer.c: writes what the request gets; false if the connection is to
 * end with it. A WebSocket has its bridge then. */
bool http_answer(struct http_conn *c, const struct http_head *head);
/* That it cannot be read, or came too late. */
void http_answer_wrong(struct http_conn *c, int status);

/* http_bridge.c: NULL if the system has no sockets left. */
struct http_bridge *http_bridge_open(struct http_conn *c);
/* The WebSocket is gone, or goes. */
void http_bridge_close(struct http_bridge *b);
/* Bytes of the page. False: the last has been said to it. */
bool http_bridge_heard(struct http_bridge *b, uint8_t *data, size_t size);
/* False as long as the API does not take what it said. */
bool http_bridge_takes(const struct http_bridge *b);
/* The page has taken all: more is written. */
void http_bridge_writable(struct http_bridge *b);
void http_bridge_ping(struct http_bridge *b);

#endif
