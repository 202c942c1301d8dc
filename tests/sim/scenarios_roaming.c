/*
 * Addresses change, interfaces come and go, hosts sleep; ways lose some
 * packets, or all for some time.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

/* About half a second without messages, while the relay works. */
static const struct span brief = {600 * 1000};

static bool nobody_left(const struct world *w, int a, int b)
{
    return checkers_leaves(w, a, b) == 0 && checkers_leaves(w, b, a) == 0;
}

static void large_vanish(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 1500, 200, span_ms(10));
    application_stream(w, t.a, t.b, 400, 5000, span_ms(40));
    application_stream(w, t.b, t.a, 400, 5000, span_ms(40));
    world_run(w, span_s(2));
    checkers_watch_gap(w, t.a, t.b);
    checkers_watch_gap(w, t.b, t.a);
    network_narrow(w, t.a, t.b, 1200);
    network_narrow(w, t.b, t.a, 1200);
    world_run(w, span_s(10));
    expect(w, is_mutual(w, t.a, t.b, PATH_RELAY), "by the relay meanwhile");
    expect(w,
           checkers_gap(w, t.a, t.b).us < brief.us &&
               checkers_gap(w, t.b, t.a).us < brief.us,
           "half a second without messages, not more");
    network_heal_all(w, false);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.b) == 1900, "all are there");
    expect(w, nobody_left(w, t.a, t.b), "nobody left");
}

/* A cable with a loose contact. */
static void flapping(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 2000, 300, span_ms(10));
    application_stream(w, t.b, t.a, 2000, 300, span_ms(10));
    world_run(w, span_s(1));
    checkers_watch_gap(w, t.a, t.b);
    for (int i = 0; i < 40; i++) {
        network_cut(w, t.a, t.b);
        network_cut(w, t.b, t.a);
        world_run(w, rng_span(&w->rng, span_ms(100), span_ms(500)));
        network_heal_all(w, i % 5 == 0);
        world_run(w, rng_span(&w->rng, span_ms(100), span_ms(500)));
    }
    expect(w, checkers_gap(w, t.a, t.b).us < 1000 * 1000,
           "never a second without messages");
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.b) == 2000, "all are there");
    expect(w, nobody_left(w, t.a, t.b), "nobody left");
}

/* The lease ran out: another address on the same LAN. */
static void another_address(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 1000, 300, span_ms(10));
    application_stream(w, t.far, t.a, 1000, 300, span_ms(10));
    world_run(w, span_s(1));
    for (int i = 0; i < 4; i++) {
        host_moves(w, t.a, 0, w->hosts[t.a].interfaces[0].segment, i % 2 == 0);
        world_run(w, span_s(5));
    }
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.b) == 1000, "all are there");
    expect(w, checkers_count(w, t.far, t.a) == 1000, "all are back");
    expect(w, nobody_left(w, t.a, t.b), "nobody left");
}

/* A laptop leaves for another network, and comes back. */
static void another_network(struct world *w)
{
    struct trio t = start_trio(w);
    int home = w->hosts[t.a].interfaces[0].segment, away = world_add_nat(w);

    application_stream(w, t.a, t.b, 3000, 300, span_ms(10));
    application_stream(w, t.b, t.a, 3000, 300, span_ms(10));
    world_run(w, span_s(1));
    checkers_watch_gap(w, t.b, t.a);
    host_moves(w, t.a, 0, away, false);
    world_run(w, span_s(10));
    expect(w, is_mutual(w, t.a, t.b, PATH_RELAY), "by the relay meanwhile");
    expect(w, checkers_gap(w, t.b, t.a).us < 5000 * 1000, "and soon");
    host_moves(w, t.a, 0, home, true);
    settles_within(w, span_s(10), "direct again at home");
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.a, t.b) == 3000, "all are there");
    expect(w, checkers_count(w, t.b, t.a) == 3000, "all are back");
    expect(w, nobody_left(w, t.a, t.b), "nobody left");
}

/* A cable is pulled for a moment, at an edge, then at the relay. */
static void unplugged(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.far, t.b, 1500, 300, span_ms(10));
    world_run(w, span_s(1));
    host_unplug(w, t.b, 0);
    world_run(w, span_ms(1500));
    host_plug_in(w, t.b, 0);
    world_run(w, span_s(5));
    host_unplug(w, t.relay, 0);
    world_run(w, span_ms(1500));
    host_plug_in(w, t.relay, 0);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, t.far, t.b) == 1500, "all are there");
    expect(w, nobody_left(w, t.far, t.b), "nobody left");
}

/* The NAT gets another outside address. */
static void renumbered(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.far, t.b, 1000, 300, span_ms(10));
    world_run(w, span_s(1));
    segment_renumber(w, w->hosts[t.far].interfaces[0].segment);
    world_run(w, span_s(8));
    settles_within(w, span_s(5), "all meet again");
    finishes_in_the_end(w);
}

static void sleeps(struct world *w, struct span night)
{
    struct trio t = start_trio(w);

    host_sleep(w, t.b);
    expect(w, sees_within(w, t.a, t.b, false, span_s(4)), "lost in time");
    world_run(w, night);
    host_thaw(w, t.b);
    expect(w, sees_within(w, t.a, t.b, true, span_s(4)), "back soon");
    expect(w, sees_within(w, t.far, t.b, true, span_s(4)), "for all");
    expect(w, sees_within(w, t.b, t.far, true, span_s(4)), "and all for it");
    settles_within(w, span_s(10), "by the best paths");
    talks_within(w, t.a, t.b, span_s(1));
    talks_within(w, t.far, t.b, span_s(1));
}

static void short_sleep(struct world *w)
{
    sleeps(w, span_s(20));
}

static void long_sleep(struct world *w)
{
    sleeps(w, span_s(600));
}

/* A publisher sleeps before the acknowledgement comes. When it wakes, it
 * repeats the publication to a receiver that had received it and forgot the
 * publisher meanwhile. */
static void sleep_before_the_ack(struct world *w)
{
    int relay = world_add_relay(w), a = world_add_edge(w, world_add_nat(w)),
        b = world_add_edge(w, world_add_nat(w));

    world_uses_relay(w, a, relay);
    world_uses_relay(w, b, relay);
    host_start_all(w);
    settles_within(w, span_s(5), "both meet");
    (void)application_publish(w, a, 0, 500); /* b learns of the stream. */
    world_run(w, span_s(3));
    network_cut(w, relay, a);
    (void)application_publish(w, a, 0, 500);
    for (int i = 0; i < 500 && checkers_count(w, a, b) < 2; i++)
        world_run(w, span_ms(1));
    host_sleep(w, a);
    world_run(w, span_s(200));
    network_heal_all(w, true);
    host_thaw(w, a);
    settles_within(w, span_s(10), "both meet again");
    (void)application_publish(w, a, 0, 500);
    finishes_in_the_end(w);
    expect(w, checkers_count(w, a, b) == 3, "each came, and none twice");
}

/* Seven send more than the relay's queue for the eighth holds. */
static void overflow(struct world *w)
{
    int relay = world_add_relay(w), first = 0, last = 0;

    w->limits.hub_queue = 80 * 1024;
    w->high_water = 32 * 1024;
    w->rate = 1000 * 1000;
    for (int i = 0; i < 8; i++) {
        last = world_add_edge(w, world_add_nat(w));
        first = i == 0 ? last : first;
        world_uses_relay(w, last, relay);
    }
    host_start_all(w);
    settles_within(w, span_s(2), "all meet");
    for (int i = first + 1; i <= last; i++)
        application_stream(w, i, first, 40, 20000, span_ms(1));
    /* 5.6 MB on a line of 1 MB/s. */
    world_run(w, span_s(9));
    finishes_within(w, span_s(1));
    for (int i = first + 1; i <= last; i++)
        expect(w, checkers_count(w, i, first) == 40, "all are there");
}

const struct scenario scenarios_of_roaming[] = {
    {"large-vanish", large_vanish},
    {"flapping", flapping},
    {"another-address", another_address},
    {"another-network", another_network},
    {"unplugged", unplugged},
    {"renumbered", renumbered},
    {"short-sleep", short_sleep},
    {"long-sleep", long_sleep},
    {"sleep-before-the-ack", sleep_before_the_ack},
    {"overflow", overflow},
    {NULL, NULL},
};
