#include "tests/sim/world.h"

#include "common/base/memory.h"
#include "tests/sim/hostile.h"

#include <stdlib.h>

/*
 * A pipe is one connection. Side 0 opened it, side 1 listens. What a side sends
 * arrives in order; while the way is cut it waits in `stalled`, as unsent TCP
 * data does, with everything after it.
 */
struct stalled {
    struct event *first, **end;
};

struct pipe_end {
    int host;
    uint32_t serial; /* of the process that has it */
    uint64_t id;     /* the link's, or the hub's name for the connection */
    bool told;       /* the owner knows of it */
    bool open;       /* the owner did not close it, and was not told so */
    bool deaf;       /* forgotten by its owner, yet the connection stands */
    bool blocked;    /* the owner was told to wait */
    size_t waiting;  /* bytes sent and not yet taken at the other end */
    struct instant last_arrival; /* of what this side sent */
    struct stalled stalled;
};

struct pipe {
    struct pipe *next;
    uint64_t serial;
    struct pipe_end ends[2];
    struct address seen_from; /* the connector, as the listener sees it */
    struct address to;
    struct curve_key connector_key, listener_key;
    struct span delay;
};

/* How long a connection attempt that nobody answers takes to fail. */
static const struct span connect_timeout = {4 * 1000 * 1000};

static struct pipe *pipe_find(struct world *w, int host, uint64_t id, int *side)
{
    uint32_t serial = w->hosts[host].is_relay ? w->hosts[host].hub->serial
                                              : w->hosts[host].process->serial;

    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        for (*side = 0; *side < 2; ++*side)
            if (p->ends[*side].host == host && p->ends[*side].id == id &&
                p->ends[*side].serial == serial)
                return p;
    return NULL;
}

/* --- sending ---------------------------------------------------------------
 */

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

static void send_event(struct world *w, struct pipe *p, int from,
                       enum event_kind kind, struct bytes bytes)
{
    struct pipe_end *end = &p->ends[from];
    struct event *e = world_event(w, kind, p->ends[1 - from].host);

    e->pipe = p;
    e->side = 1 - from;
    if (bytes.size > 0)
        event_data(e, bytes);
    if (end->stalled.first == NULL &&
        !w->cut[end->host][p->ends[1 - from].host]) {
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

    e->pipe = p;
    e->side = side;
    e->serial = p->ends[side].serial;
    world_post(w, e, w->now);
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
    if (end->blocked && w->drops_when_blocked)
        return;
    bytes = hostile_words(w, host, bytes);
    end->waiting += bytes.size;
    send_event(w, p, side, EVENT_PACKET, bytes);
    if (end->waiting > w->high_water &&
        end->waiting - bytes.size <= w->high_water)
        post_to_owner(w, p, side, EVENT_BLOCKED);
}

/* --- opening -----------------------------------------------------------------
 */

static struct pipe *new_pipe(struct world *w, int from, uint32_t serial,
                             uint64_t link)
{
    struct pipe *p = memory_new(sizeof(*p));

    p->serial = ++w->next_pipe;
    p->next = w->pipes;
    w->pipes = p;
    p->ends[0] = (struct pipe_end){.host = from, .serial = serial, .id = link};
    p->ends[0].told = p->ends[0].open = true;
    p->ends[1].host = -1;
    return p;
}

static void answer(struct world *w, struct pipe *p, struct span after,
                   enum link_failure failure)
{
    struct event *e = world_event(w, EVENT_CONNECTED, p->ends[0].host);

    e->pipe = p;
    e->serial = p->ends[0].serial;
    e->failure = failure;
    world_post(w, e, instant_after(w->now, after));
}

static void begin(struct world *w, struct pipe *p, const struct route *r,
                  const struct curve_key *key)
{
    struct event *e;

    p->listener_key = *key;
    p->delay = r->delay;
    p->seen_from = r->seen_from;
    p->seen_from.port = (uint16_t)(20000 + p->serial % 40000);
    if (r->host < 0 || w->hosts[r->host].off ||
        !network_may_open(w, p->ends[0].host, r->host) ||
        w->cut[p->ends[0].host][r->host]) {
        answer(w, p, connect_timeout, LINK_UNREACHABLE);
        return;
    }
    e = world_event(w, EVENT_CONNECT, r->host);
    e->pipe = p;
    /* TCP's and CURVE's round trips, up to the last word of the connector. */
    world_post(w, e, instant_after(w->now, span_times(r->delay, 5)));
}

void pipes_connect(struct world *w, struct process *process, uint32_t link,
                   const struct address *to, const struct curve_key *key)
{
    struct pipe *p = new_pipe(w, process->host, process->serial, link);
    struct route r = network_route(w, process->host, to);

    p->to = *to;
    memcpy(p->connector_key.key, node_link_keys(process->node)->public_key, 32);
    if (w->sabotage == SABOTAGE_NO_DIRECT)
        r.host = -1;
    begin(w, p, &r, key);
}

void pipes_connect_relay(struct world *w, struct process *process,
                         uint32_t link, int relay, const struct curve_key *key)
{
    struct pipe *p = new_pipe(w, process->host, process->serial, link);
    struct route r;

    p->to = w->hosts[relay].interfaces[0].address;
    p->to.port = 443;
    memcpy(p->connector_key.key, node_identity_keys(process->node)->public_key,
           32);
    r = network_route(w, process->host, &p->to);
    begin(w, p, &r, key);
}

/* The listener's part. */
static void connect_arrives(struct world *w, struct pipe *p, int host)
{
    struct host *h = &w->hosts[host];
    struct pipe_end *end = &p->ends[1];
    struct curve_key key;

    if (w->cut[host][p->ends[0].host]) {
        answer(w, p, connect_timeout, LINK_UNREACHABLE);
        return;
    }
    if (h->is_relay
            ? h->hub == NULL
            : h->process == NULL || h->process->tcp_port != p->to.port) {
        answer(w, p, p->delay, LINK_UNREACHABLE);
        return;
    }
    if (h->is_relay)
        key = h->relay_key;
    else
        memcpy(key.key, node_link_keys(h->process->node)->public_key, 32);
    if (memcmp(key.key, p->listener_key.key, sizeof(key.key)) != 0) {
        answer(w, p, p->delay, LINK_HANDSHAKE);
        return;
    }
    *end = (struct pipe_end){.host = host, .open = true};
    if (h->is_relay) {
        end->serial = h->hub->serial;
        end->id = p->serial;
    } else {
        end->serial = h->process->serial;
        h->process->next_incoming += 2;
        end->id = h->process->next_incoming;
    }
    answer(w, p, p->delay, (enum link_failure)0);
}

static struct process *process_of(struct world *w, const struct pipe_end *end)
{
    struct process *p = w->hosts[end->host].process;

    return p != NULL && p->serial == end->serial ? p : NULL;
}

static struct hub_process *hub_of(struct world *w, const struct pipe_end *end)
{
    struct hub_process *p = w->hosts[end->host].hub;

    return p != NULL && p->serial == end->serial ? p : NULL;
}

static void connected(struct world *w, struct pipe *p,
                      enum link_failure failure)
{
    struct process *process = process_of(w, &p->ends[0]);
    struct node_event event = {.kind = NODE_LINK_OPENED};

    if (process == NULL || !p->ends[0].open)
        return;
    event.link.id = (uint32_t)p->ends[0].id;
    event.link.address = p->to;
    if (failure != 0) {
        p->ends[0].open = false;
        event.kind = NODE_LINK_CLOSED;
        event.link.failure = failure;
    }
    process_step(w, process, &event, 1);
}

/* --- arriving
 * ------------------------------------------------------------------ */

static void tell_closed(struct world *w, struct pipe *p, int side)
{
    struct pipe_end *end = &p->ends[side];

    end->open = false;
    if (!end->told || end->deaf)
        return;
    if (w->hosts[end->host].is_relay) {
        struct hub_event event = {.kind = HUB_CLOSED, .conn = end->id};
        struct hub_process *hub = hub_of(w, end);

        if (hub != NULL)
            hub_process_step(w, hub, &event);
    } else {
        struct node_event event = {.kind = NODE_LINK_CLOSED};
        struct process *process = process_of(w, end);

        event.link.id = (uint32_t)end->id;
        event.link.failure = LINK_BROKEN;
        if (process != NULL)
            process_step(w, process, &event, 1);
    }
}

static void to_node(struct world *w, struct pipe *p, int side, struct event *e)
{
    struct pipe_end *end = &p->ends[side];
    struct process *process = process_of(w, end);
    struct node_event events[2] = {0};
    size_t count = 0;

    if (!end->told) {
        events[count].kind = NODE_LINK_OPENED;
        events[count].link.id = (uint32_t)end->id;
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
    hub_process_step(w, hub_of(w, end), &event);
}

/* The other side's bytes are out of the way. */
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
        return; /* Nobody acknowledges it. */
    taken(w, p, 1 - side, e->size);
    if (!end->open || end->deaf)
        return;
    if (w->hosts[end->host].is_relay ? hub_of(w, end) == NULL
                                     : process_of(w, end) == NULL)
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
        return; /* It drained meanwhile. */
    end->blocked = blocked;
    if (w->hosts[end->host].is_relay) {
        struct hub_event event = {.kind = blocked ? HUB_BLOCKED : HUB_WRITABLE,
                                  .conn = end->id};

        hub_process_step(w, hub_of(w, end), &event);
    } else {
        struct node_event event = {.kind = blocked ? NODE_LINK_BLOCKED
                                                   : NODE_LINK_WRITABLE};

        event.link.id = (uint32_t)end->id;
        process_step(w, process_of(w, end), &event, 1);
    }
}

void pipes_handle(struct world *w, struct event *e)
{
    struct pipe *p = e->pipe;

    switch ((unsigned)e->kind) {
    case EVENT_CONNECT:
        connect_arrives(w, p, e->host);
        break;
    case EVENT_CONNECTED:
        connected(w, p, e->failure);
        break;
    case EVENT_PACKET:
        arrive(w, p, e->side, e);
        break;
    case EVENT_CLOSE:
        if (p->ends[e->side].open)
            tell_closed(w, p, e->side);
        break;
    case EVENT_BLOCKED:
    case EVENT_WRITABLE:
        tell_room(w, p, e->side, e->kind == EVENT_BLOCKED);
        break;
    default:
        ASSERT(false);
    }
}

/* --- ending
 * ---------------------------------------------------------------------- */

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

/* A host that comes back answers what it does not know with a reset. */
void pipes_power_on(struct world *w, int host)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next)
        for (int side = 0; side < 2; side++)
            if (p->ends[side].host == host && !p->ends[side].open &&
                p->ends[1 - side].host >= 0 && p->ends[1 - side].open)
                send_event(w, p, side, EVENT_CLOSE, bytes_of(NULL, 0));
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

static bool is_between(const struct pipe *p, int a, int b)
{
    return (p->ends[0].host == a && p->ends[1].host == b) ||
           (p->ends[0].host == b && p->ends[1].host == a);
}

/* Retransmissions find the way again a little later. */
void pipes_go_on(struct world *w, int a, int b)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next) {
        struct pipe_end *end;

        if (!is_between(p, a, b))
            continue;
        end = &p->ends[p->ends[0].host == a ? 0 : 1];
        if (end->stalled.first == NULL)
            continue;
        end->last_arrival = instant_max(
            end->last_arrival,
            instant_after(w->now, rng_span(&w->rng, span_ms(1), span_ms(500))));
        while (end->stalled.first != NULL) {
            struct event *e = end->stalled.first;

            end->stalled.first = e->next;
            schedule(w, p, end == &p->ends[0] ? 0 : 1, e);
        }
    }
}

void pipes_break(struct world *w, int a, int b)
{
    for (struct pipe *p = w->pipes; p != NULL; p = p->next) {
        if (!is_between(p, a, b))
            continue;
        for (int side = 0; side < 2; side++) {
            struct event *e;

            drop_stalled(w, &p->ends[side]);
            if (!p->ends[side].open)
                continue;
            e = world_event(w, EVENT_CLOSE, p->ends[side].host);
            e->pipe = p;
            e->side = side;
            world_post(w, e, instant_after(w->now, p->delay));
        }
    }
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
