/*
 * http_private - the structs of the web server; for http*.c only.
 *
 * http.c         the listener, the limit of connections, the log
 * http_conn.c    one connection: reads requests, writes answers
 * http_answer.c  one request: checks it, makes the answer
 * http_bridge.c  one WebSocket as a client of the local API
 * http_gate.c, http_token.c, http_pages.h   as their headers say
 *
 * common/wire/http_head.h and websocket.h parse requests and frames.
 */
#ifndef EDGE_SHELL_HTTP_PRIVATE_H
#define EDGE_SHELL_HTTP_PRIVATE_H

#include "common/base/text.h"
#include "common/wire/websocket.h"
#include "edge/shell/http.h"
#include "edge/shell/http_gate.h"

#include <uv.h>

enum {
    HTTP_TIMEOUT_S = 10, /* to receive a request, and to send an answer */
    HTTP_LINGER_S = 2,   /* for the other side to read the last answer */
    HTTP_PING_S = 20,    /* a silent WebSocket gets a PING, ... */
    HTTP_LOST_S = 40,    /* ... and is closed */
    HTTP_URL_SIZE = 96,
    HTTP_READ_SIZE = 16 * 1024,
};

struct http_bridge;

enum conn_state {
    CONN_HEAD, /* waits for a request */
    CONN_OPEN, /* is a WebSocket */
    CONN_LAST, /* sends the queued output, discards all input */
    CONN_GONE, /* is closed; freed when libuv has closed the handle */
};

struct http_conn {
    struct http *http;
    struct http_conn *previous, *next; /* in the order of `begun` */
    enum conn_state state;
    int fd;
    uv_poll_t poll;
    int events;           /* polled for */
    bool ended;           /* the other side has closed its sending half */
    bool shut;            /* this side has, too */
    bool asked;           /* a PING is sent and not answered */
    bool more;            /* `in` has requests for the loop's next turn */
    size_t wasted;        /* input bytes discarded */
    struct instant begun; /* of the current wait, see HTTP_TIMEOUT_S */
    struct instant heard; /* last input of a WebSocket */
    struct text in;       /* a request that is not complete */
    struct text out;
    size_t sent; /* bytes of `out` that are sent */
    struct http_bridge *bridge;
};

struct http {
    struct api *api; /* may be freed once `closing` */
    size_t message_limit;
    uv_loop_t *loop;
    int fd; /* the listening socket, or -1 */
    uv_poll_t listener;
    uv_timer_t patience; /* after http_close: closes all at its end */
    uv_timer_t tick;     /* time-outs of connections */
    bool listening;      /* polls `fd`; not while descriptors are short */
    bool closing;
    struct http_gate gate;
    char *token_path;
    char url[HTTP_URL_SIZE];
    struct http_conn *oldest, *newest;
    size_t connections;
    size_t connections_limit;
    size_t bridges;        /* connections that are WebSockets */
    size_t bridges_limit;  /* lower, so that pages can still be loaded */
    struct log_limit *log; /* the edge's */
    uint8_t room[HTTP_READ_SIZE];
};

/* Whether the event may be logged now: each reason once a minute. */
bool http_may_log(struct http *h, const char *event,
                  const char *reason) MUST_USE;

/* http_conn.c: takes ownership of the socket. */
void conn_open(struct http *h, int fd);
void conn_close(struct http_conn *c);
/* Bytes of output that are not sent yet. */
size_t conn_unread(const struct http_conn *c);
/* Sends as much output as the socket takes; may close the connection. */
void conn_flush(struct http_conn *c);
/* Closes the connection once the output is sent and the other side has closed,
 * too. */
void conn_finish(struct http_conn *c);
/* Sets the events to poll for, after any change of the connection. */
void conn_review(struct http_conn *c);
/* Closes the connection if one of its time-outs has passed. */
void conn_tick(struct http_conn *c, struct instant now);

/* http_answer.c: writes the answer to a request. False: close the connection
 * after it. An answer that accepts a WebSocket opens its bridge. */
bool http_answer(struct http_conn *c, const struct http_head *head);
/* Answers a request that is malformed, or not complete in time. */
void http_answer_wrong(struct http_conn *c, int status);

/* http_bridge.c: NULL if the system has no sockets left. */
struct http_bridge *http_bridge_open(struct http_conn *c);
/* The WebSocket is closed or about to be. */
void http_bridge_close(struct http_bridge *b);
/* Takes input of the page. False: a close frame ends the output. */
bool http_bridge_heard(struct http_bridge *b, uint8_t *data, size_t size);
/* False while the API has not read the page's earlier input. */
bool http_bridge_takes(const struct http_bridge *b);
/* All output to the page is sent: fetches more from the API. */
void http_bridge_writable(struct http_bridge *b);
void http_bridge_ping(struct http_bridge *b);

#endif
