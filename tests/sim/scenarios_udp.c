/*
 * Which nodes behind NATs become direct by UDP [P-11], and which stay relayed.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/udp_homes.h"

static struct homes start_homes(struct world *w, int kind_a, int kind_b)
{
    struct homes h = homes_make(w, kind_a, kind_b);

    host_start_all(w);
    return h;
}

static void become_direct(struct world *w, int a, int b, struct span limit)
{
    expect(w, homes_are(w, a, b, PATH_UDP, limit), "they are direct by UDP");
    talks_within(w, a, b, span_ms(200));
}

static void stay_relayed(struct world *w, int a, int b)
{
    world_run(w, span_s(40));
    expect(w, is_mutual(w, a, b, PATH_RELAY), "they stay relayed");
    talks_within(w, a, b, span_ms(200));
}

/* Two homes meet at the relay and are direct soon; a stream of messages
 * changes its path without a loss. */
static void udp_relay_then_direct(struct world *w)
{
    struct homes h = start_homes(w, NAT_HOME, NAT_HOME);

    expect(w, sees_within(w, h.a, h.b, true, span_s(1)), "they meet");
    application_stream(w, h.a, h.b, 1000, 200, span_ms(5));
    application_stream(w, h.b, h.a, 1000, 2000, span_ms(5));
    become_direct(w, h.a, h.b, span_s(3));
    finishes_within(w, span_s(10));
    expect(w, checkers_count(w, h.a, h.b) == 1001, "all are there");
    expect(w, checkers_count(w, h.b, h.a) == 1001, "all are back");
}

/* Four homes of different kinds: each pair has a path of its own. */
static void udp_four_homes(struct world *w)
{
    static const int kinds[] = {NAT_HOME, NAT_PLAIN, NAT_FULL_CONE,
                                NAT_FIREWALL};
    int relay = homes_begin(w), homes[4];

    for (int i = 0; i < 4; i++)
        homes[i] = homes_add(w, relay, kinds[i]);
    host_start_all(w);
    settles_within(w, span_s(10), "each pair is direct");
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            talks_within(w, homes[i], homes[k], span_ms(200));
    world_run(w, span_s(60));
    checkers_settle(w);
}

/* Ports that depend on the remote on both sides: the relay carries it all. */
static void udp_sym_and_sym(struct world *w)
{
    struct homes h = start_homes(w, NAT_SYM, NAT_SYM);

    stay_relayed(w, h.a, h.b);
}

/* By the 256 sockets of the hard side; afterwards one of them is open. */
static void udp_hard_and_easy(struct world *w)
{
    struct homes h = start_homes(w, NAT_SYM, NAT_HOME);

    become_direct(w, h.a, h.b, span_s(20));
    world_run(w, span_s(20));
    checkers_settle(w);
}

/* Ports in sequence are predicted: no 256 sockets. */
static void udp_sequential_ports(struct world *w)
{
    struct homes h = start_homes(w, HOME_SEQUENTIAL, NAT_PLAIN);

    become_direct(w, h.a, h.b, span_s(10));
    checkers_settle(w);
}

/* A box that takes tuples for its own, against ports that are predicted. */
static void udp_sequential_and_taking(struct world *w)
{
    struct homes h = start_homes(w, HOME_SEQUENTIAL, HOME_TAKING);

    become_direct(w, h.a, h.b, span_s(10));
}

/* IPv6 behind firewalls, where IPv4 lets nobody through, and where it is
 * missing. */
static void udp_v6_beside_nats(struct world *w)
{
    static const int kinds[] = {HOME_SYM_V6, HOME_SYM_V6, HOME_V6, HOME_V6};
    int relay = homes_begin(w), homes[4];

    for (int i = 0; i < 4; i++)
        homes[i] = homes_add(w, relay, kinds[i]);
    host_start_all(w);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            become_direct(w, homes[i], homes[k], span_s(5));
    world_run(w, span_s(60));
    checkers_settle(w);
}

/* A home with IPv6 alone has no way to one with IPv4 alone. */
static void udp_v6_and_v4(struct world *w)
{
    struct homes h = start_homes(w, HOME_V6, NAT_FULL_CONE);

    stay_relayed(w, h.a, h.b);
    checkers_settle(w);
}

static void udp_easy_only(struct world *w)
{
    struct homes h = homes_make(w, NAT_SYM, NAT_HOME);

    udp_hosts_easy(w, h.b);
    host_start_all(w);
    stay_relayed(w, h.a, h.b);
}

/* Behind two boxes each. */
static void udp_double_nat(struct world *w)
{
    struct homes h = start_homes(w, HOME_DOUBLE, HOME_DOUBLE);

    become_direct(w, h.a, h.b, span_s(10));
}

/* Two homes behind one box of their carrier. */
static struct homes behind_one(struct world *w, bool hairpins)
{
    struct homes h = {.relay = homes_begin(w)};
    struct nat_conf carrier = home_conf(NAT_HOME);
    int realm, *homes[] = {&h.a, &h.b};

    carrier.outside[carrier.outside_count++] = udp_address("198.51.100.100");
    carrier.hairpins = hairpins;
    realm = udp_hosts_carrier(w, &carrier, UDP_INTERNET);
    for (int i = 0; i < 2; i++) {
        struct nat_conf c = home_conf(NAT_HOME);

        c.outside[c.outside_count++] =
            udp_address(i == 0 ? "100.64.0.1" : "100.64.0.2");
        *homes[i] = homes_add_behind(w, h.relay, &c, realm);
        w->segments[w->hosts[*homes[i]].interfaces[0].segment].outside =
            carrier.outside[0];
    }
    host_start_all(w);
    return h;
}

static void udp_hairpin(struct world *w)
{
    struct homes h = behind_one(w, true);

    become_direct(w, h.a, h.b, span_s(10));
}

static void udp_no_hairpin(struct world *w)
{
    struct homes h = behind_one(w, false);

    stay_relayed(w, h.a, h.b);
}

/* A LAN without multicast, whose hosts do not listen on TCP: they find each
 * other's own addresses. */
static void udp_one_lan(struct world *w)
{
    struct homes h = {.relay = homes_begin(w)};
    struct nat_conf c = home_conf(NAT_HOME);
    int segment;

    c.outside[c.outside_count++] = udp_address("198.51.100.1");
    h.a = homes_add_behind(w, h.relay, &c, UDP_INTERNET);
    segment = w->hosts[h.a].interfaces[0].segment;
    w->segments[segment].multicast = false;
    h.b = world_add_edge(w, segment);
    w->hosts[h.b].tcp = false;
    world_uses_relay(w, h.b, h.relay);
    udp_hosts_plug(w, h.b);
    host_start_all(w);
    become_direct(w, h.a, h.b, span_s(5));
}

/* TCP is as good where it opens, and is preferred [P-11.11]. */
static void udp_gives_way_to_tcp(struct world *w)
{
    struct homes h = homes_make(w, HOME_OPEN, NAT_HOME);

    w->hosts[h.a].tcp = w->hosts[h.b].tcp = true;
    host_start_all(w);
    expect(w, homes_are(w, h.a, h.b, PATH_TCP, span_s(10)), "by TCP");
    world_run(w, span_s(60));
    expect(w, is_mutual(w, h.a, h.b, PATH_TCP), "and they stay so");
    checkers_settle(w);
}

/* A node that has UDP off gets no datagram. */
static void udp_off_at_one(struct world *w)
{
    struct homes h = homes_make(w, NAT_HOME, NAT_HOME);

    udp_hosts_without(w, h.b);
    host_start_all(w);
    stay_relayed(w, h.a, h.b);
}

/* Boxes that take the tuple of a datagram that nobody inside asked for. */
static void udp_boxes_take_tuples(struct world *w)
{
    struct homes h = {.relay = homes_begin(w)};
    int *homes[] = {&h.a, &h.b};

    for (int i = 0; i < 2; i++) {
        struct nat_conf c = home_conf(NAT_PLAIN);

        c.takes_tuples = true;
        c.outside[c.outside_count++] =
            udp_address(i == 0 ? "198.51.100.1" : "198.51.100.2");
        *homes[i] = homes_add_behind(w, h.relay, &c, UDP_INTERNET);
    }
    host_start_all(w);
    become_direct(w, h.a, h.b, span_s(10));
}

/* One direct path costs at most 6 datagrams a minute while it idles. */
static void udp_idles(struct world *w)
{
    struct homes h = homes_direct(w, NAT_HOME, NAT_PLAIN);
    size_t before = w->udp->fates[UDP_DELIVERED];

    world_run(w, span_s(600));
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "they are still direct");
    expect(w, w->udp->fates[UDP_DELIVERED] - before <= 60,
           "six datagrams a minute");
    talks_within(w, h.a, h.b, span_ms(200));
}

const struct scenario scenarios_of_udp[] = {
    {"udp-relay-then-direct", udp_relay_then_direct},
    {"udp-four-homes", udp_four_homes},
    {"udp-sym-and-sym", udp_sym_and_sym},
    {"udp-hard-and-easy", udp_hard_and_easy},
    {"udp-sequential-ports", udp_sequential_ports},
    {"udp-sequential-and-taking", udp_sequential_and_taking},
    {"udp-v6-beside-nats", udp_v6_beside_nats},
    {"udp-v6-and-v4", udp_v6_and_v4},
    {"udp-easy-only", udp_easy_only},
    {"udp-double-nat", udp_double_nat},
    {"udp-hairpin", udp_hairpin},
    {"udp-no-hairpin", udp_no_hairpin},
    {"udp-one-lan", udp_one_lan},
    {"udp-gives-way-to-tcp", udp_gives_way_to_tcp},
    {"udp-off-at-one", udp_off_at_one},
    {"udp-boxes-take-tuples", udp_boxes_take_tuples},
    {"udp-idles", udp_idles},
    {0},
};
