/*
 * What a publication costs the publisher, and how soon it is acknowledged.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

enum { CROWD = 36, PUBLISHER = 1, MESSAGE = 500, COUNT = 200 };

static struct node_counters counters_of(const struct world *w, int host)
{
    struct node_counters counters;

    node_counters_get(w->hosts[host].process->node, &counters);
    return counters;
}

/* Host 0 is a relay, and the others meet only there. */
static void start_crowd(struct world *w)
{
    int relay = world_add_relay(w), segment = world_add_segment(w, false);

    w->segments[segment].reaches[INTERNET] = true;
    for (int i = 0; i < CROWD; i++) {
        int edge = world_add_edge(w, segment);
        w->hosts[edge].only_relays = true;
        world_uses_relay(w, edge, relay);
    }
    host_start_all(w);
    settles_within(w, span_s(10), "all meet");
    world_run(w, span_s(10));
    (void)application_publish(w, PUBLISHER, 0,
                              MESSAGE); /* The receivers learn of the stream. */
    world_run(w, span_s(3));
}

/* Publishes one message each `every`. */
static void publish_for(struct world *w, int publisher, struct span time,
                        struct span every)
{
    struct instant end = instant_after(w->now, time);

    while (!w->failed && !instant_reached(end, w->now)) {
        (void)application_publish(w, publisher, 0, MESSAGE);
        world_run(w, every);
    }
}

static bool is_acknowledged(struct world *w)
{
    return counters_of(w, PUBLISHER).store_bytes == 0;
}

static void all_have(struct world *w, size_t count)
{
    for (int i = PUBLISHER + 1; i <= CROWD; i++)
        expect(w, checkers_count(w, PUBLISHER, i) == count,
               "each publication reaches everybody");
}

/* A lone publication is acknowledged soon, a stream now and then. */
static void words_of_a_stream(struct world *w)
{
    start_crowd(w);
    struct node_counters before = counters_of(w, PUBLISHER);
    (void)application_publish(w, PUBLISHER, 0, MESSAGE);
    expect(w, world_run_until(w, is_acknowledged, span_ms(250)),
           "one publication is acknowledged soon");
    expect(w, counters_of(w, PUBLISHER).group_acks - before.group_acks <= CROWD,
           "by one word of each");

    before = counters_of(w, PUBLISHER);
    publish_for(w, PUBLISHER, span_s(10), span_ms(20));
    struct node_counters after = counters_of(w, PUBLISHER);
    expect(w, after.group_acks - before.group_acks <= 27 * (CROWD - 1),
           "a word of each in 400 ms is enough");
    expect(w, world_run_until(w, is_acknowledged, span_ms(600)),
           "the end of a stream is acknowledged soon");
    expect(w, counters_of(w, PUBLISHER).group_asks == before.group_asks,
           "nobody is asked");
    expect(w, after.multicasts_alone == before.multicasts_alone,
           "nobody is served alone");
    all_have(w, 2 + 500);
}

/* Publishes 25 a second, until then. */
static void publish_on(struct world *w, int host, uint64_t until_us)
{
    if (w->now.us >= (int64_t)until_us || w->failed)
        return;
    (void)application_publish(w, host, 0, MESSAGE);
    world_at(w, span_us((int64_t)rng_below(&w->rng, 80 * 1000)), publish_on,
             host, until_us);
}

static bool is_direct(const struct world *w, const struct trio *t)
{
    return is_mutual(w, t->a, t->b, PATH_TCP);
}

static struct span largest_gap(const struct world *w, const struct trio *t)
{
    return span_max(checkers_gap(w, t->a, t->b), checkers_gap(w, t->b, t->a));
}

/* Cuts the direct way as soon as it is back, or soon after. */
static void cut_again(struct world *w)
{
    struct trio t = start_trio(w);
    uint64_t until_us = (uint64_t)instant_after(w->now, span_s(3600)).us;

    publish_on(w, t.a, until_us);
    publish_on(w, t.b, until_us);
    world_run(w, span_s(5));
    checkers_watch_gap(w, t.a, t.b);
    checkers_watch_gap(w, t.b, t.a);
    for (int i = 0; i < 40 && !w->failed; i++) {
        world_run(w, span_ms(2 * i));
        network_cut(w, t.a, t.b);
        network_cut(w, t.b, t.a);
        world_run(w, span_s(3));
        network_heal_all(w, false);
        for (int k = 0; k < 300 * 1000 && !is_direct(w, &t); k++)
            world_run(w, span_ms(1));
    }
    expect(w, is_direct(w, &t), "direct again by itself");
    expect(w, largest_gap(w, &t).us < 800 * 1000,
           "less than a second without publications");
}

/* Only publications are sent; the relay works. The cut comes once at each phase
 * of the receiver's acknowledgements. */
static void cut_directly(struct world *w)
{
    struct trio t = start_trio(w);

    checkers_watch_gap(w, t.a, t.b);
    for (int i = 0; i < 8; i++) {
        publish_for(w, t.a, span_ms(3000 + 50 * i), span_ms(40));
        network_cut(w, t.a, t.b);
        network_cut(w, t.b, t.a);
        publish_for(w, t.a, span_s(3), span_ms(40));
        network_heal_all(w, false);
        for (int k = 0; k < 300 && !is_direct(w, &t); k++)
            publish_for(w, t.a, span_s(1), span_ms(40));
        expect(w, is_direct(w, &t), "direct again by itself");
    }
    expect(w, checkers_gap(w, t.a, t.b).us < 600 * 1000,
           "half a second without publications, not more");
}

static void wake(struct world *w, int host, uint64_t unused)
{
    (void)unused;
    if (w->hosts[host].frozen)
        host_thaw(w, host);
}

/* The host stops now and then, for up to a second. */
static void doze(struct world *w, int host, uint64_t until_us)
{
    if (w->now.us >= (int64_t)until_us || w->failed)
        return;
    int64_t nap_us = (int64_t)rng_below(&w->rng, 1000 * 1000);
    int64_t work_us = (int64_t)rng_below(&w->rng, 500 * 1000);
    host_freeze(w, host);
    world_at(w, span_us(nap_us), wake, host, 0);
    world_at(w, span_us(nap_us + work_us + 1), doze, host, until_us);
}

/* The publisher asks slow receivers first, and resends nothing that they
 * have. */
static void slow_receivers(struct world *w)
{
    start_crowd(w);
    struct node_counters before = counters_of(w, PUBLISHER);
    struct instant end = instant_after(w->now, span_s(20));
    for (int i = PUBLISHER + 1; i <= CROWD; i++)
        doze(w, i, (uint64_t)end.us);
    publish_for(w, PUBLISHER, span_s(20), span_ms(20));
    world_run(w, span_s(4));
    struct node_counters after = counters_of(w, PUBLISHER);
    expect(w, after.multicasts_alone == before.multicasts_alone,
           "nobody is served alone without a loss");
    expect(w, after.group_asks > before.group_asks, "they were slow");
    expect(w, after.group_asks - before.group_asks <= 10 * CROWD,
           "and asked now and then");
    expect(w, is_acknowledged(w), "everything is acknowledged");
    all_have(w, 1 + 1000);
}

/* The relay drops the last packets for a receiver that does not read, and no
 * later packet shows the loss. */
static void lost_at_the_end(struct world *w)
{
    w->limits.hub_queue = 400 * 1024;
    w->high_water = 32 * 1024;
    struct trio t = start_trio(w);
    (void)application_publish(w, t.a, 0,
                              MESSAGE); /* The receivers learn of the stream. */
    world_run(w, span_s(1));
    struct node_counters before = counters_of(w, t.a);
    host_freeze(w, t.far);
    for (int i = 0; i < COUNT; i++) {
        (void)application_publish(w, t.a, 0, 4000);
        world_run(w, span_ms(3));
    }
    world_run(w, span_ms(100)); /* The last one is at the relay, too. */
    host_thaw(w, t.far);
    world_run(w, span_ms(5));
    expect(w, checkers_count(w, t.a, t.far) <= COUNT, "something was lost");
    world_run(w, span_ms(1200));
    expect(w, checkers_count(w, t.a, t.far) == 1 + COUNT,
           "it is there again soon");
    struct node_counters after = counters_of(w, t.a);
    /* The neighbour on the LAN gets each by unicast as well. */
    expect(w, after.multicasts_alone - before.multicasts_alone < 2 * COUNT,
           "and what was not lost did not come again");
    expect(w, after.group_asks - before.group_asks <= 3, "after a question");
}

const struct scenario scenarios_of_groups[] = {
    {"lost-at-the-end", lost_at_the_end},
    {"direct-cut-of-publications", cut_directly},
    {"direct-cut-again", cut_again},
    {"words-of-a-stream", words_of_a_stream},
    {"slow-receivers", slow_receivers},
    {NULL, NULL},
};
