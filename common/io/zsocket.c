#include "common/io/zsocket.h"

#include "common/base/memory.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>

/* How many rounds follow each other before descriptors and timers are looked at
 * again. */
enum { TURNS = 4 };

struct zsocket {
    struct zloop *zloop;
    void *socket;
    zsocket_ready *ready;
    void *context;
    uv_poll_t poll;
    bool touched; /* is in the zloop's list */
    /* Its descriptor became readable: call ready even without events. */
    bool fired;
    bool want_write;
    unsigned came; /* frames, since ready was called */
    unsigned expected;
    struct zsocket *previous;
    struct zsocket *next;
};

static void list_add(struct zloop *z, struct zsocket *s)
{
    s->touched = true;
    s->next = NULL;
    s->previous = z->last;
    if (z->last != NULL)
        z->last->next = s;
    else
        z->first = s;
    z->last = s;
}

static void list_remove(struct zloop *z, struct zsocket *s)
{
    s->touched = false;
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        z->first = s->next;
    if (s->next != NULL)
        s->next->previous = s->previous;
    else
        z->last = s->previous;
}

static int events_of(const struct zsocket *s)
{
    int events = 0;
    size_t size = sizeof events;
    int wanted = ZMQ_POLLIN | (s->want_write ? ZMQ_POLLOUT : 0);

    zmq_getsockopt(s->socket, ZMQ_EVENTS, &events, &size);
    return events & wanted;
}

/* How many frames `ready` should expect: as many as last time if the descriptor
 * became readable; else no number, so that it reads to the end. */
static void expect(struct zsocket *s, bool fired)
{
    if (!fired)
        s->expected = UINT_MAX;
    else if (s->came > 0)
        s->expected = s->came;
    s->came = 0;
}

/* Asks for the events, which also consumes the edge of the descriptor. */
static void run_socket(struct zloop *z, struct zsocket *s)
{
    bool fired = s->fired;
    int events = events_of(s);

    list_remove(z, s);
    s->fired = false;
    if (events == 0 && !fired)
        return;
    expect(s, fired);
    z->running = s;
    s->ready(s->context, events);
    /* Reading may have consumed an edge or left something, so ask again. */
    if (z->running == s)
        zsocket_touch(s);
    z->running = NULL;
}

/* Runs each socket that is touched now, once; those touched meanwhile come in
 * the next round. */
static void run_sockets(struct zloop *z)
{
    size_t count = 0;

    for (struct zsocket *s = z->first; s != NULL; s = s->next)
        count++;
    for (; count > 0 && z->first != NULL; count--)
        run_socket(z, z->first);
}

static void take_turn(struct zloop *z)
{
    run_sockets(z);
    z->kicked = false;
    if (z->after != NULL)
        z->after(z->context);
}

/* A second round is usually the last, and it costs no system call here. */
static void on_check(uv_check_t *check)
{
    struct zloop *z = check->data;

    for (int i = 0;
         i < TURNS && zloop_busy(z) && !uv_is_closing((uv_handle_t *)check);
         i++)
        take_turn(z);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* The handle only keeps the loop from sleeping. */
}

bool zloop_busy(const struct zloop *z)
{
    return z->first != NULL || z->kicked;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct zloop *z = prepare->data;

    if (zloop_busy(z))
        uv_idle_start(&z->idle, on_idle);
    else
        uv_idle_stop(&z->idle);
}

void zloop_open(struct zloop *z, uv_loop_t *loop, zloop_after *after,
                void *context)
{
    *z = (struct zloop){.loop = loop, .after = after, .context = context};
    uv_prepare_init(loop, &z->prepare);
    uv_check_init(loop, &z->check);
    uv_idle_init(loop, &z->idle);
    z->prepare.data = z;
    z->check.data = z;
    uv_prepare_start(&z->prepare, on_prepare);
    uv_check_start(&z->check, on_check);
    uv_unref((uv_handle_t *)&z->prepare);
    uv_unref((uv_handle_t *)&z->check);
    uv_unref((uv_handle_t *)&z->idle);
}

void zloop_close(struct zloop *z)
{
    uv_close((uv_handle_t *)&z->prepare, NULL);
    uv_close((uv_handle_t *)&z->check, NULL);
    uv_close((uv_handle_t *)&z->idle, NULL);
}

void zloop_kick(struct zloop *z)
{
    z->kicked = true;
}

uint64_t zloop_name(struct zloop *z)
{
    return ++z->names;
}

void *zcontext_open(int sockets)
{
    if (sodium_init() < 0)
        return NULL;
    /* libzmq takes a ROUTER's first routing id from rand() and does not seed
     * it: a client that guesses the next id makes libzmq assert. */
    srand(randombytes_random());
    void *context = zmq_ctx_new();
    if (context != NULL)
        zmq_ctx_set(context, ZMQ_MAX_SOCKETS, sockets);
    return context;
}

void zcontext_close(void **zmq_context)
{
    if (*zmq_context != NULL)
        zmq_ctx_term(*zmq_context);
    *zmq_context = NULL;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct zsocket *s = poll->data;

    (void)status;
    (void)events;
    s->fired = true;
    zsocket_touch(s);
}

static int descriptor_of(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;

    if (zmq_getsockopt(socket, ZMQ_FD, &fd, &size) != 0)
        return -1;
    return fd;
}

struct zsocket *zsocket_open(struct zloop *z, void *zmq_context, int type,
                             zsocket_ready *ready, void *context)
{
    void *socket = zmq_socket(zmq_context, type);
    if (socket == NULL)
        return NULL;

    struct zsocket *s = memory_new(sizeof *s);
    s->zloop = z;
    s->socket = socket;
    s->ready = ready;
    s->context = context;
    zsocket_set(s, ZMQ_LINGER, 0);
    if (uv_poll_init(z->loop, &s->poll, descriptor_of(socket)) != 0) {
        zmq_close(socket);
        free(s);
        errno = EMFILE;
        return NULL;
    }
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_poll);
    zsocket_touch(s);
    return s;
}

static void on_closed(uv_handle_t *poll)
{
    struct zsocket *s = poll->data;

    free(s);
}

void zsocket_close(struct zsocket **self)
{
    struct zsocket *s = *self;

    if (s == NULL)
        return;
    *self = NULL;
    if (s->touched)
        list_remove(s->zloop, s);
    if (s->zloop->running == s)
        s->zloop->running = NULL;
    /* libuv first, because libzmq closes the descriptor. */
    uv_close((uv_handle_t *)&s->poll, on_closed);
    zmq_close(s->socket);
}

void *zsocket_raw(const struct zsocket *s)
{
    return s->socket;
}

void zsocket_touch(struct zsocket *s)
{
    if (!s->touched)
        list_add(s->zloop, s);
}

bool zsocket_set(struct zsocket *s, int option, int value)
{
    return zmq_setsockopt(s->socket, option, &value, sizeof value) == 0;
}

int zsocket_send(struct zsocket *s, zmq_msg_t *m, int flags)
{
    zsocket_touch(s);
    return zmq_msg_send(m, s->socket, flags | ZMQ_DONTWAIT);
}

int zsocket_recv(struct zsocket *s, zmq_msg_t *m)
{
    zsocket_touch(s);
    int size = zmq_msg_recv(m, s->socket, ZMQ_DONTWAIT);
    s->came += size >= 0;
    return size;
}

void zsocket_skip(struct zsocket *s, zmq_msg_t *m)
{
    while (zmq_msg_more(m) && zsocket_recv(s, m) >= 0)
        ;
}

bool zsocket_seems_dry(const struct zsocket *s)
{
    return s->came > 0 && s->came >= s->expected;
}

void zsocket_want_write(struct zsocket *s, bool wanted)
{
    s->want_write = wanted;
    zsocket_touch(s);
}
