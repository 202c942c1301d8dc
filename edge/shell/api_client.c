#include "edge/shell/api_internal.h"

#include "common/base/memory.h"
#include "common/io/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES_UNTIMED = 8 }; /* between two readings of the clock */

static void client_free(uv_handle_t *handle)
{
    struct client *c = handle->data;

    close(c->fd);
    text_close(&c->in);
    text_close(&c->todo);
    text_close(&c->out);
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

void client_unsubscribe(struct client *c)
{
    const struct client_subscription *s = &c->subscription;
    bool groups = s->on && s->groups.count + s->member_of.count > 0;

    subscription_close(&c->subscription);
    if (groups)
        groups_tell(c->api);
}

void client_close(struct client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    pending_drop(c);
    revoke_forget(c);
    netcheck_forget(c);
    slice_leave(c);
    memory_forget(c);
    unlink_client(c);
    client_unsubscribe(c);
    uv_close((uv_handle_t *)&c->poll, client_free);
}

size_t client_unread(const struct client *c)
{
    return c->out.size - c->sent;
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

/* An active idle handle keeps the loop from sleeping, so output of this turn,
 * of whichever phase, is written before the next sleep. */
struct text *client_out(struct client *c)
{
    mark_dirty(c);
    if (c->api->dirty)
        clients_awake(c->api);
    return &c->out;
}

void clients_awake(struct api *a)
{
    if (!a->closing && !uv_is_active((uv_handle_t *)&a->flusher))
        uv_idle_start(&a->flusher, flush_idle);
}

/* Writes once; false: the socket takes no more now. */
static bool write_some(struct client *c)
{
    size_t left = client_unread(c);
    ssize_t wrote = send(c->fd, c->out.data + c->sent, left, MSG_NOSIGNAL);

    /* The other side does not read any more, but its requests still count. */
    c->deaf = wrote < 0 && errno != EAGAIN && errno != EINTR;
    if (wrote < 0)
        return errno == EINTR;
    c->sent += (size_t)wrote;
    c->waited = span_us(0);
    return (size_t)wrote == left;
}

void client_flush(struct client *c)
{
    while (!c->closing && !c->deaf && client_unread(c) > 0 && write_some(c))
        ;
    if (client_unread(c) == 0 || c->deaf) {
        if (c->out.capacity > API_READ_SIZE)
            text_close(&c->out);
        text_clear(&c->out);
        c->sent = 0;
    } else if (c->sent > c->out.size / 2) {
        text_drop(&c->out, c->sent);
        c->sent = 0;
    }
}

void clients_review(struct api *a)
{
    struct client *next;

    for (struct client *c = a->clients; c; c = next) {
        next = c->next;
        client_review(c);
    }
}

void clients_flush(struct api *a)
{
    struct client *c;

    uv_idle_stop(&a->flusher);
    memory_give_back(
        a); /* Of clients that closed before this turn of the loop. */
    if (!a->closing)
        slices_run(a);
    while ((c = a->dirty)) {
        a->dirty = c->dirty_next;
        c->dirty = false;
        client_flush(c);
    }
    slow_wait(a);
    slow_cut(a);
    clients_review(a);
    if (a->waiting > 0)
        clients_awake(a);
}

/* Keeps the beginning of a line, or skips it if it is too long. */
static void keep_tail(struct client *c, struct bytes tail)
{
    if (!c->skipping && c->in.size + tail.size <= c->api->line_limit) {
        text_add(&c->in, tail);
        return;
    }
    if (!c->skipping) {
        c->skipping = true;
        c->skipped = (struct ref_scan){0};
        ref_scan_take(&c->skipped, text_bytes(&c->in));
        text_close(&c->in);
    }
    ref_scan_take(&c->skipped, tail);
}

/* The ref may be at the end of the line, so the answer waits for it. */
static void end_skipped(struct client *c)
{
    c->skipping = false;
    answer_error(c, ref_scan_found(&c->skipped), "too_large",
                 "the line is longer than limits.message allows");
}

static void take_line(struct client *c, struct bytes line)
{
    if (!c->skipping && c->in.size == 0 && line.size <= c->api->line_limit) {
        client_line(c, line);
        return;
    }
    keep_tail(c, line);
    if (c->skipping)
        end_skipped(c);
    else
        client_line(c, text_bytes(&c->in));
    if (c->in.capacity > API_READ_SIZE)
        text_close(&c->in);
    else
        text_clear(&c->in);
}

static bool may_take(const struct client *c)
{
    size_t share = memory_share(c->api);

    return !c->ended && c->pending.behind < API_BEHIND &&
           c->pending.count < API_PENDING &&
           c->pending.bytes < API_PENDING_BYTES && c->pending.bytes < share &&
           client_unread(c) < API_UNREAD && client_unread(c) < share;
}

/* Returns how many bytes it handled: less than all if the slice is over, or if
 * the client's limits are reached. */
static size_t take_input(struct client *c, struct bytes input)
{
    size_t all = input.size;

    for (unsigned lines = 0; input.size > 0 && !c->closing && may_take(c);) {
        if (lines++ % LINES_UNTIMED == LINES_UNTIMED - 1 && slice_over(c->api))
            break;
        const uint8_t *end = memchr(input.data, '\n', input.size);
        if (!end) {
            keep_tail(c, input);
            return all;
        }
        size_t length = (size_t)(end - input.data);
        take_line(c, bytes_of(input.data, length));
        input = bytes_of(end + 1, input.size - length - 1);
    }
    return all - input.size;
}

void client_run(struct client *c)
{
    slice_begin(c->api);
    c->taken += take_input(
        c, bytes_of(c->todo.data + c->taken, c->todo.size - c->taken));
    if (c->closing)
        return;
    if (c->taken == c->todo.size) {
        text_close(&c->todo);
        c->taken = 0;
    }
    client_review(c);
}

/* The last line needs no end, except from an attached client: there the line is
 * incomplete. Outstanding answers are still written. */
static void on_end(struct client *c)
{
    c->ended = true;
    if (c->skipping)
        end_skipped(c);
    else if (c->in.size > 0 && !c->attached)
        client_line(c, text_bytes(&c->in));
    text_close(&c->in);
}

static bool may_read(const struct client *c)
{
    return c->todo.size == 0 && may_take(c);
}

static void take_read(struct client *c, struct bytes input)
{
    size_t taken = take_input(c, input);

    if (taken < input.size && !c->closing && !c->ended)
        text_add(&c->todo, bytes_of(input.data + taken, input.size - taken));
    memory_count(c);
    if (c->api->held > c->api->memory)
        slow_cut(c->api);
}

/* Several reads make one batch for the node. Their number is limited, so that a
 * client that writes without end does not block the others. */
static void read_some(struct client *c)
{
    char *room = c->api->read_room;

    slice_begin(c->api);
    for (int i = 0; i < API_READS && !c->closing && may_read(c); i++) {
        ssize_t got = recv(c->fd, room, API_READ_SIZE, 0);
        if (got > 0)
            take_read(c, bytes_of(room, (size_t)got));
        else if (got == 0)
            on_end(c);
        else if (errno != EAGAIN && errno != EINTR)
            client_close(c);
        if (got < API_READ_SIZE || slice_over(c->api))
            break;
    }
}

/* Requests that it sent before are still carried out. The client is not polled
 * meanwhile, as libuv would report the hang-up again and again. */
static void on_hung_up(struct client *c)
{
    if (c->todo.size == 0)
        client_close(c);
    c->hung = true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct client *c = poll->data;

    if (status < 0) {
        client_close(c);
        return;
    }
    if (events & UV_WRITABLE)
        client_flush(c);
    if (events & UV_READABLE)
        read_some(c);
    if (!c->closing && (events & UV_PRIORITIZED) && !may_read(c))
        on_hung_up(c);
    client_review(c);
}

void client_review(struct client *c)
{
    if (c->closing)
        return;
    memory_count(c);
    if (c->ended && c->pending.count == 0 && c->netchecks == 0 &&
        client_unread(c) == 0) {
        client_close(c);
        return;
    }
    if (c->todo.size > 0 && may_take(c))
        slice_wait(c);
    c->hung = c->hung && c->todo.size > 0;
    /* Clients send no PRIORITIZED data. It is polled so that libuv always
     * reports a client that hung up. */
    int events = UV_PRIORITIZED | (may_read(c) ? UV_READABLE : 0) |
                 (client_unread(c) > 0 ? UV_WRITABLE : 0);
    if (c->hung)
        events = 0;
    if (events == c->events)
        return;
    c->events = events;
    if (events == 0)
        uv_poll_stop(&c->poll);
    else if (uv_poll_start(&c->poll, events, on_poll) != 0)
        client_close(c);
}

static void refuse(struct client *c)
{
    if (log_limit_passes(edge_log_limit(c->api->edge), edge_now(c->api->edge),
                         LOG_BY_STRANGERS, "api_refused", "too_many_clients",
                         (struct bytes){0}))
        log_warn("api_refused", "reason=too_many_clients limit=%zu",
                 c->api->client_limit);
    answer_error(c, (struct bytes){0}, "full",
                 "too many local programs are connected to the edge");
    client_flush(c);
    client_close(c);
}

void client_attach(struct api *a, int fd, const struct api_carrier *carrier)
{
    struct client *c = memory_new(sizeof(*c));

    c->api = a;
    c->fd = fd;
    c->attached = carrier != NULL;
    if (carrier)
        c->carrier = *carrier;
    if (uv_poll_init(a->loop, &c->poll, fd) != 0) {
        close(fd);
        free(c);
        return;
    }
    c->poll.data = c;
    c->next = a->clients;
    if (c->next)
        c->next->previous = c;
    a->clients = c;
    a->client_count++;
    if (a->client_count > a->client_limit)
        refuse(c);
    client_review(c);
}
