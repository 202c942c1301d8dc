#include "tests/sim/udp_hosts.h"

#include "common/base/memory.h"
#include "tests/sim/checkers.h"
#include "tests/sim/udp_hosts_private.h"
#include "tests/sim/udp_stun.h"

#include <stdlib.h>

/* --- building ---------------------------------------------------------- */

void udp_hosts_begin(struct world *w)
{
    struct udp_hosts *u = memory_new(sizeof(*u));

    w->udp_hosts = u;
    u->links = udp_links_new();
    udp_stun_begin(w);
    w->udp->receiver = udp_hosts_receive;
    for (int s = 0; s < SEGMENTS; s++)
        u->realms_v6[s] = UDP_NO_REALM;
    for (int s = 0; s < SEGMENTS; s++)
        u->realms[s] = s == INTERNET ? UDP_INTERNET : UDP_NO_REALM;
    for (int i = 0; i < HOSTS; i++) {
        u->hosts[i].has = !w->hosts[i].is_relay;
        u->hosts[i].wire =
            (struct udp_link){.delay = span_ms(1), .jitter = span_us(200)};
        u->hosts[i].usual_wire = u->hosts[i].wire;
        if (i < w->host_count)
            udp_hosts_plug(w, i);
    }
}

void udp_hosts_free(struct world *w)
{
    if (w->udp_hosts == NULL)
        return;
    udp_links_free(&w->udp_hosts->links);
    for (int i = 0; i < HOSTS; i++)
        free(w->udp_hosts->hosts[i].sockets);
    free(w->udp_hosts);
    w->udp_hosts = NULL;
}

int udp_hosts_carrier(struct world *w, const struct nat_conf *conf, int realm)
{
    const struct udp_link wire = {.delay = span_ms(5), .jitter = span_ms(1)};
    int box = udp_add_box(w, realm, conf);

    ASSERT(box < UDP_BOXES);
    udp_set_links(w, udp_plug_of_box(w, box), &wire);
    w->udp_hosts->boxes[box].conf = *conf;
    w->udp_hosts->boxes[box].realm = realm;
    return box;
}

int udp_hosts_box(struct world *w, int segment, const struct nat_conf *conf,
                  int realm)
{
    const struct segment *s = &w->segments[segment];
    struct nat_conf actual = *conf;
    int box;

    if (s->nat && actual.outside_count == 0)
        actual.outside[actual.outside_count++] = s->outside;
    box = udp_hosts_carrier(w, &actual, realm);
    w->udp_hosts->realms[segment] = box;
    for (int i = 0; i < w->host_count; i++)
        udp_hosts_plug(w, i);
    return box;
}

void udp_hosts_firewall_v6(struct world *w, int segment,
                           const struct nat_conf *conf)
{
    ASSERT(segment != INTERNET && conf->outside_count == 0);
    if (!w->udp_hosts->v6)
        udp_stun_begin_v6(w);
    w->udp_hosts->v6 = true;
    w->udp_hosts->realms_v6[segment] = udp_hosts_carrier(w, conf, UDP_INTERNET);
    for (int i = 0; i < w->host_count; i++)
        udp_hosts_plug(w, i);
}

int udp_hosts_realm_v6(const struct world *w, int segment)
{
    return w->udp_hosts->realms_v6[segment];
}

int udp_hosts_realm(const struct world *w, int segment)
{
    return w->udp_hosts->realms[segment];
}

void udp_hosts_without(struct world *w, int host)
{
    w->udp_hosts->hosts[host].has = false;
}

void udp_hosts_easy(struct world *w, int host)
{
    w->udp_hosts->hosts[host].easy = true;
}

bool udp_hosts_has(const struct world *w, int host)
{
    return w->udp_hosts != NULL && w->udp_hosts->hosts[host].has;
}

bool udp_hosts_is_easy(const struct world *w, int host)
{
    return w->udp_hosts != NULL && w->udp_hosts->hosts[host].easy;
}

/* --- plugs ------------------------------------------------------------- */

static void set_wire(struct world *w, int host, const struct udp_place *p)
{
    udp_set_links(w, udp_plug_of_host(w, host, p->realm),
                  &w->udp_hosts->hosts[host].wire);
}

static struct udp_place place_v4(const struct world *w,
                                 const struct host_interface *face)
{
    return (struct udp_place){udp_hosts_realm(w, face->segment), face->address};
}

/* The address changes with the one for IPv4. */
static struct udp_place place_v6(const struct world *w,
                                 const struct host_interface *face)
{
    struct udp_place p = {
        udp_hosts_realm_v6(w, face->segment),
        {.family = ADDRESS_V6,
         .ip = {0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)face->segment}}};

    memcpy(p.address.ip + 12, face->address.ip, 4);
    return p;
}

static bool is_same_place(const struct udp_place *a, const struct udp_place *b)
{
    return a->realm == b->realm && address_same_ip(&a->address, &b->address);
}

static bool is_still_so(const struct world *w, int host,
                        const struct udp_place *p)
{
    const struct host *h = &w->hosts[host];

    for (size_t i = 0; i < h->interface_count; i++) {
        struct udp_place v4 = place_v4(w, &h->interfaces[i]);
        struct udp_place v6 = place_v6(w, &h->interfaces[i]);

        if (!h->interfaces[i].down &&
            (is_same_place(&v4, p) || is_same_place(&v6, p)))
            return true;
    }
    return false;
}

static bool is_plugged(const struct udp_host *u, int realm)
{
    for (size_t i = 0; i < u->place_count; i++)
        if (u->places[i].realm == realm)
            return true;
    return false;
}

static void plug(struct world *w, int host, struct udp_place p)
{
    struct udp_host *u = &w->udp_hosts->hosts[host];
    char ip[ADDRESS_TEXT_SIZE];

    if (p.realm == UDP_NO_REALM || is_plugged(u, p.realm))
        return;
    u->places[u->place_count++] = p;
    udp_plug(w, host, p.realm, address_format_ip(&p.address, ip));
    set_wire(w, host, &p);
}

void udp_hosts_plug(struct world *w, int host)
{
    const struct host *h = &w->hosts[host];
    struct udp_host *u;

    if (w->udp_hosts == NULL || h->is_relay)
        return;
    u = &w->udp_hosts->hosts[host];
    for (size_t i = 0; i < u->place_count;)
        if (is_still_so(w, host, &u->places[i])) {
            i++;
        } else {
            udp_unplug(w, host, u->places[i].realm);
            u->places[i] = u->places[--u->place_count];
        }
    for (size_t i = 0; i < h->interface_count; i++)
        if (!h->interfaces[i].down) {
            plug(w, host, place_v4(w, &h->interfaces[i]));
            plug(w, host, place_v6(w, &h->interfaces[i]));
        }
}

size_t udp_hosts_addresses(const struct world *w, int host,
                           struct address list[FAMILIES * INTERFACES])
{
    const struct host *h = &w->hosts[host];
    size_t count = 0;

    for (size_t i = 0; i < h->interface_count; i++) {
        const struct host_interface *face = &h->interfaces[i];

        list[count++] = face->address;
        if (w->udp_hosts != NULL && !face->down &&
            udp_hosts_realm_v6(w, face->segment) != UDP_NO_REALM)
            list[count++] = place_v6(w, face).address;
    }
    return count;
}

void udp_hosts_wire(struct world *w, int host, const struct udp_link *both)
{
    struct udp_host *u = &w->udp_hosts->hosts[host];

    u->wire = *both;
    for (size_t i = 0; i < u->place_count; i++)
        set_wire(w, host, &u->places[i]);
}

const struct udp_link *udp_hosts_get_wire(const struct world *w, int host)
{
    return &w->udp_hosts->hosts[host].wire;
}

void udp_hosts_keep_wire(struct world *w, int host)
{
    w->udp_hosts->hosts[host].usual_wire = w->udp_hosts->hosts[host].wire;
}

void udp_hosts_mend_wire(struct world *w, int host)
{
    udp_hosts_wire(w, host, &w->udp_hosts->hosts[host].usual_wire);
}

void udp_hosts_renumber(struct world *w, int segment)
{
    char ip[ADDRESS_TEXT_SIZE];
    int box;

    if (w->udp_hosts == NULL || udp_hosts_realm(w, segment) == UDP_NO_REALM)
        return;
    box = udp_hosts_realm(w, segment);
    address_format_ip(&w->segments[segment].outside, ip);
    udp_restart_box(w, box,
                    w->udp_hosts->boxes[box].realm == UDP_INTERNET ? ip : NULL);
}

/* --- what a process does ------------------------------------------------- */

struct event *udp_event_of(struct world *w, const struct process *p,
                           enum udp_event what, uint64_t argument)
{
    struct event *e = world_event(w, EVENT_UDP, p->host);

    e->serial = p->serial;
    e->side = (int)what;
    e->argument = argument;
    return e;
}

size_t udp_hosts_start(struct world *w, struct process *p,
                       struct node_event events[UDP_HOSTS_EVENTS])
{
    static struct address servers[STUN_ADDRESSES]; /* for the step's time */

    if (!udp_hosts_has(w, p->host))
        return 0;
    events[0] = (struct node_event){.kind = NODE_STUN_SERVERS_ARE};
    events[0].addresses.list = servers;
    events[0].addresses.count = udp_stun_list(w, p->host, servers);
    events[1] = (struct node_event){.kind = NODE_UDP_OPENED};
    events[1].udp.count = 1;
    events[1].udp.port = node_sockets_open(w, p->host, 0, 1, p->udp_port);
    return 2;
}

void udp_hosts_close_links(struct world *w, int host)
{
    if (w->udp_hosts != NULL && w->hosts[host].process != NULL)
        udp_links_end_all(w, w->hosts[host].process, true);
}

void udp_hosts_ended(struct world *w, int host)
{
    if (w->udp_hosts == NULL)
        return;
    udp_links_end_all(w, w->hosts[host].process, false);
    node_sockets_close_all(w, host);
}

static void opens(struct world *w, const struct process *p,
                  const struct node_todo *t)
{
    struct event *e = udp_event_of(
        w, p, UDP_EVENT_OPENED, (uint64_t)t->udp.socket << 32 | t->udp.count);

    e->address.port =
        node_sockets_open(w, p->host, t->udp.socket, t->udp.count, 0);
    world_post(w, e, w->now);
}

void udp_hosts_todo(struct world *w, struct process *p,
                    const struct node_todo *t)
{
    if (w->udp_hosts == NULL)
        return;
    switch ((unsigned)t->kind) {
    case NODE_UDP_OPEN:
        opens(w, p, t);
        break;
    case NODE_UDP_CLOSE:
        node_sockets_close(w, p->host, t->udp.socket, t->udp.count);
        break;
    case NODE_UDP_SEND:
        udp_socket_send(w, p->host, t->udp.socket, &t->udp.to, t->udp.bytes,
                        t->udp.ttl);
        break;
    case NODE_CONNECT_UDP:
        udp_links_connect(w, p, t);
        break;
    default:
        ASSERT(false);
    }
}

/* --- what comes to a process ---------------------------------------------- */

static void datagram(struct world *w, struct process *p, uint32_t socket,
                     const struct address *from, struct bytes bytes)
{
    struct node_event event = {.kind = NODE_UDP_DATAGRAM};

    if (udp_links_take(w, p, from, bytes))
        return;
    event.udp.socket = socket;
    event.udp.from = *from;
    event.udp.bytes = bytes;
    process_step(w, p, &event, 1);
}

static void opened(struct world *w, struct process *p, const struct event *e)
{
    struct node_event event = {.kind = NODE_UDP_OPENED};

    event.udp.socket = (uint32_t)(e->argument >> 32);
    event.udp.count = (uint32_t)e->argument;
    event.udp.port = e->address.port;
    process_step(w, p, &event, 1);
}

void udp_hosts_handle(struct world *w, struct event *e)
{
    struct process *p = w->hosts[e->host].process;

    if (p == NULL || p->serial != e->serial)
        return;
    switch ((enum udp_event)e->side) {
    case UDP_EVENT_OPENED:
        opened(w, p, e);
        break;
    case UDP_EVENT_DATAGRAM:
        if (node_sockets_has(w, e->host, (uint32_t)e->argument))
            datagram(w, p, (uint32_t)e->argument, &e->address,
                     bytes_of(e->data, e->size));
        break;
    case UDP_EVENT_LINK_DUE:
        udp_links_due(w, p, (uint32_t)e->argument);
        break;
    case UDP_EVENT_LINK_ROOM:
        udp_links_room(w, p, (uint32_t)e->argument);
        break;
    }
}

/* The kernel of a host whose process is stopped keeps what comes. */
void udp_hosts_receive(struct world *w, const struct udp_delivery *d)
{
    const struct host *h;
    uint32_t socket;
    struct event *e;

    if (udp_stun_take(w, d))
        return;
    h = &w->hosts[d->host];
    if (h->process == NULL || h->asleep ||
        !node_sockets_of_port(w, d->host, d->to.port, &socket))
        return;
    e = udp_event_of(w, h->process, UDP_EVENT_DATAGRAM, socket);
    e->address = d->from;
    event_data(e, d->bytes);
    world_post(w, e, w->now);
}

/* --- in the end ---------------------------------------------------------- */

void udp_hosts_settle(struct world *w)
{
    if (w->udp_hosts == NULL)
        return;
    for (int i = 0; i < w->host_count; i++) {
        const struct process *p = w->hosts[i].process;
        size_t most = 1 + UDP_HOSTS_ROUND_SOCKETS +
                      UDP_HOSTS_SOCKETS_MOST * (size_t)w->host_count;

        if (p != NULL && w->udp_hosts->hosts[i].socket_count > most)
            world_fail(w, "udp-socket", "%d has %zu sockets", i,
                       w->udp_hosts->hosts[i].socket_count);
        if (p != NULL && udp_links_count(w, p) > (size_t)w->host_count)
            world_fail(w, "udp-socket", "%d has %zu links over UDP", i,
                       udp_links_count(w, p));
    }
}
