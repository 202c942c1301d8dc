/*
 * Which of several paths nodes use, and what proves that a path works.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

/* Two edges on a LAN that use one relay. */
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
    world_run(w, span_s(25)); /* Nothing of the start goes on any more. */
    return d;
}

static uint64_t suspicions_of(const struct world *w, int host)
{
    struct node_counters counters;

    node_counters_get(w->hosts[host].process->node, &counters);
    return counters.path_suspicions;
}

/* Twice b cannot reach a directly for a while: b holds tcp down and sends by
 * the relay, while a's own path is never suspected. */
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

/* The receiver's own path is dead, and the receiver does not know it yet. */
static void ack_by_the_same_path(struct world *w)
{
    struct duo d = start_duo(w);

    make_b_hold_tcp(w, d);
    host_power_off(w, d.relay);
    application_stream(w, d.a, d.b, 150, 100, span_ms(10));
    checkers_watch_gap(w, d.a, d.b);
    world_run(w, span_ms(1700));
    expect(w, suspicions_of(w, d.a) == 0, "the good link is not suspected");
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

/* A host gets another address on its LAN; its shell notices within 200 ms. */
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

/* There is only a relay: the node connects to it anew within about a second. */
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

/* --- more nodes than links ---------------------------------------------- */

enum { MANY = 12, FEW = 4 };

static size_t most_links;

/* Links that are up, and those that are being opened. */
static size_t links_of(const struct world *w, int host)
{
    size_t count = 0;

    for (int b = 0; b < w->host_count; b++)
        count += b != host && checkers_path(w, host, b) == PATH_TCP;
    return count;
}

static void look_at_links(struct world *w, int host, uint64_t times)
{
    size_t count = links_of(w, host);

    most_links = count > most_links ? count : most_links;
    if (times > 0)
        world_at(w, span_ms(20), look_at_links, host, times - 1);
}

static void start_many(struct world *w, struct span watched)
{
    int segment = world_add_segment(w, true);

    w->limits.links = FEW;
    most_links = 0;
    for (int i = 0; i < MANY; i++)
        world_add_edge(w, segment);
    host_start_all(w);
    for (int i = 0; i < MANY; i++)
        look_at_links(w, i, (uint64_t)watched.us / 20000);
    world_run(w, span_s(5));
    checkers_settle_presence(w);
}

static size_t leaves(const struct world *w)
{
    size_t count = 0;

    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            count += a == b ? 0 : checkers_leaves(w, a, b);
    return count;
}

static void ends_well(struct world *w)
{
    world_run(w, span_s(10));
    if (!w->failed)
        checkers_settle_presence(w);
    expect(w, leaves(w) == 0, "nobody left");
    expect(w, most_links > 1 && most_links <= FEW + FEW / 4,
           "never more links than the limit and a quarter");
}

static void is_delivered_soon(struct world *w, int a, int b)
{
    enum node_outcome outcome;
    uint64_t ref = application_send(w, a, b, 1000);

    world_run(w, span_ms(1500));
    expect(w,
           checkers_reported(w, ref, &outcome) && outcome == OUTCOME_DELIVERED,
           "a message to somebody without a link is delivered soon");
}

static uint64_t path_changes(const struct world *w)
{
    uint64_t count = 0;

    for (int i = 0; i < w->host_count; i++) {
        struct node_counters counters;

        node_counters_get(w->hosts[i].process->node, &counters);
        count += counters.path_changes;
    }
    return count;
}

/* They talk one after the other, so that there is always an idle link. */
static void more_nodes_than_links(struct world *w)
{
    enum { MOST_CHANGES = 6 }; /* one link opened, two closed, at both ends */

    start_many(w, span_s(230));
    uint64_t before = path_changes(w);
    world_run(w, span_s(20));
    expect(w, path_changes(w) == before, "without a reason links stay");
    for (int a = 0; a < MANY && !w->failed; a++)
        for (int b = 0; b < MANY && !w->failed; b++)
            if (a != b)
                is_delivered_soon(w, a, b);
    expect(w, path_changes(w) - before <= MANY * (MANY - 1) * MOST_CHANGES,
           "nobody takes the end of a link for a reason to make it again");
    ends_well(w);
}

/* A publication reaches all as links become free; a node that dies without a
 * link is missed as soon as any other. */
static void few_links_for_all(struct world *w)
{
    struct span missed = span_us(w->limits.lost_after.us + 1000 * 1000);

    start_many(w, span_s(60));
    application_publish(w, 0, 0, 500);
    world_run(w, span_s(15));
    for (int b = 1; b < MANY; b++)
        expect(w, checkers_count(w, 0, b) == 1,
               "a publication reaches everybody");
    uint64_t ping = application_ping(w, 0, 1);
    enum node_outcome outcome;
    world_run(w, span_s(3));
    expect(w,
           checkers_reported(w, ping, &outcome) && outcome == OUTCOME_DELIVERED,
           "a ping is answered");
    ends_well(w);
    host_kill(w, MANY - 1);
    for (int a = 0; a < MANY - 1; a++)
        expect(w, sees_within(w, a, MANY - 1, false, missed), "it is missed");
}

/* All talk at once: a link that is not needed any more is closed for the
 * next. */
static void all_talk_to_all(struct world *w)
{
    start_many(w, span_s(60));
    for (int a = 0; a < MANY; a++)
        for (int b = 0; b < MANY; b++)
            if (a != b)
                application_stream(w, a, b, 3, 1000, span_ms(100));
    world_run(w, span_s(40));
    expect(w, application_left(w) == 0, "everything is sent in time");
    for (int a = 0; a < MANY; a++)
        for (int b = 0; b < MANY; b++)
            expect(w, a == b || checkers_count(w, a, b) == 3,
                   "everything is delivered");
    ends_well(w);
}

const struct scenario scenarios_of_links[] = {
    {"more-nodes-than-links", more_nodes_than_links},
    {"few-links-for-all", few_links_for_all},
    {"all-talk-to-all", all_talk_to_all},
    {"ack-by-the-same-path", ack_by_the_same_path},
    {"narrow", narrow},
    {"narrow-from-the-start", narrow_from_the_start},
    {"moves", moves},
    {"moves-without-a-relay", moves_without_a_relay},
    {"moves-behind-its-nat", moves_behind_its_nat},
    {NULL, NULL},
};
