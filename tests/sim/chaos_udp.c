/*
 * Random NAT boxes for the nodes of a random world, and their faults.
 */
#include "tests/sim/chaos_private.h"

#include "tests/sim/udp_hosts.h"

#include <stdio.h>

static bool chance(struct world *w, unsigned percent)
{
    return rng_chance(&w->rng, percent);
}

static int between(struct world *w, int low, int high)
{
    return (int)rng_between(&w->rng, low, high);
}

/* --- boxes ------------------------------------------------------------- */

static enum nat_kind some_kind(struct world *w)
{
    static const enum nat_kind kinds[] = {
        NAT_FULL_CONE, NAT_RESTRICTED_CONE, NAT_HOME, NAT_HOME,
        NAT_PLAIN,     NAT_PLAIN,           NAT_SYM};

    return kinds[rng_below(&w->rng, sizeof(kinds) / sizeof(kinds[0]))];
}

static struct nat_conf some_conf(struct world *w, enum nat_kind kind)
{
    struct nat_conf c = nat_kind_conf(kind);

    if (chance(w, 25))
        c.timeout = span_s(between(w, 5, 30));
    if (kind == NAT_FIREWALL)
        return c;
    if (kind == NAT_SYM && chance(w, 30))
        c.ports = NAT_PORTS_SEQUENTIAL;
    else if (kind != NAT_PLAIN && chance(w, 30))
        c.ports = NAT_PORTS_RANDOM;
    c.takes_tuples = chance(w, 10);
    c.hairpins = chance(w, 30);
    return c;
}

/* A carrier's box, behind which some of the homes are. */
static int add_carrier(struct world *w)
{
    struct nat_conf c = some_conf(w, some_kind(w));

    c.outside[c.outside_count++] = udp_address("198.51.100.200");
    return udp_hosts_carrier(w, &c, UDP_INTERNET);
}

static void add_box(struct world *w, int segment, int carrier)
{
    struct segment *s = &w->segments[segment];
    struct nat_conf c = some_conf(w, s->nat ? some_kind(w) : NAT_FIREWALL);
    char ip[ADDRESS_TEXT_SIZE];

    if (!s->nat || carrier == UDP_INTERNET || chance(w, 50)) {
        udp_hosts_box(w, segment, &c, UDP_INTERNET);
        return;
    }
    snprintf(ip, sizeof(ip), "100.64.0.%d", segment);
    c.outside[c.outside_count++] = udp_address(ip);
    s->outside = udp_address("198.51.100.200");
    udp_hosts_box(w, segment, &c, carrier);
}

/* Some homes have IPv6 behind a firewall; of these, some have no other way for
 * UDP. */
static void add_home(struct world *w, int segment, int carrier)
{
    struct nat_conf firewall = nat_kind_conf(NAT_FIREWALL);
    bool has_v6 = chance(w, 35);

    if (!has_v6 || !chance(w, 20))
        add_box(w, segment, carrier);
    if (chance(w, 25))
        firewall.timeout = span_s(between(w, 5, 30));
    if (has_v6)
        udp_hosts_firewall_v6(w, segment, &firewall);
}

/* --- wires ------------------------------------------------------------- */

static struct udp_link usual_wire(struct world *w, int host)
{
    struct udp_link wire = {
        .delay = span_us(between(w, 100, 20000)),
        .jitter = span_us(between(w, 0, 2000)),
        .loss_percent = chance(w, 20) ? (unsigned)between(w, 1, 5) : 0,
        .double_percent = chance(w, 10) ? 5 : 0,
        .reorder_percent = chance(w, 10) ? 5 : 0,
        .reorder_by = span_ms(20),
        .mtu = chance(w, 20) ? (size_t)between(w, 1100, 1472) : 1472,
        .down = w->hosts[host].only_relays,
    };

    return wire;
}

void chaos_udp_build(struct world *w)
{
    int carrier = UDP_INTERNET;

    udp_hosts_begin(w);
    if (chance(w, 25))
        carrier = add_carrier(w);
    for (int s = 1; s < w->segment_count; s++)
        if (w->segments[s].nat || w->segments[s].reaches[INTERNET])
            add_home(w, s, carrier);
    for (int i = 0; i < w->host_count; i++) {
        struct host *h = &w->hosts[i];
        struct udp_link wire = usual_wire(w, i);

        if (h->is_relay)
            continue;
        udp_hosts_wire(w, i, &wire);
        udp_hosts_keep_wire(w, i);
        h->tcp = h->tcp && !chance(w, 20);
        if (chance(w, 4))
            udp_hosts_without(w, i);
        if (chance(w, 10))
            udp_hosts_easy(w, i);
    }
}

/* --- faults ------------------------------------------------------------ */

static void mend(struct world *w, int host, uint64_t unused)
{
    (void)unused;
    udp_hosts_mend_wire(w, host);
}

static void change_wire(struct world *w, int host)
{
    struct udp_link wire = *udp_hosts_get_wire(w, host);

    switch (between(w, 0, 2)) {
    case 0:
        world_fault(w, "UDP is blocked", host, -1);
        wire.down = true;
        break;
    case 1:
        world_fault(w, "large datagrams vanish", host, -1);
        wire.mtu = (size_t)between(w, 600, 1400);
        break;
    default:
        world_fault(w, "datagrams are lost", host, -1);
        wire.loss_percent = (unsigned)between(w, 10, 60);
        break;
    }
    udp_hosts_wire(w, host, &wire);
    world_at(w, rng_span(&w->rng, span_ms(100), span_s(20)), mend, host, 0);
}

void chaos_udp_fault(struct world *w, int host)
{
    int segment = w->hosts[host].interfaces[0].segment;
    int realm;

    if (w->hosts[host].is_relay)
        return;
    realm = chance(w, 50) ? udp_hosts_realm(w, segment)
                          : udp_hosts_realm_v6(w, segment);
    world_disturb(w, host);
    if (realm > UDP_INTERNET && chance(w, 50))
        udp_restart_box(w, realm, NULL);
    else
        change_wire(w, host);
}

void chaos_udp_heal(struct world *w)
{
    for (int i = 0; w->udp_hosts != NULL && i < w->host_count; i++)
        if (!w->hosts[i].is_relay)
            udp_hosts_mend_wire(w, i);
}
