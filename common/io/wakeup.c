#include "common/io/wakeup.h"

#include "common/base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct wakeup {
    atomic_uint holders; /* the loop is one of them */
    /* Of the members below; taken only to send and to close. */
    uv_mutex_t lock;
    bool closed;
    uv_async_t async;
    void (*woken)(void *context);
    void *context;
};

static void on_async(uv_async_t *async)
{
    struct wakeup *w = async->data;

    w->woken(w->context);
}

struct wakeup *wakeup_open(uv_loop_t *loop, void (*woken)(void *context),
                           void *context)
{
    struct wakeup *w = memory_new(sizeof *w);

    if (uv_mutex_init(&w->lock) != 0) {
        free(w);
        return NULL;
    }
    if (uv_async_init(loop, &w->async, on_async) != 0) {
        uv_mutex_destroy(&w->lock);
        free(w);
        return NULL;
    }
    atomic_init(&w->holders, 1);
    w->async.data = w;
    w->woken = woken;
    w->context = context;
    return w;
}

static void on_closed(uv_handle_t *async)
{
    wakeup_release(async->data);
}

void wakeup_close(struct wakeup **self)
{
    struct wakeup *w = *self;

    if (w == NULL)
        return;
    *self = NULL;
    uv_mutex_lock(&w->lock);
    w->closed = true;
    uv_mutex_unlock(&w->lock);
    uv_close((uv_handle_t *)&w->async, on_closed);
}

void wakeup_hold(struct wakeup *w)
{
    atomic_fetch_add(&w->holders, 1);
}

void wakeup_release(struct wakeup *w)
{
    if (atomic_fetch_sub(&w->holders, 1) != 1)
        return;
    uv_mutex_destroy(&w->lock);
    free(w);
}

void wakeup_send(struct wakeup *w)
{
    uv_mutex_lock(&w->lock);
    if (!w->closed)
        uv_async_send(&w->async);
    uv_mutex_unlock(&w->lock);
}
