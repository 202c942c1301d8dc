#include "tests/sim/udp_net.h"

#include "common/base/memory.h"

#include <stdlib.h>

/* A host in a realm, or a box's outside. */
struct udp_plug {
    int realm;
    int host; /* -1: a box */
    int box;
    struct address address; /* of a host */
    struct udp_link links[2];
    struct instant last_arrival[2];
};

struct udp_box {
    struct nat *nat;
    bool translates;
    int plug;
};

struct udp_bound {
    int host;
    uint16_t port;
};

/* A packet at the end of a link. */
struct udp_flight {
    struct udp_packet packet;
    struct instant at;
    uint64_t order;
    int plug;
    enum udp_direction direction;
};

struct udp_net {
    struct rng rng;
    struct udp_plug *plugs;
    size_t plug_count, plug_capacity;
    struct udp_box *boxes; /* [0] is the Internet's place, without a box */
    size_t box_count, box_capacity;
    struct udp_bound *sockets;
    size_t socket_count, socket_capacity;
    struct udp_flight *queue; /* a heap */
    size_t queue_count, queue_capacity;
    uint64_t next_order, next_id;
    uint8_t *delivered; /* the bytes of the last delivery */
    udp_observer *observer;
    void *context;
};

struct udp_net *udp_net_new(uint64_t seed)
{
    struct udp_net *n = memory_new(sizeof(*n));

    n->rng.state = seed;
    n->next_id = 1;
    n->boxes = memory_array(1, sizeof(*n->boxes));
    n->box_count = n->box_capacity = 1;
    return n;
}

void udp_net_free(struct udp_net **self)
{
    struct udp_net *n = *self;

    if (n == NULL)
        return;
    for (size_t i = 0; i < n->box_count; i++)
        nat_free(&n->boxes[i].nat);
    for (size_t i = 0; i < n->queue_count; i++)
        free(n->queue[i].packet.data);
    free(n->plugs);
    free(n->boxes);
    free(n->sockets);
    free(n->queue);
    free(n->delivered);
    free(n);
    *self = NULL;
}

void udp_net_observe(struct udp_net *n, udp_observer *observer, void *context)
{
    n->observer = observer;
    n->context = context;
}

/* Room for one more item, of which there are `count`. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 16 : 2 * *capacity;
    return memory_resize(items, *capacity, size);
}

/* --- building ---------------------------------------------------------- */

static int add_plug(struct udp_net *n, struct udp_plug plug)
{
    n->plugs =
        grown(n->plugs, n->plug_count, &n->plug_capacity, sizeof(*n->plugs));
    n->plugs[n->plug_count] = plug;
    return (int)n->plug_count++;
}

int udp_net_add_box(struct udp_net *n, int realm, const struct nat_conf *conf)
{
    int box = (int)n->box_count;

    ASSERT(realm >= 0 && realm < box);
    n->boxes =
        grown(n->boxes, n->box_count, &n->box_capacity, sizeof(*n->boxes));
    n->boxes[n->box_count++] = (struct udp_box){
        .nat = nat_new(conf),
        .translates = conf->outside_count > 0,
        .plug = add_plug(
            n, (struct udp_plug){.realm = realm, .host = -1, .box = box}),
    };
    return box;
}

void udp_net_plug(struct udp_net *n, int host, int realm,
                  const struct address *address)
{
    struct udp_link link = {.delay = span_ms(1)};

    ASSERT(host >= 0 && realm >= 0 && realm < (int)n->box_count);
    add_plug(n, (struct udp_plug){.realm = realm,
                                  .host = host,
                                  .address = *address,
                                  .links = {link, link}});
}

void udp_net_unplug(struct udp_net *n, int host, int realm)
{
    /* Packets under way hold its index: the plug stays, without an address. */
    n->plugs[udp_net_plug_of_host(n, host, realm)].address.family =
        ADDRESS_NONE;
}

struct nat *udp_net_box(const struct udp_net *n, int box)
{
    ASSERT(box > 0 && box < (int)n->box_count);
    return n->boxes[box].nat;
}

int udp_net_plug_of_box(const struct udp_net *n, int box)
{
    ASSERT(box > 0 && box < (int)n->box_count);
    return n->boxes[box].plug;
}

int udp_net_plug_of_host(const struct udp_net *n, int host, int realm)
{
    for (size_t i = 0; i < n->plug_count; i++)
        if (n->plugs[i].host == host && n->plugs[i].realm == realm &&
            n->plugs[i].address.family != ADDRESS_NONE)
            return (int)i;
    ASSERT(false);
    return -1;
}

struct udp_link *udp_net_link(struct udp_net *n, int plug,
                              enum udp_direction direction)
{
    ASSERT(plug >= 0 && plug < (int)n->plug_count);
    return &n->plugs[plug].links[direction];
}

/* --- what is observed ---------------------------------------------------- */

static void show(const struct udp_net *n, struct udp_seen seen,
                 struct instant now)
{
    if (n->observer != NULL)
        n->observer(n->context, &seen, now);
}

static void end_packet(const struct udp_net *n, struct udp_packet *p, int plug,
                       enum udp_fate fate, struct instant now)
{
    show(n,
         (struct udp_seen){
             .step = UDP_ENDED, .plug = plug, .fate = fate, .packet = p},
         now);
    free(p->data);
}

const char *udp_fate_name(enum udp_fate fate)
{
    static const char *const names[UDP_FATES] = {
        [UDP_DELIVERED] = "delivered", [UDP_LOST] = "lost",
        [UDP_TOO_LARGE] = "too large", [UDP_NO_LINK] = "no link",
        [UDP_NO_ROUTE] = "no route",   [UDP_NO_SOCKET] = "no socket",
        [UDP_TTL_ENDED] = "ttl ended", [UDP_NO_HAIRPIN] = "no hairpin",
        [UDP_FULL] = "box full",       [UDP_UNMAPPED] = "unmapped",
        [UDP_FILTERED] = "filtered",   [UDP_TAKEN] = "taken",
    };

    return names[fate];
}

/* --- packets under way --------------------------------------------------- */

static bool comes_before(const struct udp_flight *a, const struct udp_flight *b)
{
    return a->at.us != b->at.us ? a->at.us < b->at.us : a->order < b->order;
}

static void post(struct udp_net *n, struct udp_flight flight)
{
    size_t i = n->queue_count;

    n->queue =
        grown(n->queue, n->queue_count, &n->queue_capacity, sizeof(*n->queue));
    n->queue_count++;
    flight.order = n->next_order++;
    for (; i > 0 && comes_before(&flight, &n->queue[(i - 1) / 2]);
         i = (i - 1) / 2)
        n->queue[i] = n->queue[(i - 1) / 2];
    n->queue[i] = flight;
}

static struct udp_flight take_first(struct udp_net *n)
{
    struct udp_flight first = n->queue[0];
    const struct udp_flight *last = &n->queue[--n->queue_count];
    struct udp_flight moved = *last;
    size_t i = 0;

    for (size_t child = 1; child < n->queue_count; child = 2 * i + 1) {
        if (child + 1 < n->queue_count &&
            comes_before(&n->queue[child + 1], &n->queue[child]))
            child++;
        if (!comes_before(&n->queue[child], &moved))
            break;
        n->queue[i] = n->queue[child];
        i = child;
    }
    n->queue[i] = moved;
    return first;
}

struct instant udp_net_deadline(const struct udp_net *n)
{
    return n->queue_count > 0 ? n->queue[0].at : INSTANT_NEVER;
}

/* --- links ------------------------------------------------------------- */

static struct instant arrival(struct udp_net *n, struct udp_plug *plug,
                              enum udp_direction direction, struct instant now)
{
    const struct udp_link *link = &plug->links[direction];
    struct instant at =
        instant_after(now, rng_span(&n->rng, link->delay,
                                    span_us(link->delay.us + link->jitter.us)));

    at = instant_max(at, plug->last_arrival[direction]);
    plug->last_arrival[direction] = at;
    if (rng_chance(&n->rng, link->reorder_percent))
        at = instant_after(at, rng_span(&n->rng, span_us(1), link->reorder_by));
    return at;
}

static void fly(struct udp_net *n, struct udp_packet p, int plug,
                enum udp_direction direction, struct instant now)
{
    post(n, (struct udp_flight){
                .packet = p,
                .at = arrival(n, &n->plugs[plug], direction, now),
                .plug = plug,
                .direction = direction,
            });
}

/* Takes the packet. */
static void enter_link(struct udp_net *n, struct udp_packet *p, int plug,
                       enum udp_direction direction, struct instant now)
{
    const struct udp_link *link = &n->plugs[plug].links[direction];
    struct udp_packet copy = *p;

    show(n,
         (struct udp_seen){.step = UDP_ENTERED,
                           .plug = plug,
                           .direction = direction,
                           .packet = p},
         now);
    if (link->down) {
        end_packet(n, p, plug, UDP_NO_LINK, now);
    } else if (link->mtu > 0 && p->size > link->mtu) {
        end_packet(n, p, plug, UDP_TOO_LARGE, now);
    } else if (rng_chance(&n->rng, link->loss_percent)) {
        end_packet(n, p, plug, UDP_LOST, now);
    } else {
        fly(n, *p, plug, direction, now);
        if (rng_chance(&n->rng, link->double_percent)) {
            copy.data = memory_copy(p->data, p->size);
            fly(n, copy, plug, direction, now);
        }
    }
}

/* --- routing ----------------------------------------------------------- */

/* The plug in the realm by which the address is reached, -1: none. A firewall's
 * plug is the way to all addresses behind it. */
static int plug_to(const struct udp_net *n, int realm, const struct address *to)
{
    for (size_t i = 0; i < n->plug_count; i++) {
        const struct udp_plug *plug = &n->plugs[i];

        if (plug->realm != realm)
            continue;
        if (plug->host >= 0 ? address_same_ip(&plug->address, to)
            : n->boxes[plug->box].translates
                ? nat_has(n->boxes[plug->box].nat, to)
                : plug_to(n, plug->box, to) >= 0)
            return (int)i;
    }
    return -1;
}

static bool lives_on(struct udp_packet *p, int hops)
{
    p->ttl -= hops;
    return p->ttl > 0;
}

static enum udp_fate fate_of(enum nat_verdict v)
{
    switch (v) {
    case NAT_PASSED:
    case NAT_TURNED:
        break;
    case NAT_NO_HAIRPIN:
        return UDP_NO_HAIRPIN;
    case NAT_FULL:
        return UDP_FULL;
    case NAT_UNMAPPED:
        return UDP_UNMAPPED;
    case NAT_FILTERED:
        return UDP_FILTERED;
    case NAT_TAKEN:
        return UDP_TAKEN;
    }
    return UDP_DELIVERED;
}

static void route(struct udp_net *n, struct udp_packet *p, int realm,
                  struct instant now);

static void go_in(struct udp_net *n, struct udp_packet *p, int box, bool turned,
                  struct instant now)
{
    int plug = n->boxes[box].plug;
    struct address before = p->to;
    enum nat_verdict v = nat_in(n->boxes[box].nat, &p->from, &p->to, now);

    if (v != NAT_PASSED) {
        end_packet(n, p, plug, fate_of(v), now);
        return;
    }
    show(n,
         (struct udp_seen){.step = UDP_WENT_IN,
                           .plug = plug,
                           .packet = p,
                           .before = before,
                           .turned = turned},
         now);
    route(n, p, box, now);
}

static void go_out(struct udp_net *n, struct udp_packet *p, int box,
                   struct instant now)
{
    int plug = n->boxes[box].plug;
    struct address before = p->from;
    enum nat_verdict v;

    if (!lives_on(p, 1)) {
        end_packet(n, p, plug, UDP_TTL_ENDED, now);
        return;
    }
    v = nat_out(n->boxes[box].nat, &p->from, &p->to, now, &n->rng);
    if (v != NAT_PASSED && v != NAT_TURNED) {
        end_packet(n, p, plug, fate_of(v), now);
        return;
    }
    show(n,
         (struct udp_seen){.step = UDP_WENT_OUT,
                           .plug = plug,
                           .packet = p,
                           .before = before,
                           .turned = v == NAT_TURNED},
         now);
    if (v == NAT_TURNED)
        go_in(n, p, box, true, now);
    else
        enter_link(n, p, plug, UDP_UP, now);
}

/* The packet is in the realm; takes it. */
static void route(struct udp_net *n, struct udp_packet *p, int realm,
                  struct instant now)
{
    int plug = plug_to(n, realm, &p->to);

    if (plug >= 0 && realm == UDP_INTERNET && !lives_on(p, UDP_INTERNET_HOPS))
        end_packet(n, p, -1, UDP_TTL_ENDED, now);
    else if (plug >= 0)
        enter_link(n, p, plug, UDP_DOWN, now);
    else if (realm != UDP_INTERNET)
        go_out(n, p, realm, now);
    else
        end_packet(n, p, -1, UDP_NO_ROUTE, now);
}

/* --- sockets ----------------------------------------------------------- */

static size_t socket_at(const struct udp_net *n, int host, uint16_t port)
{
    size_t i = 0;

    while (i < n->socket_count &&
           (n->sockets[i].host != host || n->sockets[i].port != port))
        i++;
    return i;
}

static bool is_open(const struct udp_net *n, int host, uint16_t port)
{
    return socket_at(n, host, port) < n->socket_count;
}

uint16_t udp_net_open(struct udp_net *n, int host, uint16_t port)
{
    bool any = port == 0;

    for (int tries = 0; any && tries < 1000; tries++) {
        port = (uint16_t)rng_between(&n->rng, UDP_EPHEMERAL, UINT16_MAX);
        if (!is_open(n, host, port))
            break;
    }
    if (is_open(n, host, port))
        return 0;
    n->sockets = grown(n->sockets, n->socket_count, &n->socket_capacity,
                       sizeof(*n->sockets));
    n->sockets[n->socket_count++] = (struct udp_bound){host, port};
    return port;
}

void udp_net_close(struct udp_net *n, int host, uint16_t port)
{
    size_t i = socket_at(n, host, port);

    ASSERT(i < n->socket_count);
    n->sockets[i] = n->sockets[--n->socket_count];
}

/* As a routing table has it: a realm that has the address comes first. */
static int plug_from(const struct udp_net *n, int host,
                     const struct address *to)
{
    int found = -1;

    for (size_t i = 0; i < n->plug_count; i++) {
        const struct udp_plug *plug = &n->plugs[i];

        if (plug->host != host || plug->address.family != to->family)
            continue;
        if (plug_to(n, plug->realm, to) >= 0)
            return (int)i;
        if (found < 0)
            found = (int)i;
    }
    return found;
}

uint64_t udp_net_send(struct udp_net *n, int host, uint16_t port,
                      const struct address *to, struct bytes bytes, int ttl,
                      struct instant now)
{
    int plug = plug_from(n, host, to);
    struct udp_packet p = {.to = *to, .ttl = ttl, .size = bytes.size};

    ASSERT(is_open(n, host, port) && bytes.size > 0);
    if (plug < 0)
        return 0;
    p.id = n->next_id++;
    p.from = n->plugs[plug].address;
    p.from.port = port;
    p.data = memory_copy(bytes.data, bytes.size);
    enter_link(n, &p, plug, UDP_UP, now);
    return n->next_id - 1;
}

/* --- running ----------------------------------------------------------- */

static bool deliver(struct udp_net *n, struct udp_packet *p, int plug,
                    struct instant now, struct udp_delivery *delivery)
{
    int host = n->plugs[plug].host;

    if (!address_same_ip(&n->plugs[plug].address, &p->to)) {
        end_packet(n, p, plug, UDP_NO_ROUTE, now); /* It was unplugged. */
        return false;
    }
    if (!is_open(n, host, p->to.port)) {
        end_packet(n, p, plug, UDP_NO_SOCKET, now);
        return false;
    }
    show(n,
         (struct udp_seen){.step = UDP_ENDED,
                           .plug = plug,
                           .fate = UDP_DELIVERED,
                           .packet = p,
                           .host = host},
         now);
    free(n->delivered);
    n->delivered = p->data;
    *delivery = (struct udp_delivery){
        .host = host,
        .from = p->from,
        .to = p->to,
        .bytes = bytes_of(p->data, p->size),
        .id = p->id,
    };
    return true;
}

bool udp_net_next(struct udp_net *n, struct instant now,
                  struct udp_delivery *delivery)
{
    while (n->queue_count > 0 && instant_reached(n->queue[0].at, now)) {
        struct udp_flight f = take_first(n);
        const struct udp_plug *plug = &n->plugs[f.plug];

        show(n,
             (struct udp_seen){.step = UDP_LEFT,
                               .plug = f.plug,
                               .direction = f.direction,
                               .packet = &f.packet},
             f.at);
        if (f.direction == UDP_UP)
            route(n, &f.packet, plug->realm, f.at);
        else if (plug->host < 0 && !lives_on(&f.packet, 1))
            end_packet(n, &f.packet, f.plug, UDP_TTL_ENDED, f.at);
        else if (plug->host < 0)
            go_in(n, &f.packet, plug->box, false, f.at);
        else if (deliver(n, &f.packet, f.plug, f.at, delivery))
            return true;
    }
    return false;
}
