#include "edge/shell/curl_pipe.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "edge/shell/curl_connect.h"
#include "edge/shell/host_lookup.h"
#include "edge/shell/tcp_pipe.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    OPEN_MS = 4000,
    /* If the thread does not notice the time itself, as it waits for a Kerberos
     * server, the pipe ends without it. */
    THREAD_MS = OPEN_MS + 250,
    OUT_SIZE = 64 * 1024,
};

struct curl_pipe {
    struct byte_pipe base;
    uv_loop_t *loop;
    uv_timer_t timer; /* the time to open; later, what is to be told soon */
    uv_async_t async; /* the thread is done */
    uv_poll_t poll;
    int handles;           /* not closed yet */
    struct byte_pipe *tcp; /* until it is connected */
    struct host_lookup *lookup;
    pthread_t thread;
    bool working; /* the thread has `ask` and `result` */
    struct curl_ask ask;
    struct curl_result result;
    struct curl_connection *connection;
    int events; /* that poll waits for */
    bool paused, closed;
    bool broken;      /* reading or writing failed */
    bool over;        /* `ended` is told, or will be by the timer */
    bool short_write; /* the user waits for room */
    enum link_failure why;
    /* Bytes that were sent partly stay where they are: see curl_connect.h. */
    size_t first, end;
    uint8_t *out; /* OUT_SIZE bytes, once it is open */
};

static void on_timer(uv_timer_t *timer);
static void on_poll(uv_poll_t *poll, int status, int events);

static struct curl_pipe *of(struct byte_pipe *base)
{
    return (struct curl_pipe *)base;
}

/* ---- The end */

/* Told by the timer, as this may be within a call of the user's. */
static void end(struct curl_pipe *p, enum link_failure why)
{
    if (p->over || p->closed)
        return;
    p->over = true;
    p->why = why;
    host_lookup_cancel(&p->lookup);
    uv_timer_start(&p->timer, on_timer, 0, 0);
}

/* ---- The open connection */

static void watch(struct curl_pipe *p)
{
    bool wants_room = p->first < p->end || p->short_write;
    int events = (p->paused ? 0 : UV_READABLE) | (wants_room ? UV_WRITABLE : 0);

    if (p->connection == NULL)
        return;
    if (p->broken || p->over)
        events = 0;
    if (events == p->events)
        return;
    p->events = events;
    if (events == 0)
        uv_poll_stop(&p->poll);
    else if (uv_poll_start(&p->poll, events, on_poll) != 0)
        end(p, LINK_BROKEN);
}

static void fail(struct curl_pipe *p)
{
    p->broken = true;
    end(p, LINK_BROKEN);
    watch(p);
}

static void flush(struct curl_pipe *p)
{
    while (p->first < p->end && !p->broken) {
        ssize_t sent = curl_connection_write(p->connection, p->out + p->first,
                                             p->end - p->first);
        if (sent < 0)
            fail(p);
        if (sent <= 0)
            return;
        p->first += (size_t)sent;
    }
    p->first = p->end = 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct curl_pipe *p = poll->data;

    if (status < 0) {
        fail(p);
        return;
    }
    if (events & UV_WRITABLE)
        flush(p);
    watch(p);
    if (!p->over && (!p->paused || p->short_write))
        p->base.user.ready(p->base.user.context);
}

static ssize_t pipe_read(struct byte_pipe *base, uint8_t *room, size_t size)
{
    struct curl_pipe *p = of(base);

    if (p->connection == NULL || p->broken)
        return p->over ? -1 : 0;
    if (p->paused)
        return 0;
    ssize_t count = curl_connection_read(p->connection, room, size);
    if (count < 0)
        fail(p);
    return count;
}

static size_t pipe_write(struct byte_pipe *base, const uint8_t *data,
                         size_t size)
{
    struct curl_pipe *p = of(base);

    if (p->connection == NULL || p->over)
        return 0;
    size_t room = OUT_SIZE - p->end;
    size_t taken = size < room ? size : room;
    if (taken > 0)
        memcpy(p->out + p->end, data, taken);
    p->end += taken;
    flush(p);
    p->short_write = taken < size;
    watch(p);
    return taken;
}

/* Decrypted bytes may wait inside, of which poll tells nothing. */
static void pipe_pause(struct byte_pipe *base, bool paused)
{
    struct curl_pipe *p = of(base);
    bool again = p->paused && !paused;

    p->paused = paused;
    watch(p);
    if (again && p->connection != NULL && !p->over)
        uv_timer_start(&p->timer, on_timer, 0, 0);
}

/* ---- The thread */

static void *work(void *context)
{
    struct curl_pipe *p = context;

    curl_connect(&p->ask, &p->result);
    uv_async_send(&p->async);
    return NULL;
}

/* Signals are for other threads. */
static bool start_thread(struct curl_pipe *p)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&p->thread, NULL, work, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

static void start_work(struct curl_pipe *p)
{
    p->working = true;
    if (start_thread(p))
        return;
    p->working = false;
    end(p, LINK_UNREACHABLE);
}

/* ---- Its steps */

/* SOCKS4 knows IPv4 only. */
static void on_target(void *context, const struct address *list, size_t count,
                      const char *error)
{
    struct curl_pipe *p = context;
    bool only_v4 = p->ask.proxy.scheme == PROXY_SOCKS4;

    (void)error;
    for (size_t i = 0; i < count && p->ask.target.family == ADDRESS_NONE; i++)
        if (!only_v4 || list[i].family == ADDRESS_V4)
            p->ask.target = list[i];
    if (count == 0)
        end(p, LINK_NAMELESS);
    else if (p->ask.target.family == ADDRESS_NONE)
        end(p, LINK_UNREACHABLE);
    else
        start_work(p);
}

static void on_tcp_opened(void *context)
{
    struct curl_pipe *p = context;
    struct curl_ask *ask = &p->ask;

    if (p->over)
        return;
    p->base.peer = ask->first = p->tcp->peer;
    ask->fd = fcntl(tcp_pipe_fd(p->tcp), F_DUPFD_CLOEXEC, 3);
    byte_pipe_close(p->tcp);
    p->tcp = NULL;
    if (ask->fd < 0)
        end(p, LINK_UNREACHABLE);
    else if (ask->has_proxy && !proxy_scheme_resolves(ask->proxy.scheme))
        host_lookup_start(&p->lookup, p->loop, ask->host, ask->port, on_target,
                          p);
    else
        start_work(p);
}

static void on_tcp_ready(void *context)
{
    (void)context;
}

static void on_tcp_ended(void *context, enum link_failure why)
{
    end(context, why);
}

static void become_open(struct curl_pipe *p)
{
    p->connection = p->result.connection;
    p->result.connection = NULL;
    p->base.has_certificate = p->result.has_certificate;
    memcpy(p->base.certificate, p->result.certificate,
           sizeof p->base.certificate);
    p->out = memory_try(NULL, OUT_SIZE, 1);
    if (p->out == NULL ||
        uv_poll_init(p->loop, &p->poll, curl_connection_fd(p->connection)) !=
            0) {
        curl_connection_close(&p->connection);
        end(p, LINK_UNREACHABLE);
        return;
    }
    p->poll.data = p;
    p->handles++;
    uv_timer_stop(&p->timer);
    watch(p);
    p->base.user.opened(p->base.user.context);
}

static void close_handles(struct curl_pipe *p);

static void on_async(uv_async_t *async)
{
    struct curl_pipe *p = async->data;

    if (!p->working)
        return;
    pthread_join(p->thread, NULL);
    p->working = false;
    close(p->ask.limit.cancel);
    p->ask.limit.cancel = -1;
    if (p->closed) {
        curl_connection_close(&p->result.connection);
        close_handles(p);
        return;
    }
    if (p->result.connection == NULL)
        log_debug("curl_failed", "why=\"%s\"", p->result.detail);
    if (p->over)
        curl_connection_close(&p->result.connection);
    else if (p->result.connection == NULL)
        end(p, p->result.why);
    else
        become_open(p);
}

static void on_timer(uv_timer_t *timer)
{
    struct curl_pipe *p = timer->data;

    if (p->over)
        p->base.user.ended(p->base.user.context, p->why);
    else if (p->connection == NULL)
        end(p, p->lookup != NULL ? LINK_NAMELESS : LINK_TIMEOUT);
    else if (!p->paused)
        p->base.user.ready(p->base.user.context);
}

/* ---- Open and close */

static void on_closed(uv_handle_t *handle)
{
    struct curl_pipe *p = handle->data;

    if (--p->handles > 0)
        return;
    if (p->ask.fd >= 0)
        close(p->ask.fd);
    if (p->ask.limit.cancel >= 0)
        close(p->ask.limit.cancel);
    sodium_memzero(&p->ask.proxy, sizeof p->ask.proxy);
    free(p->out);
    free(p);
}

static void close_handles(struct curl_pipe *p)
{
    if (p->connection != NULL)
        uv_close((uv_handle_t *)&p->poll, on_closed);
    curl_connection_close(&p->connection);
    uv_close((uv_handle_t *)&p->timer, on_closed);
    uv_close((uv_handle_t *)&p->async, on_closed);
}

static void pipe_close(struct byte_pipe *base)
{
    struct curl_pipe *p = of(base);

    p->closed = true;
    uv_timer_stop(&p->timer);
    host_lookup_cancel(&p->lookup);
    if (p->tcp != NULL)
        byte_pipe_close(p->tcp);
    p->tcp = NULL;
    if (p->working)
        (void)eventfd_write(p->ask.limit.cancel, 1);
    else
        close_handles(p);
}

static const struct byte_pipe_ops ops = {.read = pipe_read,
                                         .write = pipe_write,
                                         .pause = pipe_pause,
                                         .close = pipe_close};

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from != NULL ? from : "");
}

static void set_ask(struct curl_ask *ask, const struct curl_pipe_conf *conf)
{
    *ask = (struct curl_ask){
        .port = conf->port,
        .tls = conf->tls,
        .verify = conf->verify,
        .has_proxy = conf->proxy != NULL,
        .fd = -1,
        .limit = {.until = instant_after(clock_now(), span_ms(OPEN_MS)),
                  .cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}};
    copy_text(ask->host, sizeof ask->host, conf->host);
    copy_text(ask->name, sizeof ask->name, conf->name);
    copy_text(ask->authorities, sizeof ask->authorities, conf->authorities);
    if (conf->proxy != NULL)
        ask->proxy = *conf->proxy;
}

struct byte_pipe *curl_pipe_open(uv_loop_t *loop,
                                 const struct curl_pipe_conf *conf,
                                 const struct byte_pipe_user *user)
{
    struct curl_pipe *p = memory_new(sizeof *p);
    const struct byte_pipe_user tcp = {.context = p,
                                       .opened = on_tcp_opened,
                                       .ready = on_tcp_ready,
                                       .ended = on_tcp_ended};

    p->base = (struct byte_pipe){.ops = &ops, .user = *user};
    p->loop = loop;
    set_ask(&p->ask, conf);
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    if (uv_async_init(loop, &p->async, on_async) != 0)
        ASSERT(false); /* Fails only without descriptors for the loop itself. */
    p->async.data = p;
    p->handles = 2;
    uv_timer_start(&p->timer, on_timer, THREAD_MS, 0);
    if (p->ask.limit.cancel < 0)
        end(p, LINK_UNREACHABLE);
    else if (conf->proxy != NULL)
        p->tcp = tcp_pipe_open(loop, p->ask.proxy.at.host, p->ask.proxy.at.port,
                               &tcp);
    else
        p->tcp = tcp_pipe_open(loop, conf->host, conf->port, &tcp);
    return &p->base;
}
