#include "edge/shell/tcp_pipe.h"

#include "common/base/memory.h"
#include "common/io/sockaddr.h"
#include "common/io/tcp_options.h"
#include "edge/shell/host_lookup.h"
#include "edge/shell/link_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    NEXT_MS = 250, /* "Connection Attempt Delay" of RFC 8305 */
    /* The node gives a link up after 5 s, and could not tell why. */
    CONNECT_MS = 4000,
};

/* One address's connection. */
struct attempt {
    uv_poll_t poll;
    struct tcp_pipe *pipe;
    struct address address;
    int fd;
};

struct tcp_pipe {
    struct byte_pipe base;
    uv_loop_t *loop;
    uv_timer_t timer; /* until it is open */
    uint64_t began;
    struct host_lookup *lookup;
    struct address addresses[HOST_LOOKUP_ADDRESSES]; /* to try in turn */
    struct attempt *attempts[HOST_LOOKUP_ADDRESSES]; /* NULL: it failed */
    size_t count, next, under_way;
    enum link_failure why; /* 0: no address failed so far */
    struct attempt *won;
    int events;  /* that its poll waits for */
    bool dry;    /* all was read that poll told of */
    bool full;   /* the kernel takes no more bytes now */
    bool broken; /* reading or writing failed */
    bool paused;
    bool ended;
};

static void on_timer(uv_timer_t *timer);
static void on_connecting(uv_poll_t *poll, int status, int events);

static struct tcp_pipe *of(struct byte_pipe *p)
{
    return (struct tcp_pipe *)p;
}

/* ---- The order of addresses */

/* The first address from `at` on of that family, or `count`. */
static size_t next_of(const struct address *list, size_t at, size_t count,
                      enum address_family family)
{
    while (at < count && list[at].family != family)
        at++;
    return at;
}

void tcp_pipe_order(struct address *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        enum address_family other =
            list[i - 1].family == ADDRESS_V4 ? ADDRESS_V6 : ADDRESS_V4;
        size_t from = next_of(list, i, count, other);
        if (from == count)
            return;
        struct address moved = list[from];
        memmove(&list[i + 1], &list[i], (from - i) * sizeof *list);
        list[i] = moved;
    }
}

/* ---- Attempts */

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void attempt_close(struct attempt **self)
{
    struct attempt *a = *self;

    if (a == NULL)
        return;
    *self = NULL;
    uv_close((uv_handle_t *)&a->poll, on_closed);
    close(a->fd);
}

static void close_attempts(struct tcp_pipe *p)
{
    for (size_t i = 0; i < p->next; i++)
        if (p->attempts[i] != p->won)
            attempt_close(&p->attempts[i]);
}

static enum link_failure failure_of(int error)
{
    if (error == ECONNREFUSED)
        return LINK_REFUSED;
    return error == ETIMEDOUT ? LINK_TIMEOUT : LINK_UNREACHABLE;
}

/* A host that refuses is there, which tells more than an address that the own
 * network has no way to. */
static void note_failure(struct tcp_pipe *p, enum link_failure why)
{
    if (p->why == 0 || why == LINK_REFUSED)
        p->why = why;
}

/* Connects to the address, or returns an error number. */
static int attempt_open(struct tcp_pipe *p, size_t index)
{
    struct sockaddr_storage to;
    socklen_t size = sockaddr_of_address(&p->addresses[index], &to);
    int fd =
        socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    tcp_options_set(fd);
    link_limit_unsent(fd);
    if (connect(fd, (struct sockaddr *)&to, size) != 0 &&
        errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        return error;
    }
    struct attempt *a = memory_new(sizeof *a);
    if (uv_poll_init(p->loop, &a->poll, fd) != 0) {
        free(a);
        close(fd);
        return EMFILE;
    }
    a->poll.data = a;
    a->pipe = p;
    a->fd = fd;
    a->address = p->addresses[index];
    p->attempts[index] = a;
    uv_poll_start(&a->poll, UV_WRITABLE, on_connecting);
    return 0;
}

/* The next address that takes an attempt. If there is none any more, the end is
 * told by the timer: never from within a call of the user's. */
static void try_next(struct tcp_pipe *p)
{
    while (p->next < p->count) {
        int error = attempt_open(p, p->next++);
        if (error == 0) {
            p->under_way++;
            uv_timer_start(&p->timer, on_timer, NEXT_MS, NEXT_MS);
            return;
        }
        note_failure(p, failure_of(error));
    }
    if (p->under_way == 0)
        uv_timer_start(&p->timer, on_timer, 0, 0);
}

/* ---- The end */

static void end(struct tcp_pipe *p, enum link_failure why)
{
    if (p->ended)
        return;
    p->ended = true;
    uv_timer_stop(&p->timer);
    host_lookup_cancel(&p->lookup);
    close_attempts(p);
    p->base.user.ended(p->base.user.context, why);
}

static void on_timer(uv_timer_t *timer)
{
    struct tcp_pipe *p = timer->data;
    bool late = uv_now(p->loop) - p->began >= CONNECT_MS;

    if (p->lookup == NULL && p->under_way == 0)
        end(p, p->why);
    else if (!late && p->next < p->count)
        try_next(p);
    else if (late)
        end(p, p->lookup != NULL ? LINK_NAMELESS : LINK_TIMEOUT);
}

/* ---- The open connection */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct attempt *a = poll->data;
    struct tcp_pipe *p = a->pipe;

    p->dry = false;
    if (status < 0) {
        end(p, LINK_BROKEN);
        return;
    }
    if (events & UV_WRITABLE)
        p->full = false;
    p->base.user.ready(p->base.user.context);
}

/* Lets poll wait for what the state asks for. */
static void watch(struct tcp_pipe *p)
{
    int events = (p->paused ? 0 : UV_READABLE) | (p->full ? UV_WRITABLE : 0);

    if (p->won == NULL || p->ended || events == p->events)
        return;
    p->events = events;
    if (events == 0)
        uv_poll_stop(&p->won->poll);
    else
        uv_poll_start(&p->won->poll, events, on_poll);
}

static void win(struct tcp_pipe *p, struct attempt *a)
{
    uv_timer_stop(&p->timer);
    p->won = a;
    p->base.peer = a->address;
    close_attempts(p);
    watch(p);
    p->base.user.opened(p->base.user.context);
}

static void lose(struct tcp_pipe *p, struct attempt *a, int error)
{
    for (size_t i = 0; i < p->next; i++)
        if (p->attempts[i] == a)
            attempt_close(&p->attempts[i]);
    p->under_way--;
    note_failure(p, failure_of(error));
    try_next(p);
}

static void on_connecting(uv_poll_t *poll, int status, int events)
{
    struct attempt *a = poll->data;
    int error = 0;
    socklen_t size = sizeof error;

    (void)events;
    if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error == 0 && status < 0)
        error = EIO;
    if (error == 0)
        win(a->pipe, a);
    else
        lose(a->pipe, a, error);
}

/* ---- Bytes */

static ssize_t tcp_read(struct byte_pipe *base, uint8_t *room, size_t size)
{
    struct tcp_pipe *p = of(base);

    if (p->won == NULL || p->broken)
        return -1;
    if (p->dry || p->paused || size == 0)
        return 0;
    ssize_t n = recv(p->won->fd, room, size, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        p->dry = errno == EAGAIN && !p->ended;
        return 0;
    }
    if (n <= 0) {
        p->broken = true;
        return -1;
    }
    /* Poll tells of what comes later; but an end is told only once. */
    p->dry = (size_t)n < size && !p->ended;
    return n;
}

/* If it fails, the other end's last bytes may still be unread, so the pipe is
 * not over yet: poll tells the end. */
static size_t tcp_write(struct byte_pipe *base, const uint8_t *data,
                        size_t size)
{
    struct tcp_pipe *p = of(base);

    if (p->won == NULL || p->ended)
        return 0;
    ssize_t n = send(p->won->fd, data, size, MSG_NOSIGNAL);
    p->full = n < 0 ? errno == EAGAIN || errno == EINTR : (size_t)n < size;
    watch(p);
    return n < 0 ? 0 : (size_t)n;
}

static void tcp_pause(struct byte_pipe *base, bool paused)
{
    struct tcp_pipe *p = of(base);

    p->paused = paused;
    watch(p);
}

static void tcp_close(struct byte_pipe *base)
{
    struct tcp_pipe *p = of(base);

    p->ended = true;
    host_lookup_cancel(&p->lookup);
    close_attempts(p);
    attempt_close(&p->won);
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

static const struct byte_pipe_ops ops = {.read = tcp_read,
                                         .write = tcp_write,
                                         .pause = tcp_pause,
                                         .close = tcp_close};

/* ---- The beginning */

static void on_found(void *context, const struct address *list, size_t count,
                     const char *error)
{
    struct tcp_pipe *p = context;

    (void)error;
    memcpy(p->addresses, list, count * sizeof *list);
    p->count = count;
    if (count == 0)
        p->why = LINK_NAMELESS;
    tcp_pipe_order(p->addresses, count);
    try_next(p);
}

struct byte_pipe *tcp_pipe_open(uv_loop_t *loop, const char *host,
                                uint16_t port,
                                const struct byte_pipe_user *user)
{
    struct tcp_pipe *p = memory_new(sizeof *p);

    p->base.ops = &ops;
    p->base.user = *user;
    p->loop = loop;
    p->began = uv_now(loop);
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    uv_timer_start(&p->timer, on_timer, CONNECT_MS, NEXT_MS);
    host_lookup_start(&p->lookup, loop, host, port, on_found, p);
    return &p->base;
}

int tcp_pipe_fd(const struct byte_pipe *p)
{
    const struct attempt *won = ((const struct tcp_pipe *)p)->won;

    return won != NULL ? won->fd : -1;
}
