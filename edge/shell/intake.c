#include "edge/shell/intake.h"

#include "common/io/clock.h"

static void on_timer(uv_timer_t *timer)
{
    struct intake *in = timer->data;

    unread_due(&in->unread, clock_now());
    intake_arm(in);
}

void intake_open(struct intake *in, uv_loop_t *loop, size_t memory)
{
    struct unread_world world = unread_world_open();

    unread_init(&in->unread, &world, memory);
    uv_timer_init(loop, &in->timer);
    in->timer.data = in;
    uv_unref((uv_handle_t *)&in->timer);
}

void intake_close(struct intake *in)
{
    unread_world_close(&in->unread.world);
    uv_close((uv_handle_t *)&in->timer, NULL);
}

/* A running timer is not moved: only unread_due makes the deadline earlier, or
 * freed memory, which may wait. */
void intake_arm(struct intake *in)
{
    struct instant at = unread_deadline(&in->unread);

    if (instant_is_never(at) || uv_is_active((uv_handle_t *)&in->timer))
        return;
    int64_t us = instant_between(clock_now(), at).us;
    uv_update_time(in->timer.loop);
    uv_timer_start(&in->timer, on_timer, us > 0 ? (uint64_t)us / 1000 + 1 : 0,
                   0);
}
