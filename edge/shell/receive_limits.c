#include "edge/shell/receive_limits.h"

#include "common/io/clock.h"

static void on_timer(uv_timer_t *timer)
{
    struct receive_limits *in = timer->data;
    struct instant now = clock_now();

    in->armed_for = INSTANT_NEVER;
    if (in->router != NULL)
        router_due(in->router, now);
    unread_due(&in->unread, now);
    receive_limits_arm(in);
}

void receive_limits_open(struct receive_limits *in, uv_loop_t *loop,
                         size_t memory)
{
    struct unread_world world = unread_world_open();

    in->router = NULL;
    in->armed_for = INSTANT_NEVER;
    unread_init(&in->unread, &world, memory);
    uv_timer_init(loop, &in->timer);
    in->timer.data = in;
    uv_unref((uv_handle_t *)&in->timer);
}

void receive_limits_close(struct receive_limits *in)
{
    unread_world_close(&in->unread.world);
    uv_close((uv_handle_t *)&in->timer, NULL);
}

/* A deadline that moved away leaves a timer that fires too early, at most. */
void receive_limits_arm(struct receive_limits *in)
{
    struct instant at = unread_deadline(&in->unread);

    if (in->router != NULL)
        at = instant_min(at, router_deadline(in->router));
    if (at.us >= in->armed_for.us)
        return;
    in->armed_for = at;
    int64_t us = instant_between(clock_now(), at).us;
    uv_update_time(in->timer.loop);
    uv_timer_start(&in->timer, on_timer, us > 0 ? (uint64_t)us / 1000 + 1 : 0,
                   0);
}
