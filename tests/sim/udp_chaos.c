#include "tests/sim/udp_chaos.h"

#include "common/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BOXES_MAX = 6,
    CHAOS_HOSTS = 8,
    CHAOS_SOCKETS = 24,
    KNOWN = 64, /* addresses that datagrams came from */
    CHAOS_SECONDS = 60,
    LARGEST = 1400,
};

/* What a run needs beside the world; it is the receiver's as well. */
struct udp_chaos {
    int boxes[BOXES_MAX];
    struct nat_conf confs[BOXES_MAX]; /* as the checkers were told */
    int box_count;
    struct {
        int host;
        uint16_t port;
    } sockets[CHAOS_SOCKETS];
    int socket_count;
    int host_realms[CHAOS_HOSTS];
    char host_ips[CHAOS_HOSTS][32];
    int host_count;
    struct address known[KNOWN];
    size_t known_count; /* ever */
};

static bool chance(struct world *w, unsigned percent)
{
    return rng_chance(&w->rng, percent);
}

static int between(struct world *w, int low, int high)
{
    return (int)rng_between(&w->rng, low, high);
}

/* --- building ---------------------------------------------------------- */

static struct udp_link random_link(struct world *w)
{
    struct udp_link l = {
        .delay = rng_span(&w->rng, span_us(100), span_ms(30)),
        .jitter = chance(w, 50) ? span_ms(3) : span_us(0),
    };

    if (chance(w, 20))
        l.loss_percent = (unsigned)between(w, 1, 20);
    if (chance(w, 20))
        l.double_percent = (unsigned)between(w, 1, 20);
    if (chance(w, 20)) {
        l.reorder_percent = (unsigned)between(w, 1, 20);
        l.reorder_by = span_ms(40);
    }
    if (chance(w, 30))
        l.mtu = (size_t)between(w, 500, LARGEST);
    l.down = chance(w, 3);
    return l;
}

static void random_links(struct world *w, int plug)
{
    for (int direction = UDP_UP; direction <= UDP_DOWN; direction++) {
        struct udp_link l = random_link(w);

        udp_set_link(w, plug, (enum udp_direction)direction, &l);
    }
}

static void choose_outside(struct world *w, struct nat_conf *c, int index)
{
    c->outside_count = (size_t)(chance(w, 70) ? 1 : between(w, 2, 3));
    for (size_t i = 0; i < c->outside_count; i++)
        c->outside[i] =
            (struct address){.family = ADDRESS_V4,
                             .ip = {198, 51, (uint8_t)index, (uint8_t)(i + 1)}};
    c->paired = chance(w, 50);
}

static struct nat_conf random_conf(struct world *w, int index)
{
    struct nat_conf c = {
        .mapping = (enum nat_behaviour)between(w, 0, 2),
        .filtering = (enum nat_behaviour)between(w, 0, 2),
        .ports = (enum nat_ports)between(w, 0, 2),
        .hairpins = chance(w, 50),
        .takes_tuples = chance(w, 50),
        .inbound_refreshes = chance(w, 50),
        .timeout = rng_span(&w->rng, span_s(1), span_s(15)),
        .taken_timeout = chance(w, 50)
                             ? span_us(0)
                             : rng_span(&w->rng, span_s(1), span_s(15)),
    };

    if (chance(w, 85))
        choose_outside(w, &c, index);
    else {
        c.mapping = NAT_ENDPOINT_INDEPENDENT;
        c.takes_tuples = false;
    }
    c.shares_ports = c.mapping != NAT_ENDPOINT_INDEPENDENT &&
                     c.filtering >= c.mapping && chance(w, 50);
    if (chance(w, 40)) {
        c.first_port = 40000;
        c.last_port = (uint16_t)between(w, 40005, 40060);
    }
    if (chance(w, 20))
        c.mappings_max = (size_t)between(w, 2, 20);
    if (chance(w, 20))
        c.mappings_per_host_max = (size_t)between(w, 1, 5);
    return c;
}

static void add_boxes(struct world *w, struct udp_chaos *c)
{
    c->box_count = between(w, 1, BOXES_MAX);
    for (int i = 0; i < c->box_count; i++) {
        int realm = chance(w, 70) || i == 0 ? UDP_INTERNET
                                            : c->boxes[between(w, 0, i - 1)];

        c->confs[i] = random_conf(w, i);
        c->boxes[i] = udp_add_box(w, realm, &c->confs[i]);
        random_links(w, udp_plug_of_box(w, c->boxes[i]));
    }
}

/* Each box's inside uses the same addresses, as homes do; but a firewall's
 * inside shares those of the realm outside. */
static void add_hosts(struct world *w, struct udp_chaos *c)
{
    c->host_count = between(w, 2, CHAOS_HOSTS);
    for (int i = 0; i < c->host_count; i++) {
        int box = between(w, -1, c->box_count - 1);
        bool shares = box < 0 || c->confs[box].outside_count == 0;

        c->host_realms[i] = box < 0 ? UDP_INTERNET : c->boxes[box];
        snprintf(c->host_ips[i], sizeof(c->host_ips[i]),
                 shares ? "203.0.113.%d" : "192.168.1.%d", i + 1);
        udp_plug(w, i, c->host_realms[i], c->host_ips[i]);
        random_links(w, udp_plug_of_host(w, i, c->host_realms[i]));
        for (int k = between(w, 1, 3); k > 0; k--) {
            /* Often the same port at several hosts. */
            uint16_t port =
                udp_open(w, i, chance(w, 60) ? (uint16_t)(40000 + 3 * k) : 0);

            c->sockets[c->socket_count].host = i;
            c->sockets[c->socket_count++].port = port;
        }
    }
}

/* --- traffic ----------------------------------------------------------- */

static struct address box_address(struct world *w, const struct udp_chaos *c)
{
    const struct nat_conf *conf = &c->confs[between(w, 0, c->box_count - 1)];
    struct address a = conf->outside[0];

    if (conf->outside_count > 1)
        a = conf->outside[between(w, 0, (int)conf->outside_count - 1)];
    a.port = (uint16_t)between(w, 40000, 40020);
    return a;
}

static struct address host_address(struct world *w, const struct udp_chaos *c)
{
    int i = between(w, 0, c->socket_count - 1);
    struct address a = udp_address(c->host_ips[c->sockets[i].host]);

    a.port = c->sockets[i].port;
    return a;
}

static struct address some_address(struct world *w, const struct udp_chaos *c)
{
    size_t known = c->known_count < KNOWN ? c->known_count : KNOWN;

    if (known > 0 && chance(w, 60))
        return c->known[rng_below(&w->rng, known)];
    return chance(w, 40) ? box_address(w, c) : host_address(w, c);
}

static void send_one(struct world *w, const struct udp_chaos *c)
{
    int i = between(w, 0, c->socket_count - 1);
    struct address to = some_address(w, c);
    uint8_t data[LARGEST];
    size_t size =
        (size_t)(chance(w, 80) ? between(w, 1, 100) : between(w, 1, LARGEST));

    if (to.family == ADDRESS_NONE)
        return; /* A firewall's. */
    rng_fill(&w->rng, data, size);
    udp_send(w, c->sockets[i].host, c->sockets[i].port, &to,
             bytes_of(data, size), chance(w, 10) ? between(w, 1, 12) : 0);
}

static void receive(struct world *w, const struct udp_delivery *d)
{
    struct udp_chaos *c = w->udp->owner;

    c->known[c->known_count++ % KNOWN] = d->from;
    if (chance(w, 30)) /* An answer, or the next one to it. */
        udp_send(w, d->host, d->to.port, &d->from,
                 bytes_of(d->bytes.data, d->bytes.size), 0);
}

static void disturb(struct world *w, const struct udp_chaos *c)
{
    int box = between(w, 0, c->box_count - 1);
    int host = between(w, 0, c->host_count - 1);

    if (chance(w, 30))
        udp_restart_box(w, c->boxes[box], NULL);
    else if (chance(w, 50))
        random_links(w, udp_plug_of_box(w, c->boxes[box]));
    else
        random_links(w, udp_plug_of_host(w, host, c->host_realms[host]));
}

void udp_chaos_run(struct world *w)
{
    struct udp_chaos *c = memory_new(sizeof(*c));
    struct instant until = instant_after(w->now, span_s(CHAOS_SECONDS));

    add_boxes(w, c);
    add_hosts(w, c);
    w->udp->receiver = receive;
    w->udp->owner = c;
    while (!w->failed && !instant_reached(until, w->now)) {
        world_run(w, rng_span(&w->rng, span_us(0), span_ms(200)));
        send_one(w, c);
        if (chance(w, 1))
            disturb(w, c);
    }
    /* Time-outs end what answers would keep alive for ever. */
    w->udp->receiver = NULL;
    world_run(w, span_s(5));
    if (!w->failed)
        udp_settle(w);
    free(c);
}
