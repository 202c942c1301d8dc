#include "edge/shell/api_internal.h"

#include "common/base/memory.h"
#include "common/io/log.h"

#include <stdlib.h>
#include <string.h>

static void client_free(uv_handle_t *handle)
{
    struct client *c = handle->data;

    text_close(&c->in);
    text_close(&c->out);
    text_close(&c->writing);
    subscription_close(&c->subscription);
    free(c);
}

static void unlink_client(struct client *c)
{
    struct api *a = c->api;

    if (c->previous)
        c->previous->next = c->next;
    else
        a->clients = c->next;
    if (c->next)
        c->next->previous = c->previous;
    a->client_count--;
    for (struct client **d = &a->dirty; *d; d = &(*d)->dirty_next) {
        if (*d == c) {
            *d = c->dirty_next;
            break;
        }
    }
}

void client_close(struct client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    pending_drop(c);
    unlink_client(c);
    if (c->subscription.on && c->subscription.groups.count > 0) {
        c->subscription.on = false;
        groups_tell(c->api);
    }
    uv_close((uv_handle_t *)&c->pipe, client_free);
}

size_t client_unread(const struct client *c)
{
    return c->out.size + c->writing.size;
}

static void mark_dirty(struct client *c)
{
    struct api *a = c->api;

    if (c->dirty || c->closing)
        return;
    c->dirty = true;
    c->dirty_next = a->dirty;
    a->dirty = c;
}

static void flush_idle(uv_idle_t *idle)
{
    clients_flush(idle->data);
}

/* An idle handle that is active keeps the loop from sleeping, so whatever is
 * appended in this turn, in whichever phase, goes out before the next sleep. */
struct text *client_out(struct client *c)
{
    mark_dirty(c);
    if (c->api->dirty && !uv_is_active((uv_handle_t *)&c->api->flusher))
        uv_idle_start(&c->api->flusher, flush_idle);
    return &c->out;
}

static void on_written(uv_write_t *write, int status)
{
    struct client *c = write->data;

    c->write_busy = false;
    text_close(&c->writing);
    if (status < 0) {
        client_close(c);
        return;
    }
    if (c->out.size > 0)
        client_out(c);
    client_review(c);
}

/* Hands what the socket did not take at once over to libuv. */
static void write_rest(struct client *c, size_t done)
{
    struct text swap = c->writing;
    c->writing = c->out;
    c->out = swap;

    uv_buf_t buf = {c->writing.data + done, c->writing.size - done};
    c->write.data = c;
    c->write_busy = true;
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, on_written) != 0)
        client_close(c);
}

static void flush(struct client *c)
{
    if (c->write_busy || c->closing || c->out.size == 0)
        return;

    uv_buf_t buf = {c->out.data, c->out.size};
    int done = uv_try_write((uv_stream_t *)&c->pipe, &buf, 1);
    if (done == UV_EAGAIN)
        done = 0;
    if (done < 0)
        client_close(c);
    else if ((size_t)done < c->out.size)
        write_rest(c, (size_t)done);
    else if (c->out.capacity > API_UNREAD)
        text_close(&c->out);
    else
        text_clear(&c->out);
}

void clients_flush(struct api *a)
{
    uv_idle_stop(&a->flusher);
    while (a->dirty) {
        struct client *c = a->dirty;
        a->dirty = c->dirty_next;
        c->dirty = false;
        flush(c);
        client_review(c);
    }
}

/* A line that is longer than the limit is refused once; the rest is skipped. */
static void keep_tail(struct client *c, struct bytes tail)
{
    if (c->skipping)
        return;
    if (c->in.size + tail.size <= c->api->line_limit) {
        text_add(&c->in, tail);
        return;
    }
    c->skipping = true;
    text_close(&c->in);
    answer_error(c, (struct bytes){0}, "too_large",
                 "the line is longer than limits.message allows");
}

static void take_line(struct client *c, struct bytes line)
{
    if (c->skipping) {
        c->skipping = false;
        return;
    }
    if (c->in.size == 0 && line.size <= c->api->line_limit) {
        client_line(c, line);
        return;
    }
    keep_tail(c, line);
    if (!c->skipping)
        client_line(c, text_bytes(&c->in));
    c->skipping = false;
    if (c->in.capacity > API_READ_SIZE)
        text_close(&c->in);
    else
        text_clear(&c->in);
}

static void take_input(struct client *c, struct bytes input)
{
    while (input.size > 0 && !c->closing) {
        const uint8_t *end = memchr(input.data, '\n', input.size);
        if (!end) {
            keep_tail(c, input);
            return;
        }
        size_t length = (size_t)(end - input.data);
        take_line(c, bytes_of(input.data, length));
        input = bytes_of(end + 1, input.size - length - 1);
    }
}

/* The last line may lack its end. Answers that are due still go out. */
static void on_end(struct client *c)
{
    uv_read_stop((uv_stream_t *)&c->pipe);
    c->reading = false;
    c->ended = true;
    if (c->in.size > 0 && !c->skipping)
        client_line(c, text_bytes(&c->in));
    text_close(&c->in);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct client *c = stream->data;

    if (size == 0)
        return;
    if (size > 0) {
        take_input(c, bytes_of(buf->base, (size_t)size));
    } else if (size == UV_EOF) {
        on_end(c);
    } else {
        client_close(c);
    }
    client_review(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *c = handle->data;

    (void)suggested;
    *buf = uv_buf_init(c->api->read_room, API_READ_SIZE);
}

static bool may_read(const struct client *c)
{
    return !c->blocked && c->pending_count < API_PENDING &&
           c->pending_bytes < API_PENDING_BYTES &&
           client_unread(c) < API_UNREAD;
}

void client_review(struct client *c)
{
    if (c->closing)
        return;
    if (c->ended) {
        if (c->pending_count == 0 && client_unread(c) == 0)
            client_close(c);
        return;
    }
    bool reading = may_read(c);
    if (reading == c->reading)
        return;
    c->reading = reading;
    if (!reading)
        uv_read_stop((uv_stream_t *)&c->pipe);
    else if (uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) != 0)
        c->ended = true;
}

static void refuse(struct client *c)
{
    log_warn("api_refused", "reason=too_many_clients limit=%d", API_CLIENTS);
    answer_error(c, (struct bytes){0}, "busy",
                 "too many clients are connected");
    flush(c);
    client_close(c);
}

void client_accept(struct api *a)
{
    struct client *c = memory_new(sizeof(*c));

    c->api = a;
    c->blocked_end = &c->blocked;
    c->next = a->clients;
    if (c->next)
        c->next->previous = c;
    a->clients = c;
    a->client_count++;
    uv_pipe_init(a->loop, &c->pipe, 0);
    c->pipe.data = c;
    if (uv_accept((uv_stream_t *)&a->listener, (uv_stream_t *)&c->pipe) != 0)
        client_close(c);
    else if (a->client_count > API_CLIENTS)
        refuse(c);
    else
        client_review(c);
}
