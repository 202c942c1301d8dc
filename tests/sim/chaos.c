#include "tests/sim/chaos.h"

#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/chaos_private.h"
#include "tests/sim/forms.h"
#include "tests/sim/hostile.h"

/* PATH_SECONDS: a node dials a peer again 5 min after a failed attempt [P-8.4],
 * and holds a silent path down for as long [P-8.3]. */
enum { SETTLE_SECONDS = 42, PATH_SECONDS = 330, LAST_SECONDS = 5 };

/* What the seed and the options say of a run. */
struct shape {
    int nodes, relays;
    struct span chaos;
};

static bool chance(struct world *w, unsigned percent)
{
    return rng_chance(&w->rng, percent);
}

static int between(struct world *w, int low, int high)
{
    return (int)rng_between(&w->rng, low, high);
}

static size_t one_of(struct world *w, const size_t *list, size_t count)
{
    return list[rng_below(&w->rng, count)];
}

/* --- its shape --------------------------------------------------------- */

/* Most worlds are small, so that many can be run. */
static int some_nodes(struct world *w)
{
    unsigned dice = (unsigned)rng_below(&w->rng, 100);

    return dice < 75   ? between(w, 2, 6)
           : dice < 95 ? between(w, 7, 12)
                       : between(w, 13, 30);
}

static int some_relays(struct world *w)
{
    unsigned dice = (unsigned)rng_below(&w->rng, 100);

    return dice < 10 ? 0 : dice < 60 ? 1 : dice < 82 ? 2 : 3;
}

static struct span some_time(struct world *w, int nodes)
{
    unsigned dice = (unsigned)rng_below(&w->rng, 100);

    if (nodes > 12 || dice < 70)
        return span_s(between(w, 13, 20));
    if (nodes > 5 || dice < 94)
        return span_s(between(w, 20, 60));
    return span_s(between(w, 60, 600));
}

static struct shape shape_of(struct world *w, const struct chaos_conf *conf)
{
    struct shape s = {.nodes = conf->nodes, .relays = conf->relays};

    if (s.nodes == 0)
        s.nodes = some_nodes(w);
    if (s.relays < 0)
        s.relays = some_relays(w);
    if (conf->udp && conf->nodes == 0)
        s.nodes = between(w, 2, chance(w, 80) ? 3 : 6);
    if (conf->udp && conf->relays < 0)
        s.relays = chance(w, 90) ? 1 : 2;
    s.chaos = conf->seconds > 0
                  ? span_s(conf->seconds - SETTLE_SECONDS - LAST_SECONDS)
                  : some_time(w, s.nodes);
    return s;
}

/* --- the world --------------------------------------------------------- */

static void choose_limits(struct world *w)
{
    static const size_t windows[] = {64 * 1024, 256 * 1024, 4 * 1024 * 1024};
    static const size_t waters[] = {32 * 1024, 256 * 1024, 1024 * 1024};
    static const size_t queues[] = {80 * 1024, 256 * 1024, 4 * 1024 * 1024};
    static const size_t rates[] = {0, 0, 300 * 1000, 3 * 1000 * 1000};

    w->limits.window = one_of(w, windows, 3);
    w->high_water = one_of(w, waters, 3);
    w->limits.hub_queue = one_of(w, queues, 3);
    w->rate = one_of(w, rates, 4);
    w->closes_incoming = chance(w, 50);
    w->backlog = chance(w, 30) ? 512 * 1024 : w->backlog;
    if (chance(w, 50))
        w->limits.beacon_interval = span_ms(2500);
}

static void add_segments(struct world *w)
{
    for (int64_t i = rng_between(&w->rng, 1, 4); i > 0; i--) {
        int s;

        if (chance(w, 45)) {
            s = world_add_nat(w);
        } else {
            s = world_add_segment(w, chance(w, 70));
            w->segments[s].reaches[INTERNET] = chance(w, 70);
        }
        w->segments[s].loss_percent =
            chance(w, 30) ? (unsigned)rng_below(&w->rng, 20) : 0;
    }
    /* Some segments are routed to others, maybe in one direction only. */
    for (int a = 1; a < w->segment_count; a++)
        for (int b = 1; b < w->segment_count; b++)
            if (a != b && !w->segments[b].nat && chance(w, 25))
                w->segments[a].reaches[b] = true;
}

/* Relays do not speak to each other: nodes without a common relay may not
 * meet. */
static void choose_relays(struct world *w, int edge, int relays)
{
    bool all = chance(w, 50), none = chance(w, 5);

    for (int r = 0; r < relays; r++)
        if (!none && (all || chance(w, 60)))
            world_uses_relay(w, edge, r);
}

static void add_edges(struct world *w, const struct shape *shape)
{
    int segments = w->segment_count, first = w->host_count;
    int vpn = chance(w, 30) ? world_add_segment(w, chance(w, 30)) : -1;

    for (int i = 0; i < shape->nodes; i++) {
        int edge =
            world_add_edge(w, chance(w, 10) ? 0 : between(w, 1, segments - 1));
        struct host *h = &w->hosts[edge];

        if (vpn >= 0 && chance(w, 50))
            world_plug(w, edge, vpn);
        h->refuses_incoming = chance(w, 10);
        h->only_relays = chance(w, 5);
        h->multicast = !chance(w, 5);
        h->tcp = !chance(w, 5);
        choose_relays(w, edge, shape->relays);
        h->groups = (uint32_t)rng_below(&w->rng, 1 << GROUPS) | 1;
        if (i > 0 && chance(w, 10)) {
            int peer = between(w, first, edge - 1);

            h->peers[h->peer_count++] = peer;
            w->hosts[peer].stays = true;
        }
    }
}

/* Nearly all edges have three or six forms. */
static void give_forms(struct world *w)
{
    for (int i = 0; i < w->host_count; i++)
        if (!w->hosts[i].is_relay && !chance(w, 10))
            forms_allow(w, i,
                        chance(w, 60) ? FORMS_WITHOUT_PROXY
                                      : (1 << RELAY_FORMS) - 1);
}

static void describe(struct world *w)
{
    for (int i = 0; i < w->segment_count; i++) {
        const struct segment *s = &w->segments[i];
        char reaches[SEGMENTS + 1] = {0};

        for (int k = 0; k < w->segment_count; k++)
            reaches[k] = s->reaches[k] ? (char)('0' + k) : '-';
        world_say(w, "segment %d: %s%s reaches %s, loses %u %%", i,
                  s->multicast ? "multicast" : "", s->nat ? " nat" : "",
                  reaches, s->loss_percent);
    }
    for (int i = 0; i < w->host_count; i++) {
        const struct host *h = &w->hosts[i];

        world_say(w, "host %d: %s on %d and %d,%s%s%s%s %zu relays%s", i,
                  h->is_relay ? "relay" : "edge", h->interfaces[0].segment,
                  h->interface_count > 1 ? h->interfaces[1].segment : -1,
                  h->refuses_incoming ? " closed" : "",
                  h->only_relays ? " only relays" : "",
                  h->multicast ? "" : " no multicast", h->tcp ? "" : " no tcp",
                  h->relay_count, h->peer_count > 0 ? ", peers" : "");
        for (size_t k = 0; k < h->peer_count; k++)
            world_say(w, "    knows %d", h->peers[k]);
    }
}

static void build(struct world *w, const struct shape *shape)
{
    choose_limits(w);
    for (int i = 0; i < shape->relays; i++)
        world_add_relay(w);
    add_segments(w);
    add_edges(w, shape);
    describe(w);
}

/* --- the run ----------------------------------------------------------- */

static void start_spread(struct world *w)
{
    for (int i = 0; i < w->host_count; i++)
        world_at(w, rng_span(&w->rng, span_us(0), span_ms(2000)),
                 chaos_start_again, i, 0);
}

/* Each sends one more message to each, after all faults ended. */
static void last_words(struct world *w)
{
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if (!w->failed && a != b && host_runs(w, a) &&
                checkers_joined(w, a, b))
                application_send(w, a, b, 100);
}

static void settle_paths(struct world *w)
{
    for (int i = 0; i < PATH_SECONDS && !w->failed && !checkers_is_settled(w);
         i += 5)
        world_run(w, span_s(5));
}

/* Presence must come back soon; the best path may take longer. */
static void settle(struct world *w)
{
    world_run(w, span_s(SETTLE_SECONDS));
    if (!w->failed)
        checkers_settle_presence(w);
    settle_paths(w);
}

void chaos_run(struct world *w, const struct chaos_conf *conf)
{
    struct shape shape = shape_of(w, conf);
    struct instant until = instant_after(w->now, shape.chaos);

    if (conf->links > 0)
        w->limits.links = (size_t)conf->links;
    build(w, &shape);
    if (conf->forms)
        give_forms(w);
    if (conf->udp)
        chaos_udp_build(w);
    if (conf->hostile)
        w->hostile = hostile_new(w->host_count - 1);
    else if (conf->hostile_relay && w->hosts[0].is_relay)
        w->hostile = hostile_new(0);
    start_spread(w);
    application_chatter(w, instant_after(until, span_s(SETTLE_SECONDS / 2)));
    if (!chance(w, 20)) /* Some runs have no faults: nothing may be lost. */
        chaos_faults(w, until);
    world_run(w, shape.chaos);
    chaos_heal(w);
    settle(w);
    if (!w->failed)
        last_words(w);
    world_run(w, span_s(LAST_SECONDS));
    if (conf->udp) /* The last messages may find that a NAT forgot a path. */
        settle_paths(w);
    if (!w->failed)
        checkers_settle(w);
}
