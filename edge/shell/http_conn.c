#include "edge/shell/http_private.h"

#include "common/base/memory.h"
#include "common/io/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WASTE = 256 * 1024, /* input bytes to discard in CONN_LAST, at most */
    REQUESTS = 4,       /* of one connection in one turn of the loop */
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- The list, in the order of `begun` */

static void unlink_conn(struct http_conn *c)
{
    struct http *h = c->http;

    *(c->previous ? &c->previous->next : &h->oldest) = c->next;
    *(c->next ? &c->next->previous : &h->newest) = c->previous;
    c->previous = c->next = NULL;
}

static void link_newest(struct http_conn *c)
{
    struct http *h = c->http;

    c->previous = h->newest;
    *(h->newest ? &h->newest->next : &h->oldest) = c;
    h->newest = c;
}

static void begin_wait(struct http_conn *c)
{
    c->begun = clock_now();
    unlink_conn(c);
    link_newest(c);
}

/* ---- Closing */

static void conn_free(uv_handle_t *handle)
{
    struct http_conn *c = handle->data;

    close(c->fd);
    text_close(&c->in);
    text_close(&c->out);
    free(c);
}

void conn_close(struct http_conn *c)
{
    if (c->state == CONN_GONE)
        return;
    c->state = CONN_GONE;
    if (c->bridge)
        http_bridge_close(c->bridge);
    c->bridge = NULL;
    unlink_conn(c);
    c->http->connections--;
    uv_close((uv_handle_t *)&c->poll, conn_free);
}

void conn_finish(struct http_conn *c)
{
    if (c->state == CONN_GONE || c->state == CONN_LAST)
        return;
    c->state = CONN_LAST;
    if (c->bridge)
        http_bridge_close(c->bridge);
    c->bridge = NULL;
    text_close(&c->in);
    begin_wait(c);
}

/* Closes in two steps: a close while the other side still sends would make the
 * kernel reset the connection, and the other side lose the last answer. */
static void linger(struct http_conn *c)
{
    if (c->state != CONN_LAST || conn_unread(c) > 0)
        return;
    if (!c->shut && shutdown(c->fd, SHUT_WR) != 0)
        c->ended = true;
    c->shut = true;
    if (c->ended)
        conn_close(c);
}

/* ---- Output */

size_t conn_unread(const struct http_conn *c)
{
    return c->out.size - c->sent;
}

static bool write_some(struct http_conn *c)
{
    size_t left = conn_unread(c);
    ssize_t wrote = send(c->fd, c->out.data + c->sent, left, MSG_NOSIGNAL);

    if (wrote < 0 && errno != EAGAIN && errno != EINTR)
        conn_close(c);
    if (wrote < 0)
        return errno == EINTR;
    c->sent += (size_t)wrote;
    if (c->state != CONN_OPEN)
        begin_wait(c);
    return (size_t)wrote == left;
}

void conn_flush(struct http_conn *c)
{
    while (c->state != CONN_GONE && conn_unread(c) > 0 && write_some(c))
        ;
    if (c->state == CONN_GONE || conn_unread(c) > 0)
        return;
    if (c->out.capacity > HTTP_READ_SIZE)
        text_close(&c->out);
    text_clear(&c->out);
    c->sent = 0;
    linger(c);
}

/* ---- Input */

static void hear_frames(struct http_conn *c, uint8_t *data, size_t size)
{
    c->heard = clock_now();
    c->asked = false;
    if (!http_bridge_heard(c->bridge, data, size))
        conn_finish(c);
}

/* Answers one request after the other, each after the earlier answer was sent;
 * then, after REQUESTS of them, other connections come first. */
static void take_requests(struct http_conn *c)
{
    struct http_head head;
    size_t size = 0;
    int left = REQUESTS;

    c->more = false;
    while (c->state == CONN_HEAD && c->in.size > 0 && conn_unread(c) == 0) {
        c->more = left-- == 0;
        if (c->more)
            return;
        int status = http_head_read(text_bytes(&c->in), &head, &size);
        if (status == HTTP_MORE && c->in.size < HTTP_HEAD_SIZE)
            return;
        begin_wait(c);
        if (status != 0) {
            http_answer_wrong(c, status == HTTP_MORE ? 431 : status);
            conn_finish(c);
        } else if (!http_answer(c, &head)) {
            conn_finish(c);
        } else {
            text_drop(&c->in, size);
        }
        conn_flush(c);
    }
    if (c->state == CONN_OPEN && c->in.size > 0) {
        struct text early = c->in; /* Frames that came with the request. */
        c->in = (struct text){0};
        hear_frames(c, (uint8_t *)early.data, early.size);
        text_close(&early);
    }
}

static void take_head(struct http_conn *c, const uint8_t *data, size_t size)
{
    text_add(&c->in, bytes_of(data, size));
    take_requests(c);
}

static void on_end(struct http_conn *c)
{
    c->ended = true;
    if (c->state == CONN_OPEN)
        conn_close(c);
    else
        conn_finish(c);
    linger(c);
}

static bool wants_input(const struct http_conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        return c->in.size < HTTP_HEAD_SIZE && conn_unread(c) == 0;
    case CONN_OPEN:
        return http_bridge_takes(c->bridge);
    case CONN_LAST:
        return !c->ended;
    case CONN_GONE:
        break;
    }
    return false;
}

static void read_some(struct http_conn *c)
{
    uint8_t *room = c->http->room;
    size_t most = c->state == CONN_HEAD ? HTTP_HEAD_SIZE - c->in.size
                                        : (size_t)HTTP_READ_SIZE;
    ssize_t got = recv(c->fd, room, most, 0);

    if (got < 0 && errno != EAGAIN && errno != EINTR)
        conn_close(c);
    else if (got == 0)
        on_end(c);
    else if (got > 0 && c->state == CONN_HEAD)
        take_head(c, room, (size_t)got);
    else if (got > 0 && c->state == CONN_OPEN)
        hear_frames(c, room, (size_t)got);
    else if (got > 0 && (c->wasted += (size_t)got) > WASTE)
        conn_close(c);
    if (c->state == CONN_LAST)
        conn_flush(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_conn *c = poll->data;

    if (status < 0) {
        conn_close(c);
        return;
    }
    if (events & UV_WRITABLE)
        conn_flush(c);
    if ((events & UV_WRITABLE) && c->state == CONN_OPEN && conn_unread(c) == 0)
        http_bridge_writable(c->bridge);
    if (c->state == CONN_HEAD)
        take_requests(c);
    if ((events & UV_READABLE) && wants_input(c))
        read_some(c);
    else if (events & UV_PRIORITIZED)
        conn_close(c); /* It hung up, or sends urgent data. */
    conn_review(c);
}

void conn_review(struct http_conn *c)
{
    if (c->state == CONN_GONE)
        return;
    /* UV_PRIORITIZED reports a hang-up even while input is not read. */
    int events = UV_PRIORITIZED | (wants_input(c) ? UV_READABLE : 0) |
                 (conn_unread(c) > 0 || c->more ? UV_WRITABLE : 0);
    if (events == c->events)
        return;
    c->events = events;
    if (uv_poll_start(&c->poll, events, on_poll) != 0)
        conn_close(c);
}

/* ---- Time-outs, and the beginning */

static void tick_open(struct http_conn *c, struct instant now)
{
    struct span silent = instant_between(c->heard, now);

    /* The bridge reads nothing while the API is behind: that is no silence. */
    if (!http_bridge_takes(c->bridge))
        c->heard = now;
    else if (silent.us > span_s(HTTP_LOST_S).us) {
        conn_close(c);
    } else if (silent.us > span_s(HTTP_PING_S).us && !c->asked) {
        c->asked = true;
        http_bridge_ping(c->bridge);
        conn_flush(c);
        conn_review(c);
    }
}

void conn_tick(struct http_conn *c, struct instant now)
{
    struct span waited = instant_between(c->begun, now);

    if (c->state == CONN_OPEN) {
        tick_open(c, now);
    } else if (c->state == CONN_LAST) {
        if (waited.us > span_s(HTTP_LINGER_S).us)
            conn_close(c);
    } else if (waited.us > span_s(HTTP_TIMEOUT_S).us) {
        if (conn_unread(c) > 0 || c->in.size == 0) {
            conn_close(c);
            return;
        }
        http_answer_wrong(c, 408);
        conn_finish(c);
        conn_flush(c);
        conn_review(c);
    }
}

void conn_open(struct http *h, int fd)
{
    struct http_conn *c = memory_new(sizeof(*c));

    c->http = h;
    c->fd = fd;
    if (uv_poll_init_socket(h->loop, &c->poll, fd) != 0) {
        close(fd);
        free(c);
        return;
    }
    c->poll.data = c;
    c->begun = c->heard = clock_now();
    link_newest(c);
    h->connections++;
    read_some(c);
    conn_review(c);
}
