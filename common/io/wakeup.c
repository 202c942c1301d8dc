#include "common/io/wakeup.h"

#include "common/base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct bell {
    atomic_uint holders; /* the loop is one of them */
    /* Of the members below; taken only to ring and to close. */
    uv_mutex_t lock;
    bool closed;
    uv_async_t async;
    void (*heard)(void *context);
    void *context;
};

static void on_async(uv_async_t *async)
{
    struct bell *b = async->data;

    b->heard(b->context);
}

struct bell *bell_open(uv_loop_t *loop, void (*heard)(void *context),
                       void *context)
{
    struct bell *b = memory_new(sizeof *b);

    if (uv_mutex_init(&b->lock) != 0) {
        free(b);
        return NULL;
    }
    if (uv_async_init(loop, &b->async, on_async) != 0) {
        uv_mutex_destroy(&b->lock);
        free(b);
        return NULL;
    }
    atomic_init(&b->holders, 1);
    b->async.data = b;
    b->heard = heard;
    b->context = context;
    return b;
}

static void on_closed(uv_handle_t *async)
{
    bell_release(async->data);
}

void bell_close(struct bell **self)
{
    struct bell *b = *self;

    if (b == NULL)
        return;
    *self = NULL;
    uv_mutex_lock(&b->lock);
    b->closed = true;
    uv_mutex_unlock(&b->lock);
    uv_close((uv_handle_t *)&b->async, on_closed);
}

void bell_hold(struct bell *b)
{
    atomic_fetch_add(&b->holders, 1);
}

void bell_release(struct bell *b)
{
    if (atomic_fetch_sub(&b->holders, 1) != 1)
        return;
    uv_mutex_destroy(&b->lock);
    free(b);
}

void bell_ring(struct bell *b)
{
    uv_mutex_lock(&b->lock);
    if (!b->closed)
        uv_async_send(&b->async);
    uv_mutex_unlock(&b->lock);
}
