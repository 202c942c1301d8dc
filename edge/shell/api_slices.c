#include "edge/shell/api_internal.h"

#include "common/io/clock.h"

#include <malloc.h>

enum { GIVE_BACK = 4 * 1024 * 1024 };

/* ---- Time slices */

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

/* ---- Memory */

static void set_held(struct client *c, size_t held)
{
    c->api->held += held - c->held;
    c->held = held;
}

void memory_count(struct client *c)
{
    set_held(c, c->in.capacity + c->todo.capacity + c->out.capacity +
                    c->pending.bytes);
}

/* glibc keeps freed memory below newer blocks, unless malloc_trim is called. */
void memory_forget(struct client *c)
{
    struct api *a = c->api;

    a->freed += c->held;
    set_held(c, 0);
    if (a->freed >= GIVE_BACK)
        clients_awake(a);
}

void memory_give_back(struct api *a)
{
    if (a->freed < GIVE_BACK)
        return;
    a->freed = 0;
    malloc_trim(0);
}

/* A quarter of what is left, so that any number of shares never takes all. A
 * small share for each client is reserved. */
size_t memory_share(const struct api *a)
{
    size_t most = a->memory / 4 * 3;
    size_t left = most > a->held ? most - a->held : 0;
    size_t least = a->memory / (16 * API_CLIENTS);

    return left / 4 > least ? left / 4 : least;
}
