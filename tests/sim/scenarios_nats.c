/*
 * What NAT boxes do to probes: which pairs of them let a datagram and its
 * answer pass, alone and one behind the other.
 */
#include "tests/sim/nat_ends.h"
#include "tests/sim/scenarios.h"

#include <stdio.h>

/* --- every pair ---------------------------------------------------------- */

/*
 * `+` direct, `-` not. A mapping that is the same for all remotes (or keeps its
 * port) is where the server says. A filter by address lets in what comes from
 * another port than that, a filter by port does not: so only these two fail
 * with a mapping that changes with the remote.
 */
static const struct {
    int kind;
    const char *with; /* the kinds above, in order, and itself */
} pair_table[] = {
    {NAT_OPEN, "+"},      {NAT_FULL_CONE, "++"}, {NAT_RESTRICTED_CONE, "+++"},
    {NAT_HOME, "++++"},   {NAT_PLAIN, "+++++"},  {NAT_FIREWALL, "++++++"},
    {NAT_SYM, "+++----"},
};

enum { PAIR_KINDS = sizeof(pair_table) / sizeof(pair_table[0]) };

static const char *kind_name(int kind)
{
    return kind == NAT_OPEN ? "open" : nat_kind_name((enum nat_kind)kind);
}

static void every_pair_of_nats(struct world *w)
{
    int number = 1;
    char what[80];

    nat_server(w);
    for (int i = 0; i < PAIR_KINDS; i++)
        for (int k = 0; k <= i && !w->failed; k++) {
            struct nat_end a = nat_add_end(w, number++, pair_table[i].kind);
            struct nat_end b = nat_add_end(w, number++, pair_table[k].kind);
            bool is = nat_punches(w, a.prober, b.prober, span_us(0));
            bool should = pair_table[i].with[k] == '+';

            snprintf(what, sizeof(what), "%s with %s is %sdirect",
                     kind_name(pair_table[i].kind),
                     kind_name(pair_table[k].kind), should ? "" : "not ");
            expect(w, is == should, what);
        }
    nat_settle(w);
}

/* Whether a box lets in a probe to the address that the server saw. */
static bool lets_probe_in(const struct nat_conf *c, bool other_is_stable)
{
    if (c->filtering == NAT_ENDPOINT_INDEPENDENT)
        return true;
    if (c->mapping != NAT_ENDPOINT_INDEPENDENT)
        return false; /* The probed mapping never sent to the other one. */
    return c->filtering == NAT_ADDRESS_DEPENDENT || other_is_stable;
}

/*
 * b probes the address at which the server saw a; a's box lets that in; a
 * answers from the mapping that it has towards b. The filter of b's box knows
 * the probed address only.
 */
static bool should_pass(const struct nat_conf *a, const struct nat_conf *b)
{
    bool a_is_stable = a->mapping == NAT_ENDPOINT_INDEPENDENT;
    bool b_is_stable = b->mapping == NAT_ENDPOINT_INDEPENDENT;

    return lets_probe_in(a, b_is_stable) &&
           (a_is_stable || b->filtering != NAT_ADDRESS_AND_PORT_DEPENDENT);
}

static struct nat_conf behaviour(int number, int index)
{
    struct nat_conf c = nat_conf_at(NAT_SYM, number);

    c.mapping = (enum nat_behaviour)(index / 3);
    c.filtering = (enum nat_behaviour)(index % 3);
    c.shares_ports = false;
    c.ports = number % 2 == 0 ? NAT_PORTS_RANDOM : NAT_PORTS_SEQUENTIAL;
    return c;
}

static void every_pair_of_behaviours(struct world *w)
{
    int number = 1;
    char what[80];

    nat_server(w);
    for (int i = 0; i < 9; i++)
        for (int k = 0; k <= i && !w->failed; k++) {
            struct nat_conf first = behaviour(number, i);
            struct nat_conf second = behaviour(number + 1, k);
            int a = nat_add_behind(w, number++, UDP_INTERNET, &first).prober;
            int b = nat_add_behind(w, number++, UDP_INTERNET, &second).prober;
            bool should =
                should_pass(&first, &second) || should_pass(&second, &first);

            snprintf(what, sizeof(what),
                     "mapping %d filter %d with %d and %d is %sdirect", i / 3,
                     i % 3, k / 3, k % 3, should ? "" : "not ");
            expect(w, nat_punches(w, a, b, span_us(0)) == should, what);
        }
    nat_settle(w);
}

/* --- several boxes ------------------------------------------------------- */

static void hairpins(struct world *w)
{
    nat_server(w);
    for (int can = 0; can < 2; can++) {
        struct nat_conf conf = nat_conf_at(NAT_HOME, 1 + can);
        struct nat_end a;
        struct address inside = udp_address("192.168.1.3");
        int b;

        conf.hairpins = can == 1;
        a = nat_add_behind(w, 1 + 10 * can, UDP_INTERNET, &conf);
        b = nat_add_prober(w, 2 + 10 * can, a.box, "192.168.1.3");
        expect(w, nat_punches(w, a.prober, b, span_us(0)) == conf.hairpins,
               "neighbours meet outside only with a hairpin");
        nat_learn(w, a.prober, b);
        inside.port = udp_prober_get(w, b)->port;
        udp_prober_probe(w, a.prober, &inside, 0);
        world_run(w, span_ms(100));
        expect(w, nat_is_direct(w, a.prober, b), "and inside without one");
    }
    nat_settle(w);
}

/* A home behind a carrier's box. */
static struct nat_end add_subscriber(struct world *w, int number, int carrier)
{
    struct nat_conf conf = nat_kind_conf(NAT_HOME);
    char ip[ADDRESS_TEXT_SIZE];

    snprintf(ip, sizeof(ip), "100.64.0.%d", number);
    conf.outside[0] = udp_address(ip);
    conf.outside_count = 1;
    return nat_add_behind(w, number, carrier, &conf);
}

static int add_carrier(struct world *w, enum nat_kind kind, int number,
                       bool hairpin)
{
    struct nat_conf conf = nat_conf_at(kind, number);
    int box;

    conf.hairpins = hairpin;
    conf.mappings_per_host_max = 64;
    box = udp_add_box(w, UDP_INTERNET, &conf);
    nat_slow_link(w, udp_plug_of_box(w, box));
    return box;
}

static void carrier_grade(struct world *w)
{
    int easy, turning, hard;

    nat_server(w);
    easy = add_carrier(w, NAT_HOME, 101, false);
    turning = add_carrier(w, NAT_HOME, 102, true);
    hard = add_carrier(w, NAT_SYM, 103, false);
    expect(w,
           nat_punches(w, add_subscriber(w, 1, easy).prober,
                       nat_add_end(w, 2, NAT_HOME).prober, span_us(0)),
           "two easy boxes are as one");
    expect(w,
           nat_punches(w, add_subscriber(w, 3, easy).prober,
                       add_subscriber(w, 4, turning).prober, span_us(0)),
           "also at both ends");
    expect(w,
           !nat_punches(w, add_subscriber(w, 5, easy).prober,
                        add_subscriber(w, 6, easy).prober, span_us(0)),
           "subscribers of one carrier need its hairpin");
    expect(w,
           nat_punches(w, add_subscriber(w, 7, turning).prober,
                       add_subscriber(w, 8, turning).prober, span_us(0)),
           "and meet by it");
    expect(w,
           !nat_punches(w, add_subscriber(w, 9, hard).prober,
                        nat_add_end(w, 10, NAT_HOME).prober, span_us(0)),
           "the harder box decides");
    expect(w,
           nat_punches(w, add_subscriber(w, 11, hard).prober,
                       nat_add_end(w, 12, NAT_RESTRICTED_CONE).prober,
                       span_us(0)),
           "a filter by address is easy enough for it");
    nat_settle(w);
}

/* A carrier gives a subscriber so many ports, and no more. */
static void port_limit(struct world *w)
{
    int carrier;
    struct nat_end a;
    size_t told = 0;
    int probers[100];

    nat_server(w);
    carrier = add_carrier(w, NAT_SYM, 101, false);
    a = add_subscriber(w, 1, carrier);
    for (int i = 0; i < 100; i++) {
        probers[i] = i == 0 ? a.prober : udp_prober_add(w, 1, 0);
        nat_ask_server(w, probers[i]);
    }
    world_run(w, span_s(1));
    for (int i = 0; i < 100; i++)
        told += udp_prober_get(w, probers[i])->seen.family == ADDRESS_V4;
    expect(w, told == 64, "the limit is used up");
    expect(w, w->udp->fates[UDP_FULL] == 36, "and holds");
    expect(w, nat_mappings(udp_net_box(w->udp->net, a.box), w->now) == 100,
           "the home's own box knows nothing of it");
    nat_settle(w);
}

/* --- time -------------------------------------------------------------- */

/* Whether a datagram from the open host still gets in. */
static bool gets_in(struct world *w, int open, int behind)
{
    size_t before = udp_prober_get(w, behind)->probed;

    nat_probe(w, open, behind, 0);
    world_run(w, span_ms(100));
    return udp_prober_get(w, behind)->probed > before;
}

/* Outbound datagrams, answers among them, are all that refreshes. */
static void mappings_end(struct world *w)
{
    struct nat_conf conf = nat_conf_at(NAT_HOME, 1);
    struct nat_end a, b;
    struct address first;

    nat_server(w);
    conf.timeout = span_s(30);
    conf.inbound_refreshes = false;
    conf.ports = NAT_PORTS_RANDOM;
    a = nat_add_behind(w, 1, UDP_INTERNET, &conf);
    b = nat_add_end(w, 2, NAT_OPEN);
    nat_learn(w, a.prober, b.prober);
    world_run(w, span_s(1));
    first = udp_prober_get(w, a.prober)->seen;
    for (int i = 0; i < 6; i++) { /* Keep-alives */
        nat_probe(w, a.prober, b.prober, 0);
        world_run(w, span_s(25));
        expect(w, gets_in(w, b.prober, a.prober), "it is kept alive");
    }
    world_run(w, span_s(31));
    expect(w, !gets_in(w, b.prober, a.prober), "it ends in silence");
    nat_learn(w, a.prober, b.prober);
    world_run(w, span_s(1));
    expect(w, !address_equal(&first, &udp_prober_get(w, a.prober)->seen),
           "and the next one has another port");
    udp_restart_box(w, a.box, "198.51.1.99");
    expect(w, !gets_in(w, b.prober, a.prober), "a box that restarts forgets");
    expect(w, nat_punches(w, a.prober, b.prober, span_us(0)),
           "and serves again");
    nat_settle(w);
}

/* A host takes its socket into another home; then it closes the socket. */
static void host_roams(struct world *w)
{
    struct nat_end a, b;
    struct address old;
    int other;

    nat_server(w);
    a = nat_add_end(w, 1, NAT_HOME);
    b = nat_add_end(w, 2, NAT_HOME);
    other = udp_add_kind(w, UDP_INTERNET, NAT_RESTRICTED_CONE, "198.51.100.7");
    expect(w, nat_punches(w, a.prober, b.prober, span_us(0)),
           "direct at first");
    old = udp_prober_get(w, a.prober)->seen;
    udp_unplug(w, 1, a.box);
    udp_plug(w, 1, other, "192.168.7.2");
    udp_prober_probe(w, b.prober, &old, 0);
    world_run(w, span_ms(100));
    expect(w, w->udp->fates[UDP_NO_ROUTE] == 1, "the old home has lost it");
    expect(w, nat_punches(w, a.prober, b.prober, span_us(0)), "direct again");
    expect(w, !address_same_ip(&old, &udp_prober_get(w, a.prober)->seen),
           "from another address");
    udp_close(w, 1, udp_prober_get(w, a.prober)->port);
    nat_probe(w, b.prober, a.prober, 0);
    nat_settle(w);
    expect(w, w->udp->fates[UDP_NO_SOCKET] == 1, "its port is closed");
}

/* --- IPv6, and what links do ---------------------------------------------- */

static void firewalls_of_ipv6(struct world *w)
{
    const struct nat_conf conf = nat_kind_conf(NAT_FIREWALL);
    int ends[2] = {0};
    struct address addresses[2] = {0};

    for (int i = 0; i < 2; i++) {
        const char *ips[] = {"2001:db8:1::2", "2001:db8:2::2"};
        int box = udp_add_box(w, UDP_INTERNET, &conf);

        nat_slow_link(w, udp_plug_of_box(w, box));
        ends[i] = nat_add_prober(w, 1 + i, box, ips[i]);
        addresses[i] = udp_address(ips[i]);
        addresses[i].port = udp_prober_get(w, ends[i])->port;
    }
    udp_prober_probe(w, ends[0], &addresses[1], 0);
    world_run(w, span_ms(100));
    expect(w, w->udp->fates[UDP_UNMAPPED] == 1, "nothing unasked gets in");
    udp_prober_probe(w, ends[1], &addresses[0], 0);
    world_run(w, span_ms(100));
    expect(w, nat_is_direct(w, ends[0], ends[1]), "what was asked for does");
    nat_settle(w);
}

static void large_datagrams_vanish(struct world *w)
{
    static const uint8_t data[1500] = {1};
    const struct udp_link narrow = {.delay = span_ms(10), .mtu = 1280};
    struct nat_end a, b;
    struct address to;
    uint16_t port;

    nat_server(w);
    a = nat_add_end(w, 1, NAT_HOME);
    b = nat_add_end(w, 2, NAT_HOME);
    udp_set_link(w, udp_plug_of_box(w, b.box), UDP_DOWN, &narrow);
    expect(w, nat_punches(w, a.prober, b.prober, span_us(0)),
           "small ones pass");
    to = udp_prober_get(w, a.prober)->seen;
    port = udp_prober_get(w, b.prober)->port;
    udp_send(w, 2, port, &to, bytes_of(data, 1500), 0);
    to = udp_prober_get(w, b.prober)->seen;
    port = udp_prober_get(w, a.prober)->port;
    udp_send(w, 1, port, &to, bytes_of(data, 1500), 0);
    udp_send(w, 1, port, &to, bytes_of(data, 1280), 0);
    nat_settle(w);
    expect(w, w->udp->fates[UDP_TOO_LARGE] == 1, "one direction is narrow");
}

const struct scenario scenarios_of_nats[] = {
    {"every-pair-of-nats", every_pair_of_nats},
    {"every-pair-of-behaviours", every_pair_of_behaviours},
    {"hairpins", hairpins},
    {"carrier-grade", carrier_grade},
    {"port-limit", port_limit},
    {"mappings-end", mappings_end},
    {"host-roams", host_roams},
    {"firewalls-of-ipv6", firewalls_of_ipv6},
    {"large-datagrams-vanish", large_datagrams_vanish},
    {NULL, NULL},
};
