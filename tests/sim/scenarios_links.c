/*
 * Which of several paths is used, and what a path has to show for it.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

/* Two on a LAN that may also meet at a relay. */
struct duo {
    int relay, a, b;
};

static struct duo start_duo(struct world *w)
{
    int segment = world_add_segment(w, true);
    struct duo d;

    w->segments[segment].reaches[INTERNET] = true;
    d.relay = world_add_relay(w);
    d.a = world_add_edge(w, segment);
    d.b = world_add_edge(w, segment);
    world_uses_relay(w, d.a, d.relay);
    world_uses_relay(w, d.b, d.relay);
    host_start_all(w);
    settles_within(w, span_s(4), "both meet");
    world_run(w, span_s(25)); /* The start's own noise is over. */
    return d;
}

static uint64_t doubts_of(const struct world *w, int host)
{
    struct node_counters counters;

    node_counters_get(w->hosts[host].process->node, &counters);
    return counters.doubts;
}

/* b cannot reach a directly for a while, twice: it holds tcp down and sends by
 * the relay, while a's own way is never in doubt. */
static void make_b_hold_tcp(struct world *w, struct duo d)
{
    talks_within(w, d.a, d.b, span_ms(50));
    for (int i = 0; i < 2; i++) {
        network_cut(w, d.b, d.a);
        (void)application_send(w, d.b, d.a, 100);
        world_run(w, span_ms(700));
        network_heal(w, d.b, d.a, false);
        world_run(w, span_ms(1300));
    }
    expect(w, checkers_path(w, d.b, d.a) == PATH_RELAY, "b is on the relay");
    expect(w, checkers_path(w, d.a, d.b) == PATH_TCP, "a is on tcp");
}

/* The receiver's own path is dead, and it does not know it yet. */
static void ack_by_the_same_path(struct world *w)
{
    struct duo d = start_duo(w);

    make_b_hold_tcp(w, d);
    host_power_off(w, d.relay);
    application_stream(w, d.a, d.b, 150, 100, span_ms(10));
    checkers_watch_gap(w, d.a, d.b);
    world_run(w, span_ms(1700));
    expect(w, doubts_of(w, d.a) == 0, "the good link is not doubted");
    expect(w, checkers_gap(w, d.a, d.b).us < 50 * 1000, "nothing stands still");
    finishes_within(w, span_s(10));
}

/* Small packets pass a tunnel, large ones vanish. */
static void narrow(struct world *w)
{
    struct duo d = start_duo(w);

    expect(w, is_mutual(w, d.a, d.b, PATH_TCP), "by tcp");
    network_narrow(w, d.a, d.b, 1200);
    application_stream(w, d.a, d.b, 5000, 5000, span_ms(10));
    application_stream(w, d.b, d.a, 5000, 5000, span_ms(10));
    checkers_watch_gap(w, d.a, d.b);
    checkers_watch_gap(w, d.b, d.a);
    world_run(w, span_s(30));
    expect(w,
           checkers_gap(w, d.a, d.b).us < 700 * 1000 &&
               checkers_gap(w, d.b, d.a).us < 700 * 1000,
           "the relay carries them within 700 ms");
    expect(w, is_mutual(w, d.a, d.b, PATH_RELAY), "and goes on");
    network_heal(w, d.a, d.b, false);
    finishes_within(w, span_s(80));
    expect(w, is_mutual(w, d.a, d.b, PATH_TCP), "back on tcp");
}

/* They meet where large packets never pass. */
static void narrow_from_the_start(struct world *w)
{
    int segment = world_add_segment(w, true);
    struct duo d = {world_add_relay(w), world_add_edge(w, segment),
                    world_add_edge(w, segment)};

    w->segments[segment].reaches[INTERNET] = true;
    world_uses_relay(w, d.a, d.relay);
    world_uses_relay(w, d.b, d.relay);
    network_narrow(w, d.b, d.a, 1200);
    host_start_all(w);
    world_run(w, span_ms(500));
    expect(w, is_mutual(w, d.a, d.b, PATH_RELAY), "the relay is used");
    application_stream(w, d.a, d.b, 1000, 5000, span_ms(10));
    application_stream(w, d.b, d.a, 1000, 5000, span_ms(10));
    checkers_watch_gap(w, d.a, d.b);
    checkers_watch_gap(w, d.b, d.a);
    world_run(w, span_s(12));
    expect(w,
           checkers_gap(w, d.a, d.b).us < 150 * 1000 &&
               checkers_gap(w, d.b, d.a).us < 150 * 1000,
           "nothing stands still");
    expect(w, checkers_leaves(w, d.a, d.b) + checkers_leaves(w, d.b, d.a) == 0,
           "nobody left");
    network_heal(w, d.b, d.a, true);
    settles_within(w, span_s(25), "direct once large packets pass");
    finishes_within(w, span_s(1));
}

/* Another address on the same LAN, of which its shell hears within 200 ms. */
static void moves_with(struct world *w, int a, int b)
{
    application_stream(w, a, b, 400, 300, span_ms(10));
    application_stream(w, b, a, 400, 300, span_ms(10));
    world_run(w, span_s(1));
    checkers_watch_gap(w, a, b);
    checkers_watch_gap(w, b, a);
    host_moves(w, a, 0, w->hosts[a].interfaces[0].segment, false);
    world_run(w, span_s(2));
    expect(w,
           checkers_gap(w, a, b).us < 700 * 1000 &&
               checkers_gap(w, b, a).us < 700 * 1000,
           "again within 500 ms of the news");
    expect(w, is_mutual(w, a, b, PATH_TCP), "by tcp");
    finishes_within(w, span_s(10));
    expect(w, checkers_leaves(w, a, b) + checkers_leaves(w, b, a) == 0,
           "nobody left");
}

static void moves(struct world *w)
{
    struct duo d = start_duo(w);

    moves_with(w, d.a, d.b);
}

static void moves_without_a_relay(struct world *w)
{
    int segment = world_add_segment(w, true);
    int a = world_add_edge(w, segment), b = world_add_edge(w, segment);

    host_start_all(w);
    world_run(w, span_s(30));
    moves_with(w, a, b);
}

/* Only the relay: it is connected to anew within about a second. */
static void moves_behind_its_nat(struct world *w)
{
    int relay = world_add_relay(w), home = world_add_nat(w);
    int a = world_add_edge(w, home), b = world_add_edge(w, world_add_nat(w));

    world_uses_relay(w, a, relay);
    world_uses_relay(w, b, relay);
    host_start_all(w);
    world_run(w, span_s(30));
    application_stream(w, a, b, 400, 300, span_ms(10));
    world_run(w, span_s(1));
    checkers_watch_gap(w, a, b);
    host_moves(w, a, 0, home, false);
    world_run(w, span_s(3));
    expect(w, checkers_gap(w, a, b).us < 1200 * 1000,
           "again within a second of the news");
    finishes_within(w, span_s(10));
    expect(w, checkers_leaves(w, b, a) == 0, "nobody left");
}

const struct scenario scenarios_of_links[] = {
    {"ack-by-the-same-path", ack_by_the_same_path},
    {"narrow", narrow},
    {"narrow-from-the-start", narrow_from_the_start},
    {"moves", moves},
    {"moves-without-a-relay", moves_without_a_relay},
    {"moves-behind-its-nat", moves_behind_its_nat},
    {NULL, NULL},
};
