#include "tests/sim/pipes_private.h"

#include "common/base/memory.h"
#include "tests/sim/hostile.h"
#include "tests/sim/story.h"

#include <stdlib.h>

/* --- where they are found ----------------------------------------------- */

static struct pipe_end **bucket(struct world *w, int host, uint64_t id)
{
    return &w->pipe_ends[((uint64_t)host * 31 + id) % PIPE_BUCKETS];
}

void pipe_enter(struct world *w, struct pipe_end *end)
{
    struct pipe_end **at = bucket(w, end->host, end->id);

    end->next_in_bucket = *at;
    *at = end;
}

static void remove_end(struct world *w, const struct pipe_end *end)
{
    struct pipe_end **at;

    if (end->host < 0)
        return;
    at = bucket(w, end->host, end->id);
    while (*at != end)
        at = &(*at)->next_in_bucket;
    *at = end->next_in_bucket;
}

static struct pipe *pipe_find(struct world *w, int host, uint64_t id, int *side)
{
    uint32_t serial = w->hosts[host].is_relay ? w->hosts[host].hub->serial
                                              : w->hosts[host].process->serial;

    for (struct pipe_end *end = *bucket(w, host, id); end != NULL;
         end = end->next_in_bucket)
        if (end->host == host && end->id == id && end->serial == serial) {
            *side = end == &end->pipe->ends[0] ? 0 : 1;
            return end->pipe;
        }
    return NULL;
}

static void drop_stalled(struct world *w, struct pipe_end *end)
{
    while (end->stalled.first != NULL) {
        struct event *e = end->stalled.first;

        end->stalled.first = e->next;
        end->waiting -= e->size;
        world_release(w, e);
    }
}

static bool is_over(struct world *w, struct pipe *p)
{
    if (p->ends[0].open || p->ends[1].open)
        return false;
    drop_stalled(w, &p->ends[0]);
    drop_stalled(w, &p->ends[1]);
    return p->events == 0;
}

void pipes_sweep(struct world *w)
{
    struct pipe **at = &w->pipes;

    while (*at != NULL) {
        struct pipe *p = *at;

        if (is_over(w, p)) {
            *at = p->next;
            remove_end(w, &p->ends[0]);
            remove_end(w, &p->ends[1]);
            free(p);
        } else {
            at = &p->next;
        }
    }
}

/* --- sending ----------------------------------------------------------- */

static void schedule(struct world *w, struct pipe *p, int from, struct event *e)
{
    struct pipe_end *end = &p->ends[from];
    struct instant at = instant_after(w->now, p->delay);

    at.us += rng_between(&w->rng, 0, p->delay.us / 4);
    if (w->rate > 0)
        at = instant_after(instant_max(at, end->last_arrival),
                           span_us((int64_t)(e->size * 1000000 / w->rate)));
    at = instant_max(at, end->last_arrival);
    end->last_arrival = at;
    world_post(w, e, at);
}

/* Whether both ends still have the addresses of the connection. */
static bool is_rooted(const struct world *w, const struct pipe *p)
{
    return network_has(w, p->ends[0].host, &p->ends[0].home) &&
           network_has(w, p->ends[1].host, &p->ends[1].home) &&
           (p->nat < 0 ||
            address_same_ip(&w->segments[p->nat].outside, &p->seen_from));
}

static bool passes(const struct world *w, const struct pipe *p, int from,
                   size_t size)
{
    return network_passes(w, p->ends[from].host, p->ends[1 - from].host,
                          size) &&
           is_rooted(w, p) && pipe_form_carries(w, p);
}

static void send_event(struct world *w, struct pipe *p, int from,
                       enum event_kind kind, struct bytes bytes)
{
    struct pipe_end *end = &p->ends[from];
    struct event *e = world_event(w, kind, p->ends[1 - from].host);

    event_pipe(e, p, 1 - from);
    if (bytes.size > 0)
        event_data(e, bytes);
    if (end->stalled.first == NULL && passes(w, p, from, bytes.size)) {
        schedule(w, p, from, e);
        return;
    }
    e->next = NULL;
    if (end->stalled.first == NULL)
        end->stalled.end = &end->stalled.first;
    *end->stalled.end = e;
    end->stalled.end = &e->next;
}

static void post_to_owner(struct world *w, struct pipe *p, int side,
                          enum event_kind kind)
{
    struct event *e = world_event(w, kind, p->ends[side].host);

    event_pipe(e, p, side);
    e->serial = p->ends[side].serial;
    world_post(w, e, w->now);
}

static void end_locally(struct world *w, struct pipe *p, int side)
{
    struct event *e = world_event(w, EVENT_CLOSE, p->ends[side].host);

    event_pipe(e, p, side);
    world_post(w, e, instant_after(w->now, p->delay));
}

void pipe_break(struct world *w, struct pipe *p)
{
    for (int side = 0; side < 2; side++) {
        drop_stalled(w, &p->ends[side]);
        if (p->ends[side].open)
            end_locally(w, p, side);
    }
}

void pipes_write(struct world *w, int host, uint64_t id, struct bytes bytes)
{
    int side;
    struct pipe *p = pipe_find(w, host, id, &side);
    struct pipe_end *end;

    if (p == NULL || !p->ends[side].open)
        return;
    end = &p->ends[side];
    ASSERT(bytes.size > 0 && bytes.size <= PACKET_SIZE);
    if (end->waiting > w->high_water + w->backlog) {
        world_say(w, "%d's shell keeps no more for %d", host,
                  p->ends[1 - side].host);
        pipe_break(w, p);
        world_disturb(w, host);
        world_disturb(w, p->ends[1 - side].host);
        return;
    }
    story_packet(w, host, p->ends[1 - side].host, bytes);
    bytes = hostile_words(w, host, bytes);
    end->waiting += bytes.size;
    send_event(w, p, side, EVENT_PACKET, bytes);
    if (end->waiting > w->high_water &&
        end->waiting - bytes.size <= w->high_water)
        post_to_owner(w, p, side, EVENT_BLOCKED);
}

struct process *pipe_process(struct world *w, const struct pipe_end *end)
{
    struct process *p = w->hosts[end->host].process;

    return p != NULL && p->serial == end->serial ? p : NULL;
}

struct hub_process *pipe_hub(struct world *w, const struct pipe_end *end)
{
    struct hub_process *p = w->hosts[end->host].hub;

    return p != NULL && p->serial == end->serial ? p : NULL;
}

/* --- arriving ---------------------------------------------------------- */

static void tell_closed(struct world *w, struct pipe *p, int side)
{
    struct pipe_end *end = &p->ends[side];

    end->open = false;
    if (!end->told || end->deaf)
        return;
    if (w->hosts[end->host].is_relay) {
        struct hub_event event = {.kind = HUB_CLOSED, .conn = end->id};
        struct hub_process *hub = pipe_hub(w, end);

        if (hub != NULL)
            hub_process_step(w, hub, &event);
    } else {
        struct node_event event = {.kind = NODE_LINK_CLOSED};
        struct process *process = pipe_process(w, end);

        event.link.id = (uint32_t)end->id;
        event.link.failure = LINK_BROKEN;
        if (process != NULL)
            process_step(w, process, &event, 1);
    }
}

static void to_node(struct world *w, struct pipe *p, int side, struct event *e)
{
    struct pipe_end *end = &p->ends[side];
    struct process *process = pipe_process(w, end);
    struct node_event events[2] = {0};
    size_t count = 0;

    if (!end->told) {
        events[count].kind = NODE_LINK_OPENED;
        events[count].link.id = (uint32_t)end->id;
        events[count].link.incoming = true;
        events[count].link.key = p->connector_key;
        events[count++].link.address = p->seen_from;
        end->told = true;
    }
    events[count].kind = NODE_LINK_PACKET;
    events[count].link.id = (uint32_t)end->id;
    events[count++].link.bytes = bytes_of(e->data, e->size);
    process_step(w, process, events, count);
}

static void to_hub(struct world *w, struct pipe *p, int side, struct event *e)
{
    struct pipe_end *end = &p->ends[side];
    struct hub_event event = {
        .kind = HUB_PACKET,
        .conn = end->id,
        .key = p->connector_key,
        .address = p->seen_from,
        .data = e->data,
        .size = e->size,
    };

    end->told = true;
    hub_process_step(w, pipe_hub(w, end), &event);
}

/* The receiver took the bytes: the sender's buffer has room again. */
static void taken(struct world *w, struct pipe *p, int from, size_t size)
{
    struct pipe_end *end = &p->ends[from];

    end->waiting -= size;
    if (end->blocked && end->waiting <= w->high_water / 2)
        post_to_owner(w, p, from, EVENT_WRITABLE);
}

static void arrive(struct world *w, struct pipe *p, int side, struct event *e)
{
    struct pipe_end *end = &p->ends[side];

    if (w->hosts[end->host].off)
        return; /* No kernel acknowledges it. */
    taken(w, p, 1 - side, e->size);
    if (!end->open || end->deaf)
        return;
    if (w->hosts[end->host].is_relay ? pipe_hub(w, end) == NULL
                                     : pipe_process(w, end) == NULL)
        return;
    if (w->hosts[end->host].is_relay)
        to_hub(w, p, side, e);
    else
        to_node(w, p, side, e);
}

static void tell_room(struct world *w, struct pipe *p, int side, bool blocked)
{
    struct pipe_end *end = &p->ends[side];

    if (!end->open || end->blocked == blocked)
        return;
    if (blocked && end->waiting <= w->high_water / 2)
        return; /* The buffer drained meanwhile. */
    end->blocked = blocked;
    if (w->hosts[end->host].is_relay) {
        struct hub_event event = {.kind = blocked ? HUB_BLOCKED : HUB_WRITABLE,
                                  .conn = end->id};

        hub_process_step(w, pipe_hub(w, end), &event);
    } else {
        struct node_event event = {.kind = blocked ? NODE_LINK_BLOCKED
                                                   : NODE_LINK_WRITABLE};

        event.link.id = (uint32_t)end->id;
        process_step(w, pipe_process(w, end), &event, 1);
    }
}

void pipes_handle(struct world *w, struct event *e)
{
    struct pipe *p = e->pipe;

    switch ((unsigned)e->kind) {
    case EVENT_CONNECT:
        pipe_arrives(w, p, e->host);
        break;
    case EVENT_CONNECTED:
        pipe_connected(w, p, e->failure);
        break;
    case EVENT_PACKET:
        arrive(w, p, e->side, e);
        break;
    case EVENT_CLOSE:
        if (p->ends[e->side].open)
            tell_closed(w, p, e->side);
        break;
    case EVENT_CUT:
        pipe_form_cut(w, p);
        break;
    case EVENT_BLOCKED:
    case EVENT_WRITABLE:
        tell_room(w, p, e->side, e->kind == EVENT_BLOCKED);
        break;
    default:
        ASSERT(false);
    }
}

/* --- ending ------------------------------------------------------------ */

static void close_end(struct world *w, struct pipe *p, int side)
{
    p->ends[side].open = false;
    if (p->ends[1 - side].host >= 0)
        send_event(w, p, side, EVENT_CLOSE, bytes_of(NULL, 0));
}

void pipes_close(struct world *w, int host, uint64_t id)
{
    int side;
    struct pipe *p = pipe_find(w, host, id, &side);

    if (p == NULL || !p->ends[side].open)
        return;
    if (side == 1 && !w->closes_incoming)
        p->ends[side].deaf = true;
    else
        close_end(w, p, side);
}

void pipes_end_all(struct world *w, int host, bool silent)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        for (int side = 0; side < 2; side++) {
            struct pipe_end *end = &p->ends[side];

            if (end->host != host || !end->open)
                continue;
            if (silent)
                end->open = false;
            else
                close_end(w, p, side);
        }
}

/* A host that restarted answers unknown connections with a reset. */
void pipes_power_on(struct world *w, int host)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        for (int side = 0; side < 2; side++)
            if (p->ends[side].host == host && !p->ends[side].open &&
                p->ends[1 - side].host >= 0 && p->ends[1 - side].open)
                send_event(w, p, side, EVENT_CLOSE, bytes_of(NULL, 0));
}

static bool is_between(const struct pipe *p, int a, int b)
{
    return (p->ends[0].host == a && p->ends[1].host == b) ||
           (p->ends[0].host == b && p->ends[1].host == a);
}

/* The next TCP retransmission passes a little later. */
static void go_on(struct world *w, struct pipe *p, int from)
{
    struct pipe_end *end = &p->ends[from];

    if (end->stalled.first == NULL ||
        !passes(w, p, from, end->stalled.first->size))
        return;
    end->last_arrival = instant_max(
        end->last_arrival,
        instant_after(w->now, rng_span(&w->rng, span_ms(1), span_ms(500))));
    while (end->stalled.first != NULL &&
           passes(w, p, from, end->stalled.first->size)) {
        struct event *e = end->stalled.first;

        end->stalled.first = e->next;
        schedule(w, p, from, e);
    }
}

void pipes_go_on(struct world *w, int host)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        if (p->ends[1].host >= 0 &&
            (p->ends[0].host == host || p->ends[1].host == host)) {
            go_on(w, p, 0);
            go_on(w, p, 1);
        }
}

void pipes_end_homeless(struct world *w, int host)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        for (int side = 0; side < 2; side++)
            if (p->ends[side].host == host && p->ends[side].open &&
                !network_has(w, host, &p->ends[side].home))
                end_locally(w, p, side);
}

void pipes_break(struct world *w, int a, int b)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        if (is_between(p, a, b))
            pipe_break(w, p);
}

void pipes_free_all(struct world *w)
{
    while (w->pipes != NULL) {
        struct pipe *p = w->pipes;

        w->pipes = p->next;
        drop_stalled(w, &p->ends[0]);
        drop_stalled(w, &p->ends[1]);
        free(p);
    }
}
