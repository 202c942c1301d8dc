/*
 * Pairs of punch machines behind all kinds of boxes: each pair has a world of
 * its own, so the scenario's world only fails.
 */
#include "tests/sim/nat_ends.h"
#include "tests/sim/punch_pairs.h"
#include "tests/sim/scenarios.h"

#include <stdio.h>

/* How many of the seeds are direct; fails what a checker says. */
static int run_seeds(struct world *w, const struct pair_conf *conf, int seeds,
                     struct span *longest)
{
    int direct = 0;
    *longest = span_us(0);
    for (int seed = 1; seed <= seeds && !w->failed; seed++) {
        struct pair_result r =
            pair_run(conf, (uint64_t)seed, PUNCH_SABOTAGE_NONE);
        if (r.failure[0] != '\0')
            world_fail(w, "scenario", "seed %d: %s", seed, r.failure);
        if (!r.is_direct)
            continue;
        direct++;
        *longest = span_max(*longest, r.took);
    }
    return direct;
}

static void expect_all(struct world *w, const struct pair_conf *conf, int seeds,
                       struct span within, const char *what)
{
    struct span longest;
    int direct = run_seeds(w, conf, seeds, &longest);
    if (direct < seeds || longest.us > within.us)
        world_fail(w, "scenario", "%s: %d of %d direct, the last in %lld ms",
                   what, direct, seeds, (long long)longest.us / 1000);
}

static struct pair_conf make_pair(struct pair_home leader,
                                  struct pair_home other)
{
    return (struct pair_conf){.homes = {leader, other}, .limit = span_s(60)};
}

static void machines_of_every_pair(struct world *w)
{
    int hard = 0, hits = 0;
    for (int i = 0; i < PAIR_KINDS && !w->failed; i++)
        for (int k = 0; k < PAIR_KINDS && !w->failed; k++) {
            struct pair_conf c = make_pair(pair_home(pair_kinds[i], 0),
                                           pair_home(pair_kinds[k], 1));
            struct span longest;
            char what[80];
            enum pair_expected e = pair_expected(&c);
            snprintf(what, sizeof what, "%s leads %s",
                     pair_kind_name(pair_kinds[i]),
                     pair_kind_name(pair_kinds[k]));
            if (e == PAIR_EASY) {
                expect_all(w, &c, 1, span_s(3), what);
            } else if (e == PAIR_RELAYED) {
                expect(w, run_seeds(w, &c, 1, &longest) == 0, what);
            } else {
                c.limit = span_s(20);
                hits += run_seeds(w, &c, 1, &longest);
                hard++;
            }
        }
    expect(w, hits * 10 >= hard * 9, "many sockets make hard pairs direct");
}

static void machines_and_a_hard_nat(struct world *w)
{
    for (int hard = 0; hard < 2; hard++) {
        struct pair_conf c =
            make_pair(pair_home(NAT_HOME, 0), pair_home(NAT_HOME, 1));
        struct span longest;
        c.homes[hard] = pair_home(NAT_SYM, hard);
        c.limit = span_s(20);
        expect(w, run_seeds(w, &c, 10, &longest) >= 9,
               "many sockets find each other");
        c.easy_only = true;
        expect(w, run_seeds(w, &c, 3, &longest) == 0,
               "not with a side that says easy only");
        c.easy_only = false;
        c.homes[hard].boxes[0].shares_ports = false;
        c.homes[hard].boxes[0].ports = NAT_PORTS_SEQUENTIAL;
        expect_all(w, &c, 10, span_s(3), "ports in sequence are predicted");
    }
}

/* The relay is near to one end: the two begin 120 ms apart. */
static void machines_and_routers_that_take_tuples(struct world *w)
{
    for (int near = 0; near < 2; near++) {
        struct pair_conf c =
            make_pair(pair_home(NAT_PLAIN, 0), pair_home(NAT_PLAIN, 1));
        int failed = 0;
        c.delays[near] = span_ms(5);
        c.delays[1 - near] = span_ms(240);
        for (int i = 0; i < 2; i++)
            c.homes[i].boxes[0].takes_tuples = true;
        expect_all(w, &c, 10, span_s(3), "a low time to live opens both");
        for (uint64_t seed = 1; seed <= 10; seed++)
            failed += pair_run(&c, seed, PUNCH_SABOTAGE_FAR).rounds > 1;
        expect(w, failed > 0, "a full one lets the other one take the tuple");
    }
}

static void machines_behind_carriers(struct world *w)
{
    struct pair_conf c = make_pair(pair_home_of_carrier(NAT_HOME, NAT_HOME, 0),
                                   pair_home(NAT_PLAIN, 1));
    struct span longest;
    expect_all(w, &c, 5, span_s(3), "one carrier");
    c.homes[1] = pair_home_of_carrier(NAT_PLAIN, NAT_HOME, 1);
    expect_all(w, &c, 5, span_s(3), "two carriers");
    c.carrier_is_shared = true;
    expect(w, run_seeds(w, &c, 1, &longest) == 0, "one without a hairpin");
    c.homes[0].boxes[1].hairpins = true;
    expect_all(w, &c, 5, span_s(3), "one with a hairpin");
    c.carrier_is_shared = false;
    c.is_shared = true;
    c.homes[0] = c.homes[1] = pair_home(NAT_SYM, 0);
    expect_all(w, &c, 5, span_s(3), "one home needs none");
}

static void machines_and_firewalls_of_ipv6(struct world *w)
{
    struct pair_conf c =
        make_pair(pair_home(NAT_FIREWALL, 0), pair_home(NAT_FIREWALL, 1));
    c.is_v6 = true;
    expect_all(w, &c, 10, span_s(3), "both firewalls open");
}

static void machines_where_much_is_lost(struct world *w)
{
    struct pair_conf c =
        make_pair(pair_home(NAT_HOME, 0), pair_home(NAT_PLAIN, 1));
    c.loss_percent = 20;
    c.homes[1].boxes[0].takes_tuples = true;
    expect_all(w, &c, 20, span_s(20), "a fifth is lost");
}

const struct scenario scenarios_of_pairs[] = {
    {"machines-of-every-pair", machines_of_every_pair},
    {"machines-hard-nat", machines_and_a_hard_nat},
    {"machines-taken-tuples", machines_and_routers_that_take_tuples},
    {"machines-behind-carriers", machines_behind_carriers},
    {"machines-ipv6", machines_and_firewalls_of_ipv6},
    {"machines-loss", machines_where_much_is_lost},
    {NULL, NULL},
};
