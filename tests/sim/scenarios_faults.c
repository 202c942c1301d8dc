/*
 * Processes end or stop, ways are cut: how soon nodes notice and repair it.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

static void kill9(struct world *w)
{
    struct trio t = start_trio(w);

    host_kill(w, t.b);
    expect(w, sees_within(w, t.a, t.b, false, span_ms(500)),
           "left within 500 ms on tcp");
    expect(w, sees_within(w, t.far, t.b, false, span_ms(500)),
           "left within 500 ms by the relay");
    host_start(w, t.b);
    settles_within(w, span_s(4), "back again");
    host_kill(w, t.far);
    expect(w, sees_within(w, t.a, t.far, false, span_ms(500)),
           "left within 500 ms by the relay");
}

static void clean_leave(struct world *w)
{
    struct trio t = start_trio(w);

    host_leave(w, t.b);
    expect(w, sees_within(w, t.a, t.b, false, span_ms(50)), "left at once");
    expect(w, sees_within(w, t.far, t.b, false, span_ms(100)),
           "left at once by the relay");
    world_run(w, span_s(5));
    expect(w, !checkers_joined(w, t.a, t.b), "stays away");
}

static void vanishes(struct world *w, int host, int near, int far)
{
    struct span limit = span_us(w->limits.lost_after.us + 1000 * 1000);

    expect(w, sees_within(w, near, host, false, limit),
           "lost within lost_after + 1 s");
    expect(w, sees_within(w, far, host, false, limit),
           "lost within lost_after + 1 s by the relay");
}

static void power_off(struct world *w)
{
    struct trio t = start_trio(w);
    struct instant off = w->now;

    host_power_off(w, t.b);
    vanishes(w, t.b, t.a, t.far);
    expect(w, instant_between(off, w->now).us <= 4000 * 1000,
           "both within lost_after + 1 s");
    host_start(w, t.b);
    settles_within(w, span_s(6), "back again");
    talks_within(w, t.a, t.b, span_s(1));
}

static void freeze(struct world *w)
{
    struct trio t = start_trio(w);
    struct instant frozen = w->now;

    host_freeze(w, t.b);
    vanishes(w, t.b, t.a, t.far);
    expect(w, instant_between(frozen, w->now).us <= 4000 * 1000,
           "both within lost_after + 1 s");
    world_run(w, span_s(10));
    host_thaw(w, t.b);
    settles_within(w, span_s(10), "back again");
    talks_within(w, t.a, t.b, span_s(2));
    talks_within(w, t.far, t.b, span_s(2));
}

/* A process that stops for less than lost_after is not lost. */
static void nap(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 1000, 100, span_ms(5));
    application_stream(w, t.far, t.b, 1000, 100, span_ms(5));
    for (int i = 0; i < 3; i++) {
        world_run(w, span_s(1));
        host_freeze(w, t.b);
        world_run(w, span_ms(1500));
        host_thaw(w, t.b);
    }
    finishes_within(w, span_s(20));
    expect(w,
           checkers_leaves(w, t.a, t.b) == 0 &&
               checkers_leaves(w, t.far, t.b) == 0,
           "nobody left");
}

/* All hosts sleep: a node that was late itself declares no peer lost. */
static void all_sleep(struct world *w)
{
    struct trio t = start_trio(w);

    for (int i = 0; i < w->host_count; i++)
        host_freeze(w, i);
    world_run(w, span_s(30));
    for (int i = 0; i < w->host_count; i++)
        host_thaw(w, i);
    world_run(w, span_s(5));
    for (int a = t.a; a <= t.far; a++)
        for (int b = t.a; b <= t.far; b++)
            expect(w, a == b || checkers_leaves(w, a, b) == 0, "nobody left");
    talks_within(w, t.far, t.b, span_s(2));
}

/* A host whose loop is always late by a second. */
static void starved(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.b, t.a, 50, 100, span_ms(500));
    for (int i = 0; i < 30; i++) {
        host_freeze(w, t.b);
        world_run(w, span_ms(1000));
        host_thaw(w, t.b);
        world_run(w, span_ms(20));
    }
    expect(w,
           checkers_leaves(w, t.a, t.b) == 0 &&
               checkers_leaves(w, t.b, t.a) == 0 &&
               checkers_leaves(w, t.far, t.b) == 0,
           "nobody left");
    finishes_within(w, span_s(40));
}

static void relay_restart(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.far, 2000, 200, span_ms(3));
    application_stream(w, t.far, t.b, 2000, 200, span_ms(3));
    world_run(w, span_s(1));
    checkers_watch_gap(w, t.a, t.far);
    for (int i = 0; i < 3; i++) {
        world_run(w, span_s(1));
        host_kill(w, t.relay);
        world_run(w, span_ms(300));
        host_start(w, t.relay);
    }
    finishes_within(w, span_s(30));
    expect(w, checkers_count(w, t.a, t.far) == 2000, "all are there");
    expect(w, checkers_gap(w, t.a, t.far).us < 1200 * 1000,
           "a relay that is back in 300 ms is missed for a second");
    expect(w,
           checkers_leaves(w, t.a, t.far) == 0 &&
               checkers_leaves(w, t.far, t.a) == 0,
           "nobody left for it");
}

/* The relay's host loses power for a moment; no connection is closed. */
static void relay_power(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.far, 500, 200, span_ms(10));
    host_power_off(w, t.relay);
    world_run(w, span_s(8));
    host_start(w, t.relay);
    settles_within(w, span_s(10), "all meet again");
    finishes_within(w, span_s(30));
}

/* The direct way is cut, the relay works: no peer leaves, nothing is lost. */
static void direct_cut(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 4000, 200, span_ms(5));
    world_run(w, span_s(2));
    checkers_watch_gap(w, t.a, t.b);
    network_cut(w, t.a, t.b);
    network_cut(w, t.b, t.a);
    world_run(w, span_s(10));
    expect(w, is_mutual(w, t.a, t.b, PATH_RELAY), "by the relay meanwhile");
    expect(w, checkers_gap(w, t.a, t.b).us < 600 * 1000,
           "half a second without messages, not more");
    network_heal_all(w, false);
    settles_within(w, span_s(40), "direct again by itself");
    finishes_within(w, span_s(60));
    expect(w, checkers_count(w, t.a, t.b) == 4000, "all are there");
    expect(w,
           checkers_leaves(w, t.a, t.b) == 0 &&
               checkers_leaves(w, t.b, t.a) == 0,
           "nobody left");
}

static void one_way_cut(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 3000, 200, span_ms(5));
    application_stream(w, t.b, t.a, 3000, 200, span_ms(5));
    world_run(w, span_s(2));
    checkers_watch_gap(w, t.a, t.b);
    checkers_watch_gap(w, t.b, t.a);
    network_cut(w, t.a, t.b);
    world_run(w, span_s(10));
    expect(w, is_mutual(w, t.a, t.b, PATH_RELAY), "by the relay meanwhile");
    expect(w,
           checkers_gap(w, t.a, t.b).us < 600 * 1000 &&
               checkers_gap(w, t.b, t.a).us < 600 * 1000,
           "half a second without messages, not more");
    network_heal_all(w, true);
    settles_within(w, span_s(40), "direct again by itself");
    finishes_within(w, span_s(60));
    expect(w,
           checkers_leaves(w, t.a, t.b) == 0 &&
               checkers_leaves(w, t.b, t.a) == 0,
           "nobody left");
}

/* Without a relay all ways are cut: the peers are lost, then join again. */
static void lan_cut(struct world *w)
{
    int segment = world_add_segment(w, true);
    int a = world_add_edge(w, segment), b = world_add_edge(w, segment);

    host_start_all(w);
    settles_within(w, span_ms(50), "they meet");
    network_cut(w, a, b);
    network_cut(w, b, a);
    expect(w, sees_within(w, a, b, false, span_s(4)), "lost in time");
    world_run(w, span_s(60));
    network_heal_all(w, true);
    settles_within(w, span_s(3), "found again by the next beacon");
    talks_within(w, a, b, span_ms(100));
}

/* Connections end without a reason, again and again. */
static void resets(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 2000, 500, span_ms(3));
    world_run(w, span_s(1));
    checkers_watch_gap(w, t.a, t.b);
    for (int i = 0; i < 20; i++) {
        world_run(w, span_ms(250));
        network_reset(w, t.a, t.b);
    }
    finishes_within(w, span_s(60));
    expect(w, checkers_count(w, t.a, t.b) == 2000, "all are there");
    expect(w, checkers_gap(w, t.a, t.b).us < 300 * 1000,
           "a reset is over at once");
    expect(w, checkers_leaves(w, t.a, t.b) == 0, "nobody left");
}

/* A thousand messages stay in order while paths and processes change. */
static void thousand(struct world *w)
{
    struct trio t = start_trio(w);

    application_stream(w, t.a, t.b, 1000, 3000, span_ms(20));
    for (int i = 0; i < 4; i++) {
        world_run(w, span_s(1));
        network_cut(w, t.a, t.b);
        world_run(w, span_s(1));
        network_reset(w, t.a, t.relay);
        network_heal_all(w, i % 2 == 0);
        host_kill(w, t.relay);
        world_run(w, span_ms(500));
        host_start(w, t.relay);
        network_reset(w, t.a, t.b);
    }
    finishes_within(w, span_s(60));
    expect(w, checkers_count(w, t.a, t.b) == 1000, "all are there");
}

/* A message that a process did not acknowledge before it ended is reported
 * so. */
static void restarted(struct world *w)
{
    struct trio t = start_trio(w);
    enum node_outcome outcome;
    uint64_t ref;

    host_freeze(w, t.b); /* It reads nothing any more. */
    world_run(w, span_ms(100));
    ref = application_send(w, t.a, t.b, 100);
    world_run(w, span_ms(100));
    host_kill(w, t.b);
    host_start(w, t.b);
    world_run(w, span_s(2));
    expect(w, checkers_reported(w, ref, &outcome), "it is reported");
    expect(w, outcome == OUTCOME_PEER_RESTARTED, "as peer_restarted");
    expect(w, !checkers_handed_over(w, ref, t.b), "it is not sent again");
    settles_within(w, span_s(4), "the new process is there");
    talks_within(w, t.a, t.b, span_ms(200));
}

/* A slow receiver does not delay the others. */
static void slow_one(struct world *w)
{
    struct trio t = start_trio(w);
    int other = world_add_edge(w, world_add_nat(w));

    w->limits.hub_queue = 256 * 1024;
    world_uses_relay(w, other, t.relay);
    host_start(w, other);
    settles_within(w, span_s(2), "all meet");
    application_stream(w, t.a, t.far, 300, 20000, span_ms(1));
    world_run(w, span_ms(100));
    host_freeze(w, t.far);
    for (int i = 0; i < 10; i++)
        talks_within(w, t.a, other, span_ms(150));
    world_run(w, span_ms(500));
    host_thaw(w, t.far);
    finishes_within(w, span_s(30));
    expect(w, checkers_count(w, t.a, t.far) == 300, "all are there");
}

const struct scenario scenarios_of_faults[] = {
    {"kill-9", kill9},
    {"clean-leave", clean_leave},
    {"power-off", power_off},
    {"freeze", freeze},
    {"nap", nap},
    {"all-sleep", all_sleep},
    {"starved", starved},
    {"relay-restart", relay_restart},
    {"relay-power", relay_power},
    {"direct-cut", direct_cut},
    {"one-way-cut", one_way_cut},
    {"lan-cut", lan_cut},
    {"resets", resets},
    {"thousand", thousand},
    {"restarted", restarted},
    {"slow-one", slow_one},
    {NULL, NULL},
};
