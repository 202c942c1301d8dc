#include "tests/sim/udp_homes.h"

#include "tests/sim/scenarios.h"

#include <stdio.h>

const char *home_kind_name(int kind)
{
    return kind == HOME_OPEN         ? "open"
           : kind == HOME_SEQUENTIAL ? "sequential"
           : kind == HOME_DOUBLE     ? "double"
           : kind == HOME_TAKING     ? "taking"
           : kind == HOME_V6         ? "v6"
           : kind == HOME_SYM_V6     ? "sym+v6"
                                     : nat_kind_name((enum nat_kind)kind);
}

int homes_begin(struct world *w)
{
    int relay = world_add_relay(w);

    udp_hosts_begin(w);
    return relay;
}

struct nat_conf home_conf(int kind)
{
    struct nat_conf c;

    if (kind == HOME_SEQUENTIAL) {
        c = nat_kind_conf(NAT_SYM);
        c.ports = NAT_PORTS_SEQUENTIAL;
        c.first_port = 20000;
        c.last_port = 60000;
        return c;
    }
    if (kind == HOME_TAKING) {
        c = nat_kind_conf(NAT_PLAIN);
        c.takes_tuples = true;
        return c;
    }
    return nat_kind_conf(kind == HOME_DOUBLE   ? NAT_HOME
                         : kind == HOME_SYM_V6 ? NAT_SYM
                                               : (enum nat_kind)kind);
}

int homes_add_behind(struct world *w, int relay, const struct nat_conf *conf,
                     int realm)
{
    bool translates =
        conf->mapping != NAT_ENDPOINT_INDEPENDENT || conf->outside_count > 0;
    int segment = translates ? world_add_nat(w) : world_add_segment(w, true);
    int home;

    w->segments[segment].reaches[INTERNET] = true;
    home = world_add_edge(w, segment);
    w->hosts[home].tcp = false;
    world_uses_relay(w, home, relay);
    udp_hosts_box(w, segment, conf, realm);
    return home;
}

static int add_open(struct world *w, int relay)
{
    const struct udp_link wire = {.delay = span_ms(5), .jitter = span_ms(1)};
    int home = world_add_edge(w, INTERNET);

    w->hosts[home].tcp = false;
    world_uses_relay(w, home, relay);
    udp_hosts_plug(w, home);
    udp_hosts_wire(w, home, &wire);
    return home;
}

/* Its segment is connected for TCP as the others are. */
static int add_v6_only(struct world *w, int relay)
{
    struct nat_conf firewall = nat_kind_conf(NAT_FIREWALL);
    int segment = world_add_segment(w, true), home;

    w->segments[segment].reaches[INTERNET] = true;
    home = world_add_edge(w, segment);
    w->hosts[home].tcp = false;
    world_uses_relay(w, home, relay);
    udp_hosts_firewall_v6(w, segment, &firewall);
    return home;
}

/* The address of the next segment's NAT, or of a carrier before it. */
static struct address outside_of(const struct world *w, int carrier)
{
    char ip[ADDRESS_TEXT_SIZE];

    snprintf(ip, sizeof(ip), "198.51.100.%d", w->segment_count + carrier);
    return udp_address(ip);
}

int homes_add(struct world *w, int relay, int kind)
{
    struct nat_conf c, carrier;
    int realm = UDP_INTERNET, home, segment;

    if (kind == HOME_OPEN)
        return add_open(w, relay);
    if (kind == HOME_V6)
        return add_v6_only(w, relay);
    c = home_conf(kind);
    if (kind == HOME_DOUBLE) {
        char ip[ADDRESS_TEXT_SIZE];

        carrier = c;
        carrier.outside[carrier.outside_count++] = outside_of(w, 100);
        realm = udp_hosts_carrier(w, &carrier, UDP_INTERNET);
        snprintf(ip, sizeof(ip), "100.64.0.%d", w->segment_count);
        c.outside[c.outside_count++] = udp_address(ip);
    } else if (kind != NAT_FIREWALL) {
        c.outside[c.outside_count++] = outside_of(w, 0);
    }
    home = homes_add_behind(w, relay, &c, realm);
    segment = w->hosts[home].interfaces[0].segment;
    if (kind == HOME_DOUBLE)
        w->segments[segment].outside = carrier.outside[0];
    if (kind == HOME_SYM_V6) {
        c = nat_kind_conf(NAT_FIREWALL);
        udp_hosts_firewall_v6(w, segment, &c);
    }
    return home;
}

int home_box(const struct world *w, int home)
{
    return udp_hosts_realm(w, w->hosts[home].interfaces[0].segment);
}

struct homes homes_make(struct world *w, int kind_a, int kind_b)
{
    struct homes h = {.relay = homes_begin(w)};

    h.a = homes_add(w, h.relay, kind_a);
    h.b = homes_add(w, h.relay, kind_b);
    return h;
}

bool homes_are(struct world *w, int a, int b, enum node_path path,
               struct span limit)
{
    struct instant until = instant_after(w->now, limit);

    while (!w->failed && !is_mutual(w, a, b, path)) {
        if (instant_reached(until, w->now))
            return false;
        world_run(w, span_ms(1));
    }
    return !w->failed;
}

struct homes homes_direct(struct world *w, int kind_a, int kind_b)
{
    struct homes h = homes_make(w, kind_a, kind_b);

    host_start_all(w);
    expect(w, homes_are(w, h.a, h.b, PATH_UDP, span_s(20)),
           "they are direct by UDP");
    world_run(w, span_s(25)); /* Nothing of the start goes on any more. */
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "they stay so");
    return h;
}
