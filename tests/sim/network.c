#include "tests/sim/world.h"

#include "tests/sim/hostile.h"

/* A firewall lets answers in for so long. */
static const struct span flow_kept = {30 * 1000 * 1000};

static bool is_up(const struct host *h)
{
    return !h->off;
}

static int owner_on(const struct world *w, int segment,
                    const struct address *to)
{
    for (int i = 0; i < w->host_count; i++)
        for (size_t k = 0; k < w->hosts[i].interface_count; k++) {
            const struct interface *face = &w->hosts[i].interfaces[k];

            if (face->segment == segment && address_same_ip(&face->address, to))
                return i;
        }
    return -1;
}

static struct span delay_of(struct world *w, const struct segment *s)
{
    return rng_span(&w->rng, s->delay, span_us(s->delay.us + s->jitter.us));
}

struct route network_route(struct world *w, int from, const struct address *to)
{
    const struct host *h = &w->hosts[from];
    struct route r = {.host = -1};

    /* A segment of one's own first, as a routing table has it. */
    for (size_t k = 0; k < h->interface_count; k++) {
        int own = h->interfaces[k].segment;
        int owner = owner_on(w, own, to);

        if (owner >= 0)
            return (struct route){owner, h->interfaces[k].address,
                                  delay_of(w, &w->segments[own]),
                                  &w->segments[own]};
    }
    for (size_t k = 0; k < h->interface_count; k++) {
        const struct segment *own = &w->segments[h->interfaces[k].segment];

        for (int s = 0; s < w->segment_count; s++) {
            int owner = own->reaches[s] ? owner_on(w, s, to) : -1;

            if (owner < 0)
                continue;
            r.host = owner;
            r.first = own;
            r.seen_from = s == INTERNET && own->nat ? own->outside
                                                    : h->interfaces[k].address;
            r.delay =
                span_us(delay_of(w, own).us + delay_of(w, &w->segments[s]).us);
            return r;
        }
    }
    return r;
}

bool network_may_open(const struct world *w, int a, int b)
{
    if (w->hosts[b].is_relay)
        return true;
    return !w->hosts[a].only_relays && !w->hosts[b].refuses_incoming;
}

bool network_reaches(struct world *w, int a, int b)
{
    const struct host *to = &w->hosts[b];
    struct rng kept = w->rng; /* A question must not change the run. */
    bool reaches = false;

    if (a == b || !network_may_open(w, a, b))
        return false;
    for (size_t k = 0; !reaches && k < to->interface_count; k++)
        reaches = network_route(w, a, &to->interfaces[k].address).host == b;
    w->rng = kept;
    return reaches;
}

/* --- datagrams --------------------------------------------------------- */

static void send_datagram(struct world *w, int from, int to,
                          const struct segment *s,
                          const struct address *seen_from, struct span delay,
                          bool multicast, struct bytes bytes)
{
    struct event *e;

    if (from == to || w->cut[from][to] || !is_up(&w->hosts[to]) ||
        rng_chance(&w->rng, s->loss_percent))
        return;
    e = world_event(w, EVENT_DATAGRAM, to);
    e->flag = multicast;
    e->address = *seen_from;
    event_data(e, hostile_words(w, from, bytes));
    world_post(w, e, instant_after(w->now, delay));
}

void network_multicast(struct world *w, int from, struct bytes bytes)
{
    const struct host *h = &w->hosts[from];

    for (size_t k = 0; k < h->interface_count; k++) {
        struct segment *s = &w->segments[h->interfaces[k].segment];
        struct address seen = h->interfaces[k].address;

        seen.port = h->process->udp_port;
        for (int i = 0; s->multicast && i < w->host_count; i++)
            for (size_t n = 0; network_may_open(w, from, i) &&
                               n < w->hosts[i].interface_count;
                 n++)
                if (w->hosts[i].interfaces[n].segment ==
                    h->interfaces[k].segment)
                    send_datagram(w, from, i, s, &seen, delay_of(w, s), true,
                                  bytes);
    }
}

/* Who sent from this address, and would be answered through its firewall. */
static int owner_of_flow(const struct world *w, int from,
                         const struct address *to)
{
    for (int i = 0; i < w->host_count; i++) {
        const struct process *p = w->hosts[i].process;

        if (p != NULL && p->udp_port == to->port && w->flows[i][from].us > 0 &&
            !instant_reached(instant_after(w->flows[i][from], flow_kept),
                             w->now))
            return i;
    }
    return -1;
}

static void answer_flow(struct world *w, int from, const struct address *to,
                        struct bytes bytes)
{
    int owner = owner_of_flow(w, from, to);
    struct address seen = w->hosts[from].interfaces[0].address;
    const struct segment *s = &w->segments[INTERNET];

    seen.port = w->hosts[from].process->udp_port;
    if (owner >= 0)
        send_datagram(w, from, owner, s, &seen, delay_of(w, s), false, bytes);
}

void network_datagram(struct world *w, int from, const struct address *to,
                      struct bytes bytes)
{
    struct route r = network_route(w, from, to);
    const struct process *there;

    if (r.host == from)
        return;
    if (r.host < 0 || !network_may_open(w, from, r.host)) {
        answer_flow(w, from, to, bytes);
        return;
    }
    there = w->hosts[r.host].process;
    if (there == NULL ||
        (to->port != DISCOVERY_PORT && to->port != there->udp_port))
        return;
    w->flows[from][r.host] = w->now;
    r.seen_from.port = w->hosts[from].process->udp_port;
    send_datagram(w, from, r.host, r.first, &r.seen_from, r.delay, false,
                  bytes);
}

/* --- faults ------------------------------------------------------------ */

void network_cut(struct world *w, int a, int b)
{
    world_say(w, "cut %d -> %d", a, b);
    world_trace(w, "cut", (uint64_t)a, (uint64_t)b, bytes_of(NULL, 0));
    world_disturb(w, a);
    world_disturb(w, b);
    w->cut[a][b] = true;
}

void network_heal(struct world *w, int a, int b, bool breaks)
{
    world_say(w, "heal %d -> %d%s", a, b, breaks ? ", streams break" : "");
    world_trace(w, "heal", (uint64_t)a, (uint64_t)b, bytes_of(NULL, 0));
    world_disturb(w, a);
    world_disturb(w, b);
    w->cut[a][b] = false;
    if (breaks)
        pipes_break(w, a, b);
    else
        pipes_go_on(w, a, b);
}

void network_heal_all(struct world *w, bool breaks)
{
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if (w->cut[a][b])
                network_heal(w, a, b, breaks);
}

void network_reset(struct world *w, int a, int b)
{
    world_say(w, "reset %d - %d", a, b);
    world_trace(w, "reset", (uint64_t)a, (uint64_t)b, bytes_of(NULL, 0));
    world_disturb(w, a);
    world_disturb(w, b);
    pipes_break(w, a, b);
}
