#include "tests/sim/world.h"

#include "common/base/memory.h"
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/forms.h"
#include "tests/sim/story.h"
#include "tests/sim/udp_hosts.h"
#include "tests/sim/udp_links.h"

#include <stdlib.h>

static void arm(struct world *w, struct process *p)
{
    struct instant at = node_deadline(p->node);
    struct event *e;

    at = instant_max(at, w->now);
    if (instant_is_never(at) || at.us >= p->tick_at.us)
        return;
    e = world_event(w, EVENT_TICK, p->host);
    e->serial = p->serial;
    world_post(w, e, at);
    p->tick_at = at;
}

static void do_todo(struct world *w, struct process *p,
                    const struct node_todo *t)
{
    struct host *h = &w->hosts[p->host];

    switch (t->kind) {
    case NODE_MULTICAST:
        network_multicast(w, p->host, t->bytes);
        return;
    case NODE_SEND_TO:
        network_datagram(w, p->host, &t->link.address, t->link.bytes);
        return;
    case NODE_CONNECT:
        pipes_connect(w, p, t->link.id, &t->link.address, &t->link.key);
        return;
    case NODE_CONNECT_RELAY:
        ASSERT(t->link.relay < h->relay_count);
        pipes_connect_relay(w, p, t->link.id, h->relays[t->link.relay],
                            t->link.form, &t->link.key);
        return;
    case NODE_DISCONNECT:
        if (!udp_links_close(w, p, t->link.id))
            pipes_close(w, p->host, t->link.id);
        return;
    case NODE_WRITE:
        if (!udp_links_write(w, p, t->link.id, t->link.bytes))
            pipes_write(w, p->host, t->link.id, t->link.bytes);
        return;
    case NODE_JOINED:
    case NODE_LEFT:
    case NODE_PATH:
    case NODE_MESSAGE:
    case NODE_REPORT:
    case NODE_READY:
    case NODE_GAP:
        checkers_observe(w, p, t);
        return;
    case NODE_RELAY:
        forms_note(w, p, t->relay);
        checkers_note(w, p, t);
        return;
    case NODE_REFUSED:
    case NODE_REVOKED:
        checkers_note(w, p, t);
        return;
    case NODE_CONNECT_UDP:
    case NODE_UDP_OPEN:
    case NODE_UDP_CLOSE:
    case NODE_UDP_SEND:
        udp_hosts_todo(w, p, t);
        return;
    case NODE_LARGE_LOST: /* The model has no TCP segments. */
        return;
    case NODE_DONE:
        if (w->sabotage != SABOTAGE_NO_DONE)
            world_at(w, span_us(0), host_left, p->host, p->serial);
        return;
    }
}

static void trace_todo(struct world *w, const struct process *p,
                       const struct node_todo *t)
{
    struct bytes bytes = bytes_of(NULL, 0);
    uint64_t number = (uint64_t)t->kind << 32;

    if (t->kind == NODE_WRITE || t->kind == NODE_SEND_TO) {
        bytes = t->link.bytes;
        number |= t->link.id;
    } else if (t->kind == NODE_UDP_SEND) {
        bytes = t->udp.bytes;
        number |= t->udp.socket;
    } else if (t->kind == NODE_MULTICAST || t->kind == NODE_REVOKED) {
        bytes = t->bytes;
    } else if (t->kind == NODE_REPORT) {
        number ^= t->report.ref.value * 8 + (uint64_t)t->report.outcome;
    } else if (t->kind == NODE_MESSAGE) {
        bytes = t->peer.message.data;
    }
    world_trace(w, "todo", (uint64_t)p->host, number, bytes);
}

static void handle_todo(struct world *w, struct process *p,
                        const struct node_todo *t)
{
    trace_todo(w, p, t);
    story_todo(w, p, t);
    do_todo(w, p, t);
}

void process_step(struct world *w, struct process *p,
                  const struct node_event *events, size_t count)
{
    size_t done = 0;

    w->steps++;
    for (size_t i = 0; i < count; i++)
        world_trace(w, "event", (uint64_t)p->host, (uint64_t)events[i].kind,
                    events[i].kind == NODE_LINK_PACKET ? events[i].link.bytes
                                                       : bytes_of(NULL, 0));
    node_step(p->node, w->now, events, count, &w->todo);
    for (; done < w->todo.count && !w->failed; done++)
        handle_todo(w, p, &w->todo.items[done]);
    todo_clear(&w->todo);
    if (!w->failed)
        checkers_after_step(w, p);
    arm(w, p);
}

void process_handle(struct world *w, struct event *e)
{
    struct process *p = w->hosts[e->host].process;
    struct node_event event = {.kind = NODE_TICK};

    if (p == NULL)
        return;
    if (e->kind == EVENT_TICK) {
        if (e->at.us != p->tick_at.us)
            return; /* An earlier tick replaced this one. */
        p->tick_at = INSTANT_NEVER;
    }
    if (e->kind == EVENT_CLOCK) {
        struct event *next = world_event(w, EVENT_CLOCK, e->host);

        event.kind = NODE_CLOCK;
        event.unix_seconds = host_unix_now(w, e->host);
        next->serial = p->serial;
        world_post(w, next, instant_after(w->now, span_s(60)));
    }
    if (e->kind == EVENT_DATAGRAM) {
        event.kind = NODE_DATAGRAM;
        event.datagram.from = e->address;
        event.datagram.multicast = e->flag;
        event.datagram.bytes = bytes_of(e->data, e->size);
    }
    process_step(w, p, &event, 1);
}

void host_event(struct world *w, int host, const struct node_event *event)
{
    struct process *p = w->hosts[host].process;

    if (p != NULL && !w->hosts[host].frozen && !w->failed)
        process_step(w, p, event, 1);
}

/* What the node said of a message at once is checked like a report. */
static void said(struct world *w, struct process *p, struct node_ref ref,
                 enum node_outcome outcome)
{
    handle_todo(w, p,
                &(struct node_todo){
                    .kind = NODE_REPORT,
                    .report = {.ref = ref, .outcome = outcome, .rtt = {-1}}});
}

void host_send(struct world *w, int host, struct node_ref ref,
               const struct node_id *to, const struct message *m)
{
    struct process *p = w->hosts[host].process;
    enum node_outcome why;

    if (p == NULL || w->hosts[host].frozen || w->failed)
        return;
    if (!node_submit(p->node, w->now, ref, to, m, &why))
        said(w, p, ref, why);
    process_step(w, p, NULL, 0);
}

void host_publish(struct world *w, int host, struct node_ref ref,
                  const struct message *m)
{
    struct process *p = w->hosts[host].process;
    enum node_outcome why;
    uint32_t peers;

    if (p == NULL || w->hosts[host].frozen || w->failed)
        return;
    bool taken = node_publish(p->node, w->now, m, &peers, &why);
    checkers_published(w, ref.value, peers);
    said(w, p, ref, taken ? OUTCOME_DELIVERED : why);
    process_step(w, p, NULL, 0);
}

/* --- starting ---------------------------------------------------------- */

/* Writes the names of its groups and of the version; returns how many. */
static size_t process_groups(const struct process *p,
                             char version[GROUP_VERSION_SIZE],
                             const char *list[GROUPS])
{
    size_t count = 0;

    if (p->accounts_version == 0)
        return 0;
    accounts_version(p, version);
    list[count++] = version;
    for (int g = 1; g < GROUPS; g++)
        if (accounts_is_member(p, g))
            list[count++] = accounts_name(g);
    return count;
}

void host_set_groups(struct world *w, int host, uint32_t groups)
{
    struct process *p = w->hosts[host].process;
    char version[GROUP_VERSION_SIZE];
    const char *list[GROUPS];
    struct node_event event = {.kind = NODE_SET_GROUPS};

    w->hosts[host].groups = groups;
    if (p == NULL || w->hosts[host].frozen)
        return;
    world_fault(w, "changes its groups", host, -1);
    accounts_changed(w, p, groups);
    event.groups.count = process_groups(p, version, list);
    event.groups.list = list;
    host_event(w, host, &event);
}

static struct node *new_node(struct world *w, struct host *h,
                             const struct process *p)
{
    char version[GROUP_VERSION_SIZE];
    const char *groups[GROUPS];
    struct node_conf conf = {
        .certificate =
            bytes_of(h->identity.certificate, h->identity.certificate_size),
        .mesh_secret = h->identity.secret,
        .revocations = h->revocations,
        .epoch = {p->epoch},
        .info = bytes_of_string("{\"role\":\"sim\"}"),
        .groups = groups,
        .group_count = process_groups(p, version, groups),
        .multicast = h->multicast,
        .tcp = h->tcp,
        .udp = udp_hosts_has(w, h->index),
        .udp_easy_only = udp_hosts_is_easy(w, h->index),
        .share_addresses = true,
        .relay = h->relay,
        .relay_count = h->relay_count,
        .beacon_interval = w->limits.beacon_interval,
        .probe = w->limits.probe,
        .lost_after = w->limits.lost_after,
        .limits = {.message = w->limits.message,
                   .window = w->limits.window,
                   .peers = h->peer_limit != 0 ? h->peer_limit : 4096,
                   .links = w->limits.links},
    };
    struct node *node;

    memcpy(conf.secret_key, h->identity.secret_key, sizeof(conf.secret_key));
    rng_fill(&w->rng, conf.seed, sizeof(conf.seed));
    /* Every other host has AES in hardware, if this machine has it. */
    conf.aes = crypto_aead_aes256gcm_is_available() != 0 &&
               h->identity.secret_key[0] % 2 == 0;
    for (size_t i = 0; i < h->relay_count; i++)
        conf.relay_keys[i] = w->hosts[h->relays[i]].relay_key;
    memset(conf.relay_forms, h->forms, sizeof(conf.relay_forms));
    node = node_new(&conf, w->now);
    ASSERT(node != NULL);
    return node;
}

static struct node_event
addresses_of(const struct world *w, int host,
             struct address list[FAMILIES * INTERFACES])
{
    struct node_event event = {.kind = NODE_ADDRESSES_ARE};

    event.addresses.list = list;
    event.addresses.count = udp_hosts_addresses(w, host, list);
    for (size_t i = 0; i < event.addresses.count; i++)
        list[i].port = w->hosts[host].process->tcp_port;
    return event;
}

void host_tell_addresses(struct world *w, int host)
{
    struct address list[FAMILIES * INTERFACES];
    struct node_event event = addresses_of(w, host, list);
    int8_t forms[NODE_RELAYS];

    if (w->hosts[host].forms != 0) {
        struct node_event worked = forms_event(w, host, forms);

        host_event(w, host, &worked);
    }
    host_event(w, host, &event);
}

static struct node_event
configured_of(const struct world *w, const struct host *h, struct address *list)
{
    struct node_event event = {.kind = NODE_PEERS_ARE};
    size_t count = 0;

    for (size_t i = 0; i < h->peer_count; i++) {
        const struct host *peer = &w->hosts[h->peers[i]];

        for (size_t k = 0; k < peer->interface_count; k++) {
            list[count] = peer->interfaces[k].address;
            list[count++].port = DISCOVERY_PORT;
        }
    }
    event.addresses.list = list;
    event.addresses.count = count;
    return event;
}

/* At the start a shell tells all that it knows in one step. */
static void first_step(struct world *w, struct host *h)
{
    struct address own[FAMILIES * INTERFACES], peers[HOSTS * INTERFACES];
    int8_t forms[NODE_RELAYS];
    struct node_event events[4 + UDP_HOSTS_EVENTS] = {
        {.kind = NODE_CLOCK},
        addresses_of(w, h->index, own),
        configured_of(w, h, peers),
    };
    size_t count = 3 + udp_hosts_start(w, h->process, events + 3);

    if (h->forms != 0)
        events[count++] = forms_event(w, h->index, forms);
    events[0].unix_seconds = host_unix_now(w, h->index);
    process_step(w, h->process, events, count);
}

static void start_edge(struct world *w, struct host *h)
{
    struct process *p = memory_new(sizeof(*p));
    struct event *clock = world_event(w, EVENT_CLOCK, h->index);

    p->host = h->index;
    p->serial = ++w->next_serial;
    p->epoch = host_unix_now(w, h->index) * 1000 + h->starts;
    p->tcp_port = (uint16_t)(7000 + (h->starts % 2) * 100 + 1);
    p->udp_port = (uint16_t)(30000 + p->serial);
    p->tick_at = INSTANT_NEVER;
    p->started = w->now;
    h->process = p;
    checkers_started(w, p);
    if (h->groups != 0)
        accounts_changed(w, p, h->groups);
    p->node = new_node(w, h, p);
    clock->serial = p->serial;
    world_post(w, clock, instant_after(w->now, span_s(60)));
    first_step(w, h);
    application_started(w, p);
}

void host_start(struct world *w, int host)
{
    struct host *h = &w->hosts[host];

    ASSERT(h->process == NULL && h->hub == NULL);
    world_fault(w, h->starts > 0 ? "starts again" : "starts", host, -1);
    if (h->starts > 0 || h->is_relay)
        world_disturb(w,
                      host); /* Nodes that met without a relay may meet anew. */
    if (h->off) {
        h->off = false;
        pipes_power_on(w, host);
    }
    h->starts++;
    if (h->is_relay)
        h->hub = hub_process_start(w, host);
    else
        start_edge(w, h);
}

void host_start_all(struct world *w)
{
    for (int i = 0; i < w->host_count; i++)
        if (w->hosts[i].process == NULL && w->hosts[i].hub == NULL)
            host_start(w, i);
}
