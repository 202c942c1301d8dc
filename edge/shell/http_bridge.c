#include "edge/shell/http_private.h"

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/io/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ROOM = 16 * 1024,
    WS_CLOSE = 8,                                   /* RFC 6455, 5.2 */
    FIRST_CODE = LWS_CLOSE_STATUS_PROTOCOL_ERR,     /* of mistakes: 1002 ... */
    LAST_CODE = LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, /* ... to 1009 */
};

/*
 * A pair of sockets: the API has one end, as if a program had connected, and
 * this the other. What one side does not take stays with the other: a page that
 * does not read fills the pair, and then it is a slow client like any; the API
 * that does not read stops the page. So a WebSocket has the API's own limits.
 */
struct http_bridge {
    struct http *http;
    struct lws *wsi;
    int fd;
    uv_poll_t poll;
    struct text in;               /* of the page, not written to the pair yet */
    size_t message_size;          /* of the message that comes in */
    uint8_t room[LWS_PRE + ROOM]; /* of the API, from `at` to `end` */
    size_t at, end;
    bool inside;  /* the last piece was not its message's end */
    bool drained; /* the pair had nothing more */
    bool parting;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void review(struct http_bridge *b)
{
    int events =
        (b->drained ? UV_READABLE : 0) | (b->in.size > 0 ? UV_WRITABLE : 0);

    if (events)
        uv_poll_start(&b->poll, events, on_poll);
    else
        uv_poll_stop(&b->poll);
}

static int wait_fd(void *context)
{
    return lws_get_socket_fd(((struct http_bridge *)context)->wsi);
}

/* As if the loop had seen that the page takes more. */
static void carry(void *context)
{
    struct http_bridge *b = context;
    struct pollfd writable = {
        .fd = wait_fd(b), .events = POLLOUT, .revents = POLLOUT};

    lws_service_fd(b->http->context, &writable);
}

struct http_bridge *http_bridge_open(struct http *h, struct lws *wsi)
{
    struct http_bridge *b = memory_new(sizeof(*b));
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   pair) != 0) {
        free(b);
        return NULL;
    }
    b->http = h;
    b->wsi = wsi;
    b->fd = pair[0];
    b->at = b->end = LWS_PRE;
    b->drained = true;
    uv_poll_init(h->loop, &b->poll, b->fd);
    b->poll.data = b;
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

/* Why it was closed here: a mistake in the frames, or a limit. */
static void tell_closed(struct http_bridge *b)
{
    const uint8_t *payload = lws_get_close_payload(b->wsi);
    int size = lws_get_close_length(b->wsi);
    int code = size < 2 ? 0 : payload[0] << 8 | payload[1];
    char why[128], quoted[160];
    unsigned more;

    if (b->parting || b->http->closing || code < FIRST_CODE || code > LAST_CODE)
        return;
    int which = (int)HTTP_REFUSED_FRAMES + code - FIRST_CODE;
    if (!http_may_tell(b->http, (enum http_refusal)which, &more))
        return;
    snprintf(why, sizeof why, "%.*s", size - 2, (const char *)payload + 2);
    log_warn("http_closed", "code=%d text=%s more=%u", code,
             log_quote(why, quoted, sizeof quoted), more);
}

void http_bridge_close(struct http_bridge *b)
{
    tell_closed(b);
    if (!b->http->closing)
        api_detach(b->http->api, b);
    b->http->bridges--;
    b->wsi = NULL;
    uv_close((uv_handle_t *)&b->poll, bridge_free);
}

void http_bridge_parting(struct http_bridge *b)
{
    b->parting = true;
}

/* -1, which has the library close it so. */
static int close_with(struct http_bridge *b, enum lws_close_status code,
                      const char *why)
{
    unsigned char reason[64];
    size_t size = strlen(why);

    memcpy(reason, why, size);
    lws_close_reason(b->wsi, code, reason, size);
    return -1;
}

/* ---- From the page to the API */

/* Nothing more is heard of the page as long as the API takes nothing. */
static void write_in(struct http_bridge *b)
{
    bool waited = b->in.size > 0;
    size_t sent = 0;

    while (sent < b->in.size) {
        ssize_t wrote =
            send(b->fd, b->in.data + sent, b->in.size - sent, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno != EAGAIN)
            sent = b->in.size; /* The API has closed: its end says so. */
        if (wrote < 0)
            break;
        sent += (size_t)wrote;
    }
    text_drop(&b->in, sent);
    if (waited)
        lws_rx_flow_control(b->wsi, b->in.size == 0);
    if (b->in.size == 0 && b->in.capacity > ROOM)
        text_close(&b->in);
    review(b);
}

/* Line ends stand between tokens only; in a JSON string they are none. */
static void add_as_line(struct text *t, const void *data, size_t size)
{
    size_t start = t->size;

    text_add(t, bytes_of(data, size));
    for (size_t i = start; i < t->size; i++)
        if (t->data[i] == '\n' || t->data[i] == '\r')
            t->data[i] = ' ';
}

int http_bridge_heard(struct http_bridge *b, const void *data, size_t size)
{
    if (lws_frame_is_binary(b->wsi))
        return close_with(b, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE,
                          "text messages only");
    b->message_size += size;
    if (b->message_size > b->http->message_limit)
        return close_with(b, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE,
                          "longer than limits.message allows");
    add_as_line(&b->in, data, size);
    if (lws_is_final_fragment(b->wsi)) {
        text_add_char(&b->in, '\n');
        b->message_size = 0;
    }
    write_in(b);
    return 0;
}

/* ---- From the API to the page */

/* False if there is nothing, or nothing more will come (`ended`). */
static bool read_out(struct http_bridge *b, bool *ended)
{
    ssize_t got = recv(b->fd, b->room + LWS_PRE, ROOM, 0);

    *ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    if (got <= 0)
        return false;
    b->at = LWS_PRE;
    b->end = LWS_PRE + (size_t)got;
    return true;
}

/* The next message, or as much of it as is here; in `room` its frame's header
 * overwrites what has been sent. */
static bool write_piece(struct http_bridge *b)
{
    uint8_t *begin = b->room + b->at;
    uint8_t *end = memchr(begin, '\n', b->end - b->at);
    size_t size = end ? (size_t)(end - begin) : b->end - b->at;
    int kind = b->inside ? LWS_WRITE_CONTINUATION : LWS_WRITE_TEXT;

    if (!end)
        kind |= LWS_WRITE_NO_FIN;
    b->at += size + (end ? 1 : 0);
    b->inside = !end;
    return lws_write(b->wsi, begin, size, (enum lws_write_protocol)kind) >= 0;
}

/* The API has nothing more to say. A close that is asked for while writing the
 * library takes for a broken connection, so the frame is written as it is. */
static int write_close(struct http_bridge *b)
{
    bool edge_ends = b->http->closing;
    const char *why = edge_ends ? "the edge ends" : "the last message says why";
    uint8_t frame[LWS_PRE + 64];
    struct writer w = writer_of(frame + LWS_PRE, 64);

    write_u8(&w, 0x80 | WS_CLOSE);
    write_u8(&w, (uint8_t)(2 + strlen(why)));
    write_u8(&w, 0x03); /* 1001: going away, 1008: a limit was met */
    write_u8(&w, edge_ends ? 0xe9 : 0xf0);
    write_bytes(&w, bytes_of_string(why));
    (void)lws_write(b->wsi, frame + LWS_PRE, writer_bytes(&w).size,
                    LWS_WRITE_HTTP);
    return -1;
}

int http_bridge_writable(struct http_bridge *b)
{
    bool ended = false;

    while (!lws_send_pipe_choked(b->wsi)) {
        if (b->at == b->end && !read_out(b, &ended))
            break;
        if (!write_piece(b))
            return -1;
    }
    if (ended)
        return write_close(b);
    b->drained = b->at == b->end;
    if (!b->drained)
        lws_callback_on_writable(b->wsi);
    review(b);
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_bridge *b = poll->data;

    if ((events & UV_WRITABLE) && status == 0)
        write_in(b);
    if ((events & UV_READABLE) || status != 0) {
        b->drained = false;
        lws_callback_on_writable(b->wsi);
    }
    review(b);
}
