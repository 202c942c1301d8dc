#include "tests/sim/world.h"

#include "tests/sim/hostile.h"
#include "tests/sim/story.h"

/* How long a firewall lets answers in. */
static const struct span flow_kept = {30 * 1000 * 1000};

bool network_has(const struct world *w, int host,
                 const struct host_interface *i)
{
    const struct host *h = &w->hosts[host];

    for (size_t k = 0; k < h->interface_count; k++)
        if (h->interfaces[k].segment == i->segment && !h->interfaces[k].down &&
            address_same_ip(&h->interfaces[k].address, &i->address))
            return true;
    return false;
}

bool network_passes(const struct world *w, int a, int b, size_t size)
{
    return !w->cut[a][b] && !w->hosts[a].asleep && !w->hosts[b].asleep &&
           (w->narrow[a][b] == 0 || size <= w->narrow[a][b]);
}

/* The interface on the segment with the address; NULL: there is none. */
static const struct host_interface *owner_on(const struct world *w, int segment,
                                             const struct address *to,
                                             int *owner)
{
    for (int i = 0; i < w->host_count; i++)
        for (size_t k = 0; k < w->hosts[i].interface_count; k++) {
            const struct host_interface *face = &w->hosts[i].interfaces[k];

            if (face->segment == segment && !face->down &&
                address_same_ip(&face->address, to)) {
                *owner = i;
                return face;
            }
        }
    return NULL;
}

static struct span delay_of(struct world *w, const struct segment *s)
{
    return rng_span(&w->rng, s->delay, span_us(s->delay.us + s->jitter.us));
}

/* Whether the address is on the segment, reached by the interface; sets *r. */
static bool leads(struct world *w, const struct host_interface *out,
                  int segment, const struct address *to, struct route *r)
{
    const struct segment *own = &w->segments[out->segment];
    int owner = -1;
    const struct host_interface *there = owner_on(w, segment, to, &owner);

    if (out->down || there == NULL)
        return false;
    *r = (struct route){
        .host = owner,
        .seen_from = out->address,
        .delay = delay_of(w, own),
        .first = own,
        .ends = {*out, *there},
    };
    if (segment == out->segment)
        return true;
    r->delay.us += delay_of(w, &w->segments[segment]).us;
    if (segment == INTERNET && own->nat)
        r->seen_from = own->outside;
    return true;
}

struct route network_route(struct world *w, int from, const struct address *to)
{
    const struct host *h = &w->hosts[from];
    struct route r = {.host = -1};

    /* The host's own segments first, as in a routing table. */
    for (size_t k = 0; k < h->interface_count; k++)
        if (leads(w, &h->interfaces[k], h->interfaces[k].segment, to, &r))
            return r;
    for (size_t k = 0; k < h->interface_count; k++) {
        const struct host_interface *out = &h->interfaces[k];

        for (int s = 0; s < w->segment_count; s++)
            if (w->segments[out->segment].reaches[s] &&
                leads(w, out, s, to, &r))
                return r;
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
    struct rng kept = w->rng; /* This function must not change the run. */
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

    if (from == to || !network_passes(w, from, to, bytes.size) ||
        w->hosts[to].off || rng_chance(&w->rng, s->loss_percent))
        return;
    story_beacon(w, from, to, multicast);
    e = world_event(w, EVENT_DATAGRAM, to);
    e->flag = multicast;
    e->address = *seen_from;
    event_data(e, hostile_words(w, from, bytes));
    world_post(w, e, instant_after(w->now, delay));
}

static void multicast_on(struct world *w, int from,
                         const struct host_interface *out, struct bytes bytes)
{
    const struct segment *s = &w->segments[out->segment];
    struct address seen = out->address;

    seen.port = w->hosts[from].process->udp_port;
    for (int i = 0; s->multicast && !out->down && i < w->host_count; i++) {
        const struct host *to = &w->hosts[i];

        for (size_t n = 0;
             network_may_open(w, from, i) && n < to->interface_count; n++)
            if (to->interfaces[n].segment == out->segment &&
                !to->interfaces[n].down)
                send_datagram(w, from, i, s, &seen, delay_of(w, s), true,
                              bytes);
    }
}

void network_multicast(struct world *w, int from, struct bytes bytes)
{
    const struct host *h = &w->hosts[from];

    for (size_t k = 0; k < h->interface_count; k++)
        multicast_on(w, from, &h->interfaces[k], bytes);
}

/* The host that sent to `from` from this address, so that its firewall lets the
 * answer in; -1: none. */
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
