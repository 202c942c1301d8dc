#include "edge/shell/http_private.h"

#include "common/base/memory.h"
#include "common/io/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOM = 16 * 1024,
    TURNS = 16, /* reads of ROOM bytes for one page in one turn */
};

/*
 * A bridge is a socket pair: the API has one end, as if a program had
 * connected, and the WebSocket the other. The pair gives backpressure both
 * ways: if the page does not read, the pair fills and the API treats the page
 * as a slow client; if the API does not read, the bridge stops reading from the
 * page. So a WebSocket has the API's own limits.
 */
struct http_bridge {
    struct http_conn *conn; /* NULL once it is closed */
    int fd;
    uv_poll_t poll;
    int events;
    struct websocket_reader reader;
    struct text in; /* input of the page, not written to the pair yet */
    bool inside;    /* the last frame did not end its message */
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void review(struct http_bridge *b)
{
    int events = (conn_unread(b->conn) == 0 ? UV_READABLE : 0) |
                 (b->in.size > 0 ? UV_WRITABLE : 0);

    if (events == b->events)
        return;
    b->events = events;
    if (events == 0)
        uv_poll_stop(&b->poll);
    else if (uv_poll_start(&b->poll, events, on_poll) != 0)
        conn_close(b->conn);
}

/* ---- Open and close */

static int wait_fd(void *context)
{
    return ((struct http_bridge *)context)->conn->fd;
}

/* As if the loop had reported that the page can be written to. */
static void carry(void *context)
{
    struct http_bridge *b = context;
    struct http_conn *c = b->conn;

    conn_flush(c);
    if (c->state == CONN_OPEN && conn_unread(c) == 0)
        http_bridge_writable(b);
    conn_review(c);
}

struct http_bridge *http_bridge_open(struct http_conn *c)
{
    struct http *h = c->http;
    struct http_bridge *b = memory_new(sizeof(*b));
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   pair) != 0) {
        free(b);
        return NULL;
    }
    if (uv_poll_init(h->loop, &b->poll, pair[0]) != 0) {
        close(pair[0]);
        close(pair[1]);
        free(b);
        return NULL;
    }
    b->conn = c;
    b->fd = pair[0];
    b->poll.data = b;
    websocket_reader_init(&b->reader, WEBSOCKET_TEXT, h->message_limit);
    h->bridges++;
    api_attach(
        h->api, pair[1],
        &(struct api_carrier){.context = b, .fd = wait_fd, .carry = carry});
    review(b);
    return b;
}

static void bridge_free(uv_handle_t *handle)
{
    struct http_bridge *b = handle->data;

    close(b->fd);
    text_close(&b->in);
    free(b);
}

void http_bridge_close(struct http_bridge *b)
{
    struct http *h = b->conn->http;

    if (!h->closing)
        api_detach(h->api, b);
    h->bridges--;
    b->conn = NULL;
    uv_close((uv_handle_t *)&b->poll, bridge_free);
}

/* ---- Frames */

static void add_frame(struct http_bridge *b, enum websocket_opcode opcode,
                      bool last, struct bytes payload)
{
    struct text *out = &b->conn->out;
    char *room = text_room(out, WEBSOCKET_HEAD_SIZE);

    text_wrote(out,
               websocket_head((uint8_t *)room, opcode, last, payload.size));
    text_add(out, payload);
}

static void add_close(struct http_bridge *b, int code, const char *why)
{
    uint8_t payload[WEBSOCKET_CONTROL];
    struct writer w = writer_of(payload, sizeof payload);

    write_u8(&w, (uint8_t)(code >> 8));
    write_u8(&w, (uint8_t)(code & 0xff));
    write_bytes(&w, bytes_of_string(why));
    add_frame(b, WEBSOCKET_CLOSE, true, writer_bytes(&w));
}

/* Logs why this side closes: a malformed frame, or a limit. */
static void tell_wrong(struct http_bridge *b, int code, const char *why)
{
    char reason[16];

    snprintf(reason, sizeof reason, "%d", code);
    if (http_may_log(b->conn->http, "http_closed", reason))
        log_warn("http_closed", "code=%d text=\"%s\"", code, why);
}

void http_bridge_ping(struct http_bridge *b)
{
    if (conn_unread(b->conn) == 0)
        add_frame(b, WEBSOCKET_PING, true, (struct bytes){0});
}

/* A page that sends PINGs but does not read gets no more answers. */
static void pong(struct http_bridge *b, struct bytes payload)
{
    if (conn_unread(b->conn) < ROOM)
        add_frame(b, WEBSOCKET_PONG, true, payload);
}

/* ---- From the page to the API */

bool http_bridge_takes(const struct http_bridge *b)
{
    return b->in.size == 0;
}

static void write_in(struct http_bridge *b)
{
    size_t sent = 0;

    while (sent < b->in.size) {
        ssize_t wrote =
            send(b->fd, b->in.data + sent, b->in.size - sent, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno != EAGAIN)
            sent = b->in.size; /* The API has closed; recv reports that. */
        if (wrote < 0)
            break;
        sent += (size_t)wrote;
    }
    text_drop(&b->in, sent);
}

/* The API reads lines. In JSON line ends occur only between tokens, so they can
 * become spaces. */
static void add_as_line(struct text *t, struct bytes piece, bool last)
{
    size_t start = t->size;

    text_add(t, piece);
    for (size_t i = start; i < t->size; i++)
        if (t->data[i] == '\n' || t->data[i] == '\r')
            t->data[i] = ' ';
    if (last)
        text_add_char(t, '\n');
}

/* False: a close frame was sent. */
static bool take_item(struct http_bridge *b, enum websocket_kind kind,
                      const struct websocket_item *item)
{
    switch (kind) {
    case WEBSOCKET_PIECE:
        add_as_line(&b->in, item->data, item->last);
        return true;
    case WEBSOCKET_PINGED:
        pong(b, item->data);
        return true;
    case WEBSOCKET_MORE:
    case WEBSOCKET_PONGED:
        return true;
    case WEBSOCKET_CLOSED:
        add_close(b, item->code, "");
        return false;
    case WEBSOCKET_WRONG:
        tell_wrong(b, item->code, item->why);
        add_close(b, item->code, item->why);
        return false;
    }
    return false;
}

bool http_bridge_heard(struct http_bridge *b, uint8_t *data, size_t size)
{
    struct websocket_item item = {0};
    enum websocket_kind kind = WEBSOCKET_MORE;
    uint8_t *at = data;
    bool goes_on = true;

    do {
        kind = websocket_read(&b->reader, &at, data + size, &item);
        goes_on = take_item(b, kind, &item);
    } while (goes_on && kind != WEBSOCKET_MORE);
    write_in(b); /* Also what came before a close frame. */
    if (goes_on) {
        conn_flush(b->conn);
        if (b->conn)
            review(b);
    }
    return goes_on;
}

/* ---- From the API to the page */

/* Sends each line as a message, of one frame for each part that was read. */
static void add_lines(struct http_bridge *b, struct bytes said)
{
    while (said.size > 0) {
        const uint8_t *end = memchr(said.data, '\n', said.size);
        size_t size = end ? (size_t)(end - said.data) : said.size;
        add_frame(b, b->inside ? WEBSOCKET_CONTINUATION : WEBSOCKET_TEXT,
                  end != NULL, bytes_of(said.data, size));
        b->inside = !end;
        size += end ? 1 : 0;
        said = bytes_of(said.data + size, said.size - size);
    }
}

/* The API has closed its end. */
static void end_page(struct http_bridge *b)
{
    struct http_conn *c = b->conn;

    if (c->http->closing)
        add_close(b, WEBSOCKET_GOING_AWAY, "the edge is stopping");
    else
        add_close(b, WEBSOCKET_POLICY, "the last message has the reason");
    conn_finish(c);
    conn_flush(c);
    conn_review(c);
}

void http_bridge_writable(struct http_bridge *b)
{
    struct http_conn *c = b->conn;
    uint8_t room[ROOM];

    for (int i = 0; i < TURNS && conn_unread(c) == 0; i++) {
        ssize_t got = recv(b->fd, room, sizeof room, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (got <= 0) {
            end_page(b);
            return;
        }
        add_lines(b, bytes_of(room, (size_t)got));
        conn_flush(c);
        if (c->state != CONN_OPEN)
            return;
    }
    review(b);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_bridge *b = poll->data;
    struct http_conn *c = b->conn;

    if (status != 0) {
        end_page(b);
        return;
    }
    if (events & UV_WRITABLE)
        write_in(b);
    if (events & UV_READABLE)
        http_bridge_writable(b);
    else
        review(b);
    conn_review(c);
}
