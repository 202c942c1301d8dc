#include "edge/shell/api_internal.h"

#include "common/io/clock.h"
#include "common/io/log.h"

#include <poll.h>
#include <string.h>

enum {
    WAIT_MS = 100,      /* in one turn, for all clients together */
    PATIENCE_MS = 1000, /* for one client without progress */
};

/*
 * While the edge waits, it reads nothing from its links, so it slows down the
 * senders. It stops waiting for a client that reads nothing at all: that client
 * may hang, and all others wait, too.
 */
static bool is_waited_for(const struct client *c)
{
    return c->subscription.on && client_unread(c) > API_UNREAD &&
           c->waited.us < PATIENCE_MS * 1000;
}

static size_t collect(const struct api *a, struct client **who,
                      struct pollfd *fds)
{
    size_t count = 0;

    for (struct client *c = a->clients; c && count < API_CLIENTS; c = c->next) {
        if (!is_waited_for(c))
            continue;
        who[count] = c;
        int fd = c->carrier.fd ? c->carrier.fd(c->carrier.context) : c->fd;
        fds[count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
    }
    return count;
}

/* The client reads again. */
static void go_on(struct client *c)
{
    if (c->carrier.fd)
        c->carrier.carry(c->carrier.context);
    client_flush(c);
}

void slow_wait(struct api *a)
{
    struct client *who[API_CLIENTS];
    struct pollfd fds[API_CLIENTS];
    struct instant now = clock_now();
    struct instant until = instant_after(now, span_ms(WAIT_MS));
    size_t count;

    while (!instant_reached(until, now) && (count = collect(a, who, fds)) > 0) {
        int left_ms = (int)(instant_between(now, until).us / 1000) + 1;
        if (poll(fds, count, left_ms) < 0)
            return;
        struct instant then = now;
        now = clock_now();
        for (size_t i = 0; i < count; i++) {
            who[i]->waited.us += instant_between(then, now).us;
            if (fds[i].revents != 0)
                go_on(who[i]);
        }
    }
}

/* The rest of the line that the client has begun to read, then the reason. */
static void write_last_line(struct client *c, bool slow)
{
    struct text last = {0};
    size_t unread = client_unread(c);
    const char *begin = c->out.data + c->sent;
    const char *end = unread > 0 ? memchr(begin, '\n', unread) : NULL;

    if (end)
        text_add(&last, bytes_of(begin, (size_t)(end - begin) + 1));
    text_add_string(&last, "{\"event\":\"closed\",\"reason\":\"");
    text_add_string(&last, slow ? "slow" : "memory");
    text_add_string(&last, "\",\"unread\":");
    text_add_number(&last, unread);
    text_add_string(&last, ",\"held\":");
    text_add_number(&last, c->held);
    text_add_string(&last, "}\n");
    text_close(&c->out);
    c->out = last;
    c->sent = 0;
}

static void tell_cut(struct client *c, bool slow)
{
    size_t unread = client_unread(c);

    if (!log_limit_passes(edge_log_limit(c->api->edge), edge_now(c->api->edge),
                          LOG_BY_STRANGERS,
                          slow ? "api_client_slow" : "api_client_large", NULL,
                          (struct bytes){0}))
        return;
    if (slow)
        log_warn("api_client_slow", "unread_bytes=%zu held_bytes=%zu", unread,
                 c->held);
    else
        log_warn("api_client_large", "unread_bytes=%zu held_bytes=%zu", unread,
                 c->held);
}

/* A client that lost events must know it. Its connection ends as soon as it has
 * read the reason; until then it holds no more than a line. */
static void cut_off(struct client *c)
{
    bool slow = client_unread(c) > c->held / 4;

    tell_cut(c, slow);
    c->cut = true;
    c->ended = true;
    pending_drop(c);
    client_unsubscribe(c);
    slice_leave(c);
    text_close(&c->in);
    text_close(&c->todo);
    c->taken = 0;
    write_last_line(c, slow);
    memory_forget(c);
    client_flush(c);
    client_review(c);
}

/* A client that was cut off already holds one line only, but that may be long.
 */
static void shrink(struct client *c)
{
    if (c->cut)
        client_close(c);
    else
        cut_off(c);
}

void slow_cut(struct api *a)
{
    for (;;) {
        struct client *slowest = NULL, *largest = NULL;

        for (struct client *c = a->clients; c; c = c->next) {
            memory_count(c);
            if (!largest || c->held > largest->held)
                largest = c;
            if (!c->cut &&
                (!slowest || client_unread(c) > client_unread(slowest)))
                slowest = c;
        }
        if (slowest && client_unread(slowest) > API_UNREAD_MOST)
            cut_off(slowest);
        else if (largest && a->held > a->memory)
            shrink(largest);
        else
            return;
    }
}
