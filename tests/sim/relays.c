#include "tests/sim/world.h"

#include "common/base/memory.h"
#include "tests/sim/checkers.h"

#include <stdlib.h>

static void arm(struct world *w, struct hub_process *p)
{
    struct instant at = hub_deadline(p->hub);
    struct event *e;

    at = instant_max(at, w->now);
    if (instant_is_never(at) || at.us >= p->tick_at.us)
        return;
    e = world_event(w, EVENT_HUB_TICK, p->host);
    e->serial = p->serial;
    world_post(w, e, at);
    p->tick_at = at;
}

static void do_todo(struct world *w, struct hub_process *p,
                    const struct hub_event *event, const struct hub_todo *t)
{
    switch (t->kind) {
    case HUB_WRITE:
        pipes_write(w, p->host, t->conn, t->bytes);
        return;
    case HUB_FORWARD:
        pipes_write(w, p->host, t->conn, bytes_of(event->data, event->size));
        return;
    case HUB_DROP:
        pipes_close(w, p->host, t->conn);
        return;
    case HUB_LOG:
        world_say(w, "relay %d: %s %s, reason %d", p->host, t->log.name,
                  t->log.what == HUB_EDGE_UP     ? "up"
                  : t->log.what == HUB_EDGE_DOWN ? "down"
                                                 : "refused",
                  t->log.reason);
        return;
    case HUB_KEEP:
        return;
    }
}

void hub_process_step(struct world *w, struct hub_process *p,
                      const struct hub_event *event)
{
    if (p == NULL)
        return;
    w->steps++;
    world_trace(w, "hub", (uint64_t)p->host,
                event->conn << 8 | (uint64_t)event->kind,
                bytes_of(event->data, event->size));
    hub_step(p->hub, w->now, event, &w->hub_todos);
    for (size_t i = 0; i < w->hub_todos.count && !w->failed; i++) {
        const struct hub_todo *t = &w->hub_todos.items[i];

        world_trace(w, "hub todo", (uint64_t)p->host,
                    t->conn << 8 | (uint64_t)t->kind, t->bytes);
        do_todo(w, p, event, t);
    }
    hub_todos_clear(&w->hub_todos);
    checkers_after_hub_step(w, p);
    arm(w, p);
}

void hub_process_handle(struct world *w, struct event *e)
{
    struct hub_process *p = w->hosts[e->host].hub;
    struct hub_event event = {.kind = HUB_TICK};

    if (p == NULL || e->at.us != p->tick_at.us)
        return;
    p->tick_at = INSTANT_NEVER;
    hub_process_step(w, p, &event);
}

struct hub_process *hub_process_start(struct world *w, int host)
{
    struct host *h = &w->hosts[host];
    struct hub_process *p = memory_new(sizeof(*p));
    struct hub_event event = {.kind = HUB_CLOCK};
    struct hub_conf conf = {
        .name = "relay",
        .boot = rng_u64(&w->rng),
        .meshes = h->meshes,
        .mesh_count = h->mesh_count,
        .limits = {.edges = 1000,
                   .edges_per_mesh = 1000,
                   .edges_per_address = 256,
                   .queue = w->limits.hub_queue},
    };

    rng_fill(&w->rng, conf.hash_key, sizeof(conf.hash_key));
    p->host = host;
    p->serial = ++w->next_serial;
    p->tick_at = INSTANT_NEVER;
    p->hub = hub_new(&conf, w->now);
    h->hub = p;
    event.unix_seconds = host_unix_now(w, host);
    hub_process_step(w, p, &event);
    return p;
}

void hub_process_end(struct world *w, int host)
{
    struct host *h = &w->hosts[host];

    hub_free(h->hub->hub);
    free(h->hub);
    h->hub = NULL;
}

void hub_revoke(struct world *w, int relay, struct bytes list)
{
    uint8_t *copy = memory_copy(list.data, list.size);
    struct hub_event event = {
        .kind = HUB_REVOKE, .data = copy, .size = list.size};

    hub_process_step(w, w->hosts[relay].hub, &event);
    free(copy);
}
