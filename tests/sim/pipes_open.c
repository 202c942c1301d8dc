/*
 * How connections open, and how CURVE refuses them.
 */
#include "tests/sim/pipes_private.h"

#include "common/base/memory.h"

/* A connection attempt without an answer fails after this time. */
static const struct span connect_timeout = {4 * 1000 * 1000};

static struct pipe *new_pipe(struct world *w, int from, uint32_t serial,
                             uint64_t link)
{
    struct pipe *p = memory_new(sizeof(*p));

    if (w->next_pipe % 64 == 0)
        pipes_sweep(w);
    p->serial = ++w->next_pipe;
    p->next = w->pipes;
    w->pipes = p;
    p->ends[0] = (struct pipe_end){
        .pipe = p, .host = from, .serial = serial, .id = link};
    p->ends[0].told = p->ends[0].open = true;
    p->ends[1].host = -1;
    pipe_enter(w, &p->ends[0]);
    return p;
}

static void answer(struct world *w, struct pipe *p, struct span after,
                   enum link_failure failure)
{
    struct event *e = world_event(w, EVENT_CONNECTED, p->ends[0].host);

    event_pipe(e, p, 0);
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
    p->nat = -1;
    if (r->first != NULL && r->first->nat &&
        address_same_ip(&r->seen_from, &r->first->outside))
        p->nat = (int)(r->first - w->segments);
    p->ends[0].home = r->ends[0];
    p->ends[1].home = r->ends[1];
    if (r->host < 0 || w->hosts[r->host].off ||
        !network_may_open(w, p->ends[0].host, r->host) ||
        !network_passes(w, p->ends[0].host, r->host, 0)) {
        answer(w, p, connect_timeout, LINK_UNREACHABLE);
        return;
    }
    if (pipe_form_fails(w, p) != 0) {
        answer(w, p,
               pipe_form_fails(w, p) == LINK_TIMEOUT ? connect_timeout
                                                     : span_times(r->delay, 2),
               pipe_form_fails(w, p));
        return;
    }
    e = world_event(w, EVENT_CONNECT, r->host);
    event_pipe(e, p, 1);
    /* The round trips of the handshakes, up to the connector's last command. */
    world_post(
        w, e, instant_after(w->now, span_times(r->delay, pipe_form_delays(p))));
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
                         uint32_t link, int relay, enum relay_form form,
                         const struct curve_key *key)
{
    struct pipe *p = new_pipe(w, process->host, process->serial, link);
    struct route r;

    p->to_relay = true;
    p->form = form;
    w->hosts[process->host].tried[form]++;

    p->to = w->hosts[relay].interfaces[0].address;
    p->to.port = 443;
    memcpy(p->connector_key.key, node_identity_keys(process->node)->public_key,
           32);
    r = network_route(w, process->host, &p->to);
    begin(w, p, &r, key);
}

/* The listener's part of the handshake. */
void pipe_arrives(struct world *w, struct pipe *p, int host)
{
    struct host *h = &w->hosts[host];
    struct pipe_end *end = &p->ends[1];
    struct curve_key key;

    if (!network_passes(w, host, p->ends[0].host, 0)) {
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
    end->pipe = p;
    end->host = host;
    end->open = true;
    if (h->is_relay) {
        end->serial = h->hub->serial;
        end->id = p->serial;
    } else {
        end->serial = h->process->serial;
        h->process->next_incoming += 2;
        end->id = h->process->next_incoming;
    }
    pipe_enter(w, end);
    answer(w, p, p->delay, (enum link_failure)0);
}

void pipe_connected(struct world *w, struct pipe *p, enum link_failure failure)
{
    struct process *process = pipe_process(w, &p->ends[0]);
    struct node_event event = {.kind = NODE_LINK_OPENED};

    if (process == NULL || !p->ends[0].open)
        return;
    event.link.id = (uint32_t)p->ends[0].id;
    event.link.address = p->to;
    if (failure == 0)
        pipe_form_opened(w, p);
    if (failure != 0) {
        p->ends[0].open = false;
        event.kind = NODE_LINK_CLOSED;
        event.link.failure = failure;
    }
    process_step(w, process, &event, 1);
}
