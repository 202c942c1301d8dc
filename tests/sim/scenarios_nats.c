/*
 * What NAT boxes do to probes: which pairs of them let a datagram and its
 * answer pass, and after which order of events they do not.
 *
 * Both ends ask a server on the Internet how they are seen, and probe each
 * other's seen address. "Direct" means that a probe of one of them was
 * answered.
 */
#include "tests/sim/scenarios.h"
#include "tests/sim/udp_probers.h"

#include <stdio.h>

enum { OPEN = NAT_KINDS, SERVER_HOST = 0, SERVER_PORT = 3478 };

/* A prober behind a box of its own. */
struct nat_end {
    int prober, box; /* box: UDP_INTERNET if there is none */
};

static const char *const server_ip = "203.0.113.250";

static void slow_link(struct world *w, int plug)
{
    const struct udp_link link = {.delay = span_ms(10), .jitter = span_ms(1)};

    udp_set_links(w, plug, &link);
}

static void add_server(struct world *w)
{
    udp_plug(w, SERVER_HOST, UDP_INTERNET, server_ip);
    slow_link(w, udp_plug_of_host(w, SERVER_HOST, UDP_INTERNET));
    udp_prober_add(w, SERVER_HOST, SERVER_PORT);
}

static void ask_server(struct world *w, int prober)
{
    struct address server = udp_address(server_ip);

    server.port = SERVER_PORT;
    udp_prober_ask(w, prober, &server);
}

static struct nat_conf conf_at(enum nat_kind kind, int number)
{
    struct nat_conf conf = nat_kind_conf(kind);
    char ip[ADDRESS_TEXT_SIZE];

    if (kind == NAT_FIREWALL)
        return conf;
    snprintf(ip, sizeof(ip), "198.51.%d.%d", 1 + number / 100, number % 100);
    conf.outside[0] = udp_address(ip);
    conf.outside_count = 1;
    return conf;
}

/* A host with the number (> 0), in the realm. */
static int add_prober(struct world *w, int number, int realm, const char *ip)
{
    udp_plug(w, number, realm, ip);
    return udp_prober_add(w, number, 0);
}

static struct nat_end add_behind(struct world *w, int number, int realm,
                                 const struct nat_conf *conf)
{
    char ip[ADDRESS_TEXT_SIZE] = "192.168.1.2";
    struct nat_end end = {.box = udp_add_box(w, realm, conf)};

    if (conf->outside_count == 0)
        snprintf(ip, sizeof(ip), "203.0.114.%d", number);
    slow_link(w, udp_plug_of_box(w, end.box));
    end.prober = add_prober(w, number, end.box, ip);
    return end;
}

static struct nat_end add_end(struct world *w, int number, int kind)
{
    struct nat_end end = {.box = UDP_INTERNET};
    struct nat_conf conf;
    char ip[ADDRESS_TEXT_SIZE];

    if (kind != OPEN) {
        conf = conf_at((enum nat_kind)kind, number);
        return add_behind(w, number, UDP_INTERNET, &conf);
    }
    snprintf(ip, sizeof(ip), "203.0.115.%d", number);
    end.prober = add_prober(w, number, UDP_INTERNET, ip);
    slow_link(w, udp_plug_of_host(w, number, UDP_INTERNET));
    return end;
}

static void learn(struct world *w, int a, int b)
{
    udp_prober_reset(w, a);
    udp_prober_reset(w, b);
    ask_server(w, a);
    ask_server(w, b);
}

static void probe(struct world *w, int from, int to, int ttl)
{
    struct address seen = udp_prober_get(w, to)->seen;

    expect(w, seen.family != ADDRESS_NONE, "the server told the address");
    if (!w->failed)
        udp_prober_probe(w, from, &seen, ttl);
}

static bool is_direct(struct world *w, int a, int b)
{
    return udp_prober_get(w, a)->answered > 0 ||
           udp_prober_get(w, b)->answered > 0;
}

/* Three rounds; b sends so much later than a in each. */
static bool punches(struct world *w, int a, int b, struct span lag)
{
    learn(w, a, b);
    world_run(w, span_s(1));
    for (int round = 0; round < 3; round++) {
        probe(w, a, b, 0);
        world_run(w, lag);
        probe(w, b, a, 0);
        world_run(w, span_ms(500));
    }
    return is_direct(w, a, b);
}

static void settle(struct world *w)
{
    world_run(w, span_s(5));
    if (!w->failed)
        udp_settle(w);
}

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
    {OPEN, "+"},          {NAT_FULL_CONE, "++"}, {NAT_RESTRICTED_CONE, "+++"},
    {NAT_HOME, "++++"},   {NAT_PLAIN, "+++++"},  {NAT_FIREWALL, "++++++"},
    {NAT_SYM, "+++----"},
};

enum { PAIR_KINDS = sizeof(pair_table) / sizeof(pair_table[0]) };

static const char *kind_name(int kind)
{
    return kind == OPEN ? "open" : nat_kind_name((enum nat_kind)kind);
}

static void every_pair_of_nats(struct world *w)
{
    int number = 1;
    char what[80];

    add_server(w);
    for (int i = 0; i < PAIR_KINDS; i++)
        for (int k = 0; k <= i && !w->failed; k++) {
            struct nat_end a = add_end(w, number++, pair_table[i].kind);
            struct nat_end b = add_end(w, number++, pair_table[k].kind);
            bool is = punches(w, a.prober, b.prober, span_us(0));
            bool should = pair_table[i].with[k] == '+';

            snprintf(what, sizeof(what), "%s with %s is %sdirect",
                     kind_name(pair_table[i].kind),
                     kind_name(pair_table[k].kind), should ? "" : "not ");
            expect(w, is == should, what);
        }
    settle(w);
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
    struct nat_conf c = conf_at(NAT_SYM, number);

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

    add_server(w);
    for (int i = 0; i < 9; i++)
        for (int k = 0; k <= i && !w->failed; k++) {
            struct nat_conf first = behaviour(number, i);
            struct nat_conf second = behaviour(number + 1, k);
            int a = add_behind(w, number++, UDP_INTERNET, &first).prober;
            int b = add_behind(w, number++, UDP_INTERNET, &second).prober;
            bool should =
                should_pass(&first, &second) || should_pass(&second, &first);

            snprintf(what, sizeof(what),
                     "mapping %d filter %d with %d and %d is %sdirect", i / 3,
                     i % 3, k / 3, k % 3, should ? "" : "not ");
            expect(w, punches(w, a, b, span_us(0)) == should, what);
        }
    settle(w);
}

/* --- a box that takes tuples --------------------------------------------- */

static struct nat_end add_taking(struct world *w, int number)
{
    struct nat_conf conf = conf_at(NAT_PLAIN, number);

    conf.takes_tuples = true;
    return add_behind(w, number, UDP_INTERNET, &conf);
}

/* A probe that arrives before the own one went out makes the box itself own the
 * tuple, and the later probes keep it so. */
static void probe_first(struct world *w)
{
    struct nat_end a, b, dropping, other;

    add_server(w);
    a = add_taking(w, 1);
    b = add_taking(w, 2);
    expect(w, !punches(w, a.prober, b.prober, span_ms(200)),
           "an end that is probed before it sends gets nothing through");
    expect(w, w->udp->fates[UDP_TAKEN] > 0, "a box took the tuple");
    expect(w, !punches(w, a.prober, b.prober, span_us(0)),
           "nor does it with the same ports later");
    a.prober = udp_prober_add(w, 1, 0);
    b.prober = udp_prober_add(w, 2, 0);
    expect(w, punches(w, a.prober, b.prober, span_us(0)),
           "fresh ports at the same moment get through");
    dropping = add_end(w, 3, NAT_PLAIN);
    other = add_end(w, 4, NAT_PLAIN);
    expect(w, punches(w, dropping.prober, other.prober, span_ms(200)),
           "boxes that drop new input get through in any order");
    settle(w);
}

/* The first probes end in the Internet: they open the own box, and never reach
 * the other one. */
static void low_ttl_first(struct world *w)
{
    struct nat_end a, b;

    add_server(w);
    a = add_taking(w, 1);
    b = add_taking(w, 2);
    learn(w, a.prober, b.prober);
    world_run(w, span_s(1));
    probe(w, a.prober, b.prober, 4);
    world_run(w, span_ms(200));
    probe(w, b.prober, a.prober, 4);
    world_run(w, span_ms(200));
    expect(w, w->udp->fates[UDP_TTL_ENDED] == 2, "both ended on the way");
    probe(w, a.prober, b.prober, 0);
    world_run(w, span_ms(200));
    expect(w, is_direct(w, a.prober, b.prober), "the boxes were open");
    expect(w, w->udp->fates[UDP_TAKEN] == 0, "no tuple was taken");
    settle(w);
}

/* --- a hard NAT against an easy one -------------------------------------- */

enum { HARD_SOCKETS = 256, EASY_PROBES = 1000, EASY_BATCH = 100 };

/* Which side sends first, and how far the hard side's first ones go. */
enum hard_order { HARD_FIRST, EASY_FIRST, HARD_FIRST_LOW_TTL };

static void open_many(struct world *w, const int *sockets, int easy, int ttl)
{
    for (int i = 0; i < HARD_SOCKETS; i++)
        probe(w, sockets[i], easy, ttl);
    world_run(w, span_ms(200));
}

static void probe_random_ports(struct world *w, int easy,
                               const struct address *hard)
{
    struct address to = *hard;

    for (int i = 0; i < EASY_PROBES; i++) {
        to.port = (uint16_t)rng_between(&w->rng, NAT_PORT_FIRST, NAT_PORT_LAST);
        udp_prober_probe(w, easy, &to, 0);
        if (i % EASY_BATCH == 0)
            world_run(w, span_ms(100));
    }
    world_run(w, span_ms(200));
}

/* The hard side's sockets are probers from the first one on. */
static bool hits(struct world *w, struct nat_end hard, struct nat_end easy,
                 int hard_host, enum hard_order order)
{
    int sockets[HARD_SOCKETS] = {hard.prober};
    bool hit = false;

    for (int i = 1; i < HARD_SOCKETS; i++)
        sockets[i] = udp_prober_add(w, hard_host, 0);
    learn(w, hard.prober, easy.prober);
    world_run(w, span_s(1));
    if (w->failed)
        return false;
    if (order != EASY_FIRST)
        open_many(w, sockets, easy.prober, order == HARD_FIRST_LOW_TTL ? 4 : 0);
    probe_random_ports(w, easy.prober, &udp_prober_get(w, hard.prober)->seen);
    if (order == EASY_FIRST)
        open_many(w, sockets, easy.prober, 0);
    for (int i = 0; i < HARD_SOCKETS; i++)
        hit = hit || udp_prober_get(w, sockets[i])->answered > 0;
    return hit || udp_prober_get(w, easy.prober)->answered > 0;
}

/* 1,000 probes to 64,512 ports of which 256 are open: one hits with 98.2 %. */
static void hard_against_easy(struct world *w)
{
    int hit = 0;

    add_server(w);
    for (int i = 0; i < 10; i++)
        hit += hits(w, add_end(w, 2 * i + 1, NAT_SYM),
                    add_end(w, 2 * i + 2, NAT_HOME), 2 * i + 1, HARD_FIRST);
    expect(w, hit >= 9, "many sockets and many probes get through");
    settle(w);
}

/* Which order gets through where one of the boxes takes tuples. */
static const struct {
    bool hard_takes, easy_takes;
    enum hard_order order;
    bool hits;
} order_table[] = {
    {false, false, HARD_FIRST, true},
    {false, false, EASY_FIRST, true},
    {true, false, HARD_FIRST, true},
    {true, false, EASY_FIRST, false}, /* each probe takes the port it hits */
    {false, true, HARD_FIRST, false}, /* each of the 256 takes a tuple */
    {false, true, EASY_FIRST, true},
    {true, true, HARD_FIRST, false},
    {true, true, EASY_FIRST, false},
    {true, true, HARD_FIRST_LOW_TTL, true},
};

enum { ORDERS = sizeof(order_table) / sizeof(order_table[0]), TRIES = 2 };

/* The two hosts have the numbers 2 * n + 1 and 2 * n + 2. */
static bool hits_in_order(struct world *w, int row, int n)
{
    struct nat_conf hard = conf_at(NAT_SYM, 2 * n + 1);
    struct nat_conf easy = conf_at(NAT_PLAIN, 2 * n + 2);

    hard.takes_tuples = order_table[row].hard_takes;
    easy.takes_tuples = order_table[row].easy_takes;
    return hits(w, add_behind(w, 2 * n + 1, UDP_INTERNET, &hard),
                add_behind(w, 2 * n + 2, UDP_INTERNET, &easy), 2 * n + 1,
                order_table[row].order);
}

/* A single try fails in 1.8 % of all cases: each row has two. */
static void hard_against_easy_orders(struct world *w)
{
    char what[80];

    add_server(w);
    for (int row = 0; row < ORDERS && !w->failed; row++) {
        int hit = 0;

        for (int i = 0; i < TRIES; i++)
            hit += hits_in_order(w, row, TRIES * row + i);
        snprintf(what, sizeof(what), "row %d of the table: %d of %d hit", row,
                 hit, TRIES);
        expect(w, order_table[row].hits ? hit > 0 : hit == 0, what);
    }
    settle(w);
}

/* --- several boxes ------------------------------------------------------- */

static void hairpins(struct world *w)
{
    add_server(w);
    for (int can = 0; can < 2; can++) {
        struct nat_conf conf = conf_at(NAT_HOME, 1 + can);
        struct nat_end a;
        struct address inside = udp_address("192.168.1.3");
        int b;

        conf.hairpins = can == 1;
        a = add_behind(w, 1 + 10 * can, UDP_INTERNET, &conf);
        b = add_prober(w, 2 + 10 * can, a.box, "192.168.1.3");
        expect(w, punches(w, a.prober, b, span_us(0)) == conf.hairpins,
               "neighbours meet outside only with a hairpin");
        learn(w, a.prober, b);
        inside.port = udp_prober_get(w, b)->port;
        udp_prober_probe(w, a.prober, &inside, 0);
        world_run(w, span_ms(100));
        expect(w, is_direct(w, a.prober, b), "and inside without one");
    }
    settle(w);
}

/* A home behind a carrier's box. */
static struct nat_end add_subscriber(struct world *w, int number, int carrier)
{
    struct nat_conf conf = nat_kind_conf(NAT_HOME);
    char ip[ADDRESS_TEXT_SIZE];

    snprintf(ip, sizeof(ip), "100.64.0.%d", number);
    conf.outside[0] = udp_address(ip);
    conf.outside_count = 1;
    return add_behind(w, number, carrier, &conf);
}

static int add_carrier(struct world *w, enum nat_kind kind, int number,
                       bool hairpin)
{
    struct nat_conf conf = conf_at(kind, number);
    int box;

    conf.hairpins = hairpin;
    conf.mappings_per_host_max = 64;
    box = udp_add_box(w, UDP_INTERNET, &conf);
    slow_link(w, udp_plug_of_box(w, box));
    return box;
}

static void carrier_grade(struct world *w)
{
    int easy, turning, hard;

    add_server(w);
    easy = add_carrier(w, NAT_HOME, 101, false);
    turning = add_carrier(w, NAT_HOME, 102, true);
    hard = add_carrier(w, NAT_SYM, 103, false);
    expect(w,
           punches(w, add_subscriber(w, 1, easy).prober,
                   add_end(w, 2, NAT_HOME).prober, span_us(0)),
           "two easy boxes are as one");
    expect(w,
           punches(w, add_subscriber(w, 3, easy).prober,
                   add_subscriber(w, 4, turning).prober, span_us(0)),
           "also at both ends");
    expect(w,
           !punches(w, add_subscriber(w, 5, easy).prober,
                    add_subscriber(w, 6, easy).prober, span_us(0)),
           "subscribers of one carrier need its hairpin");
    expect(w,
           punches(w, add_subscriber(w, 7, turning).prober,
                   add_subscriber(w, 8, turning).prober, span_us(0)),
           "and meet by it");
    expect(w,
           !punches(w, add_subscriber(w, 9, hard).prober,
                    add_end(w, 10, NAT_HOME).prober, span_us(0)),
           "the harder box decides");
    expect(w,
           punches(w, add_subscriber(w, 11, hard).prober,
                   add_end(w, 12, NAT_RESTRICTED_CONE).prober, span_us(0)),
           "a filter by address is easy enough for it");
    settle(w);
}

/* A carrier gives a subscriber so many ports, and no more. */
static void port_limit(struct world *w)
{
    int carrier;
    struct nat_end a;
    size_t told = 0;
    int probers[100];

    add_server(w);
    carrier = add_carrier(w, NAT_SYM, 101, false);
    a = add_subscriber(w, 1, carrier);
    for (int i = 0; i < 100; i++) {
        probers[i] = i == 0 ? a.prober : udp_prober_add(w, 1, 0);
        ask_server(w, probers[i]);
    }
    world_run(w, span_s(1));
    for (int i = 0; i < 100; i++)
        told += udp_prober_get(w, probers[i])->seen.family == ADDRESS_V4;
    expect(w, told == 64, "the limit is used up");
    expect(w, w->udp->fates[UDP_FULL] == 36, "and holds");
    expect(w, nat_mappings(udp_net_box(w->udp->net, a.box), w->now) == 100,
           "the home's own box knows nothing of it");
    settle(w);
}

/* --- time -------------------------------------------------------------- */

/* Whether a datagram from the open host still gets in. */
static bool gets_in(struct world *w, int open, int behind)
{
    size_t before = udp_prober_get(w, behind)->probed;

    probe(w, open, behind, 0);
    world_run(w, span_ms(100));
    return udp_prober_get(w, behind)->probed > before;
}

/* Outbound datagrams, answers among them, are all that refreshes. */
static void mappings_end(struct world *w)
{
    struct nat_conf conf = conf_at(NAT_HOME, 1);
    struct nat_end a, b;
    struct address first;

    add_server(w);
    conf.timeout = span_s(30);
    conf.inbound_refreshes = false;
    conf.ports = NAT_PORTS_RANDOM;
    a = add_behind(w, 1, UDP_INTERNET, &conf);
    b = add_end(w, 2, OPEN);
    learn(w, a.prober, b.prober);
    world_run(w, span_s(1));
    first = udp_prober_get(w, a.prober)->seen;
    for (int i = 0; i < 6; i++) { /* Keep-alives */
        probe(w, a.prober, b.prober, 0);
        world_run(w, span_s(25));
        expect(w, gets_in(w, b.prober, a.prober), "it is kept alive");
    }
    world_run(w, span_s(31));
    expect(w, !gets_in(w, b.prober, a.prober), "it ends in silence");
    learn(w, a.prober, b.prober);
    world_run(w, span_s(1));
    expect(w, !address_equal(&first, &udp_prober_get(w, a.prober)->seen),
           "and the next one has another port");
    udp_restart_box(w, a.box, "198.51.1.99");
    expect(w, !gets_in(w, b.prober, a.prober), "a box that restarts forgets");
    expect(w, punches(w, a.prober, b.prober, span_us(0)), "and serves again");
    settle(w);
}

/* --- IPv6, and what links do ---------------------------------------------- */

static void firewalls_of_ipv6(struct world *w)
{
    const struct nat_conf conf = nat_kind_conf(NAT_FIREWALL);
    int ends[2];
    struct address addresses[2];

    for (int i = 0; i < 2; i++) {
        const char *ips[] = {"2001:db8:1::2", "2001:db8:2::2"};
        int box = udp_add_box(w, UDP_INTERNET, &conf);

        slow_link(w, udp_plug_of_box(w, box));
        ends[i] = add_prober(w, 1 + i, box, ips[i]);
        addresses[i] = udp_address(ips[i]);
        addresses[i].port = udp_prober_get(w, ends[i])->port;
    }
    udp_prober_probe(w, ends[0], &addresses[1], 0);
    world_run(w, span_ms(100));
    expect(w, w->udp->fates[UDP_UNMAPPED] == 1, "nothing unasked gets in");
    udp_prober_probe(w, ends[1], &addresses[0], 0);
    world_run(w, span_ms(100));
    expect(w, is_direct(w, ends[0], ends[1]), "what was asked for does");
    settle(w);
}

static void large_datagrams_vanish(struct world *w)
{
    static const uint8_t data[1500] = {1};
    const struct udp_link narrow = {.delay = span_ms(10), .mtu = 1280};
    struct nat_end a, b;
    struct address to;
    uint16_t port;

    add_server(w);
    a = add_end(w, 1, NAT_HOME);
    b = add_end(w, 2, NAT_HOME);
    udp_set_link(w, udp_plug_of_box(w, b.box), UDP_DOWN, &narrow);
    expect(w, punches(w, a.prober, b.prober, span_us(0)), "small ones pass");
    to = udp_prober_get(w, a.prober)->seen;
    port = udp_prober_get(w, b.prober)->port;
    udp_send(w, 2, port, &to, bytes_of(data, 1500), 0);
    to = udp_prober_get(w, b.prober)->seen;
    port = udp_prober_get(w, a.prober)->port;
    udp_send(w, 1, port, &to, bytes_of(data, 1500), 0);
    udp_send(w, 1, port, &to, bytes_of(data, 1280), 0);
    settle(w);
    expect(w, w->udp->fates[UDP_TOO_LARGE] == 1, "one direction is narrow");
}

const struct scenario scenarios_of_nats[] = {
    {"every-pair-of-nats", every_pair_of_nats},
    {"every-pair-of-behaviours", every_pair_of_behaviours},
    {"probe-first", probe_first},
    {"low-ttl-first", low_ttl_first},
    {"hard-against-easy", hard_against_easy},
    {"hard-against-easy-orders", hard_against_easy_orders},
    {"hairpins", hairpins},
    {"carrier-grade", carrier_grade},
    {"port-limit", port_limit},
    {"mappings-end", mappings_end},
    {"firewalls-of-ipv6", firewalls_of_ipv6},
    {"large-datagrams-vanish", large_datagrams_vanish},
    {NULL, NULL},
};
