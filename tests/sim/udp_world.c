#include "tests/sim/udp_world.h"

#include "common/base/memory.h"
#include "tests/sim/udp_checkers.h"
#include "tests/sim/udp_probers.h"

#include <stdlib.h>

/* --- what is observed ---------------------------------------------------- */

static void observe(void *context, const struct udp_seen *seen,
                    struct instant now)
{
    struct world *w = context;

    (void)now; /* The pump runs when it is due: it is the world's. */
    if (seen->step == UDP_ENDED) {
        char from[ADDRESS_TEXT_SIZE], to[ADDRESS_TEXT_SIZE];

        w->udp->fates[seen->fate]++;
        world_trace(w, udp_fate_name(seen->fate), seen->packet->from.port,
                    seen->packet->to.port,
                    bytes_of(seen->packet->data, seen->packet->size));
        world_say(w, "udp %llu from %s to %s: %s",
                  (unsigned long long)seen->packet->id,
                  address_format(&seen->packet->from, from),
                  address_format(&seen->packet->to, to),
                  udp_fate_name(seen->fate));
    }
    udp_checkers_see(w, seen);
}

struct udp_world *udp_of(struct world *w)
{
    struct udp_world *u = w->udp;

    if (u != NULL)
        return u;
    w->udp = u = memory_new(sizeof(*u));
    /* Its own numbers: the world's are not drawn from. */
    u->net = udp_net_new(w->rng.state ^ 0x5851f42d4c957f2d);
    u->checkers = udp_checkers_new();
    u->pump_at = INSTANT_NEVER;
    udp_net_observe(u->net, observe, w);
    return u;
}

void udp_world_free(struct world *w)
{
    if (w->udp == NULL)
        return;
    udp_net_free(&w->udp->net);
    udp_checkers_free(w->udp->checkers);
    udp_probers_free(w->udp->probers);
    free(w->udp);
    w->udp = NULL;
}

/* --- running ----------------------------------------------------------- */

/* A delivery as it is shown to the checkers and the receiver. */
static void spoil(struct world *w, struct udp_delivery *d, uint8_t *room)
{
    if (w->udp_sabotage == UDP_SABOTAGE_MISROUTE)
        d->host++;
    if (w->udp_sabotage != UDP_SABOTAGE_CORRUPT)
        return;
    memcpy(room, d->bytes.data, d->bytes.size);
    room[0] ^= 1;
    d->bytes.data = room;
}

static void pump(struct world *w, int unused, uint64_t argument);

static void pump_later(struct world *w)
{
    struct udp_world *u = w->udp;
    struct instant next = udp_net_deadline(u->net);

    if (next.us >= u->pump_at.us)
        return;
    u->pump_at = next;
    world_at(w, instant_between(w->now, next), pump, 0, 0);
}

static void pump(struct world *w, int unused, uint64_t argument)
{
    struct udp_world *u = w->udp;
    struct udp_delivery d;
    uint8_t room[UINT16_MAX];

    (void)unused;
    (void)argument;
    if (instant_reached(u->pump_at, w->now))
        u->pump_at = INSTANT_NEVER;
    while (!w->failed && udp_net_next(u->net, w->now, &d)) {
        if (w->udp_sabotage != UDP_SABOTAGE_NONE)
            spoil(w, &d, room);
        udp_checkers_delivered(w, &d);
        if (!w->failed && u->receiver != NULL)
            u->receiver(w, &d);
    }
    pump_later(w);
}

void udp_settle(struct world *w)
{
    udp_checkers_settle(w);
}

/* --- building ---------------------------------------------------------- */

struct address udp_address(const char *text)
{
    struct address a;
    char with_port[ADDRESS_TEXT_SIZE];
    bool good = address_parse(text, &a);

    if (!good) {
        snprintf(with_port, sizeof(with_port),
                 strchr(text, ':') == NULL ? "%s:1" : "[%s]:1", text);
        good = address_parse(with_port, &a);
        a.port = 0;
    }
    ASSERT(good);
    return a;
}

int udp_add_box(struct world *w, int realm, const struct nat_conf *conf)
{
    struct udp_world *u = udp_of(w);
    struct nat_conf actual = *conf;
    const struct udp_link none = {0};
    int box;

    udp_sabotage_box(w->udp_sabotage, &actual);
    box = udp_net_add_box(u->net, realm, &actual);
    udp_checkers_box(u->checkers, udp_plug_of_box(w, box), conf);
    udp_set_links(w, udp_plug_of_box(w, box), &none);
    return box;
}

int udp_add_kind(struct world *w, int realm, enum nat_kind kind,
                 const char *outside)
{
    struct nat_conf conf = nat_kind_conf(kind);

    conf.outside[0] = udp_address(outside);
    conf.outside_count = 1;
    return udp_add_box(w, realm, &conf);
}

void udp_plug(struct world *w, int host, int realm, const char *ip)
{
    struct udp_world *u = udp_of(w);
    struct address address = udp_address(ip);
    const struct udp_link link = {.delay = span_ms(1)};
    int plug;

    udp_net_plug(u->net, host, realm, &address);
    plug = udp_plug_of_host(w, host, realm);
    udp_checkers_host(u->checkers, plug, host, &address);
    udp_set_links(w, plug, &link);
}

void udp_unplug(struct world *w, int host, int realm)
{
    struct udp_world *u = udp_of(w);

    udp_checkers_no_host(u->checkers, udp_plug_of_host(w, host, realm));
    udp_net_unplug(u->net, host, realm);
}

void udp_restart_box(struct world *w, int box, const char *outside)
{
    struct udp_world *u = udp_of(w);
    struct address address = {.family = ADDRESS_NONE};

    if (outside != NULL)
        address = udp_address(outside);
    world_fault(w, "a NAT box restarts", box, -1);
    nat_restart(udp_net_box(u->net, box), outside != NULL ? &address : NULL);
    udp_checkers_restarted(u->checkers, udp_plug_of_box(w, box),
                           outside != NULL ? &address : NULL);
}

void udp_set_link(struct world *w, int plug, enum udp_direction direction,
                  const struct udp_link *link)
{
    struct udp_world *u = udp_of(w);
    struct udp_link actual = *link;

    udp_sabotage_link(w->udp_sabotage, &actual);
    *udp_net_link(u->net, plug, direction) = actual;
    udp_checkers_link(u->checkers, plug, direction, link);
}

void udp_set_links(struct world *w, int plug, const struct udp_link *both)
{
    udp_set_link(w, plug, UDP_UP, both);
    udp_set_link(w, plug, UDP_DOWN, both);
}

int udp_plug_of_box(struct world *w, int box)
{
    return udp_net_plug_of_box(udp_of(w)->net, box);
}

int udp_plug_of_host(struct world *w, int host, int realm)
{
    return udp_net_plug_of_host(udp_of(w)->net, host, realm);
}

/* --- sockets ----------------------------------------------------------- */

uint16_t udp_open(struct world *w, int host, uint16_t port)
{
    return udp_net_open(udp_of(w)->net, host, port);
}

void udp_close(struct world *w, int host, uint16_t port)
{
    udp_net_close(udp_of(w)->net, host, port);
}

uint64_t udp_send(struct world *w, int host, uint16_t port,
                  const struct address *to, struct bytes bytes, int ttl)
{
    struct udp_world *u = udp_of(w);
    uint64_t id;

    udp_checkers_sent(u->checkers, bytes);
    id = udp_net_send(u->net, host, port, to, bytes, ttl == 0 ? UDP_TTL : ttl,
                      w->now);
    if (id == 0)
        udp_checkers_not_sent(u->checkers);
    pump_later(w);
    return id;
}
