#include "edge/shell/api_internal.h"

#include "common/io/clock.h"

void slice_begin(struct api *a)
{
    struct instant now = clock_now();
    struct span share = span_us(API_ROUND_US / (int64_t)(a->waiting + 1));

    if (a->round != uv_now(a->loop)) {
        a->round = uv_now(a->loop);
        a->round_until = instant_after(now, span_us(API_ROUND_US));
    }
    a->slice_until =
        instant_max(instant_min(instant_after(now, share), a->round_until),
                    instant_after(now, span_us(API_SLICE_US)));
}

bool slice_over(const struct api *a)
{
    return instant_reached(a->slice_until, clock_now());
}

void slice_wait(struct client *c)
{
    struct api *a = c->api;

    if (c->waits || c->closing)
        return;
    c->waits = true;
    c->next_waiting = NULL;
    *a->waiting_end = c;
    a->waiting_end = &c->next_waiting;
    a->waiting++;
    clients_awake(a);
}

void slice_leave(struct client *c)
{
    struct api *a = c->api;

    if (!c->waits)
        return;
    c->waits = false;
    a->waiting--;
    for (struct client **at = &a->waiting_first; *at;
         at = &(*at)->next_waiting) {
        if (*at == c) {
            *at = c->next_waiting;
            if (!*at)
                a->waiting_end = at;
            return;
        }
    }
}

/* Clients that wait again meanwhile are served in the next round. */
void slices_run(struct api *a)
{
    for (size_t left = a->waiting; left > 0 && a->waiting_first; left--) {
        struct client *c = a->waiting_first;
        slice_leave(c);
        client_run(c);
    }
}
