/*
 * Faults of hosts: a host is frozen, killed or loses power.
 */
#include "tests/sim/world.h"

#include "tests/sim/checkers.h"
#include "tests/sim/udp_hosts.h"

#include <stdlib.h>

bool host_runs(const struct world *w, int host)
{
    const struct host *h = &w->hosts[host];

    return (h->process != NULL || h->hub != NULL) && !h->frozen;
}

uint64_t host_unix_now(const struct world *w, int host)
{
    return w->unix_start + w->hosts[host].unix_offset +
           (uint64_t)(w->now.us / 1000000);
}

/* --- what comes while a host is frozen --------------------------------- */

static void keep(struct host *h, struct event *e)
{
    e->next = NULL;
    *h->held_end = e;
    h->held_end = &e->next;
}

static bool is_for(const struct host *h, const struct event *e)
{
    uint32_t serial = h->process != NULL ? h->process->serial
                      : h->hub != NULL   ? h->hub->serial
                                         : 0;

    return e->serial == 0 || e->serial == serial;
}

bool host_takes(struct world *w, struct event *e)
{
    struct host *h = &w->hosts[e->host];
    bool runs = h->process != NULL || h->hub != NULL;
    /* The kernel answers connection attempts, also without a process. */
    bool for_kernel = !h->off && (e->kind == EVENT_CONNECT);

    if (h->asleep && (e->kind == EVENT_DATAGRAM || e->kind == EVENT_CONNECT)) {
        world_release(w, e); /* The kernel receives nothing. */
        return false;
    }
    if (h->frozen && runs) {
        if (e->kind == EVENT_TICK || e->kind == EVENT_HUB_TICK)
            world_release(w, e); /* host_thaw arms the timer again. */
        else
            keep(h, e);
        return false;
    }
    if (!for_kernel && (!runs || !is_for(h, e)) && e->kind != EVENT_PACKET &&
        e->kind != EVENT_CLOSE) {
        world_release(w, e);
        return false;
    }
    return true;
}

/* --- ending ------------------------------------------------------------ */

/* Held events are lost with the process; the kernel answers connections. */
static void drop_held(struct world *w, struct host *h)
{
    while (h->held != NULL) {
        struct event *e = h->held;

        h->held = e->next;
        if (e->kind == EVENT_PACKET || (e->kind == EVENT_CONNECT && !h->off))
            pipes_handle(w, e);
        world_release(w, e);
    }
    h->held_end = &h->held;
}

static void end(struct world *w, int host, bool silent)
{
    struct host *h = &w->hosts[host];

    world_disturb(w, host);
    if (h->process == NULL && h->hub == NULL)
        return;
    pipes_end_all(w, host, silent);
    h->off = silent;
    h->frozen = h->asleep = false;
    h->down_since = w->now;
    if (h->hub != NULL) {
        hub_process_end(w, host);
    } else {
        checkers_ended(w, h->process);
        udp_hosts_ended(w, host);
        node_free(h->process->node);
        free(h->process);
        h->process = NULL;
    }
    drop_held(w, h);
}

void host_kill(struct world *w, int host)
{
    world_fault(w, "is killed", host, -1);
    end(w, host, false);
}

void host_power_off(struct world *w, int host)
{
    world_fault(w, "loses power", host, -1);
    end(w, host, true);
}

static void leaves_in_time(struct world *w, int host, uint64_t serial)
{
    const struct process *p = w->hosts[host].process;

    if (p != NULL && p->serial == serial && !p->was_frozen)
        world_fail(w, "leave", "%d is not done in two seconds", host);
}

void host_leave(struct world *w, int host)
{
    struct node_event event = {.kind = NODE_LEAVE};
    struct process *p = w->hosts[host].process;

    if (p == NULL || w->hosts[host].frozen || p->leaving)
        return;
    world_fault(w, "leaves", host, -1);
    p->leaving = true;
    p->was_frozen = false;
    p->leaving_since = w->now;
    world_at(w, span_s(2), leaves_in_time, host, p->serial);
    host_event(w, host, &event);
    if (w->sabotage == SABOTAGE_EARLY_DONE)
        world_at(w, span_us(0), host_left, host, p->serial);
}

void host_left(struct world *w, int host, uint64_t serial)
{
    const struct process *p = w->hosts[host].process;

    if (p == NULL || p->serial != serial)
        return;
    checkers_done(w, p);
    udp_hosts_close_links(w, host);
    end(w, host, false);
}

static void stop(struct world *w, int host, const char *what)
{
    struct host *h = &w->hosts[host];

    world_fault(w, what, host, -1);
    world_disturb(w, host);
    h->frozen = true;
    if (h->process != NULL)
        h->process->was_frozen = true;
}

void host_freeze(struct world *w, int host)
{
    if (host_runs(w, host))
        stop(w, host, "is stopped");
}

void host_sleep(struct world *w, int host)
{
    if (!host_runs(w, host))
        return;
    stop(w, host, "sleeps");
    w->hosts[host].asleep = true;
}

static void tick_now(struct world *w, const struct host *h)
{
    struct event *tick =
        world_event(w, h->is_relay ? EVENT_HUB_TICK : EVENT_TICK, h->index);

    if (h->is_relay)
        h->hub->tick_at = w->now;
    else
        h->process->tick_at = w->now;
    world_post(w, tick, w->now);
}

void host_thaw(struct world *w, int host)
{
    struct host *h = &w->hosts[host];
    bool timers_first = rng_chance(&w->rng, 50);

    if (!h->frozen)
        return;
    world_fault(w, h->asleep ? "wakes" : "goes on", host, -1);
    world_disturb(w, host);
    h->frozen = false;
    if (h->asleep) {
        h->asleep = false;
        pipes_go_on(w, host);
    }
    if (timers_first)
        tick_now(w, h);
    while (h->held != NULL) {
        struct event *e = h->held;

        h->held = e->next;
        world_post(w, e, w->now);
    }
    h->held_end = &h->held;
    if (!timers_first)
        tick_now(w, h);
}
