#include "tests/sim/chaos.h"

#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/hostile.h"

enum { SETTLE_SECONDS = 42, LAST_SECONDS = 5 };

static bool chance(struct world *w, unsigned percent)
{
    return rng_chance(&w->rng, percent);
}

static size_t one_of(struct world *w, const size_t *list, size_t count)
{
    return list[rng_below(&w->rng, count)];
}

/* --- the world --------------------------------------------------------- */

static void choose_limits(struct world *w)
{
    static const size_t windows[] = {64 * 1024, 256 * 1024, 4 * 1024 * 1024};
    static const size_t waters[] = {32 * 1024, 256 * 1024, 1024 * 1024};
    static const size_t queues[] = {128 * 1024, 1024 * 1024, 4 * 1024 * 1024};
    static const size_t rates[] = {0, 0, 300 * 1000, 3 * 1000 * 1000};

    w->limits.window = one_of(w, windows, 3);
    w->high_water = one_of(w, waters, 3);
    w->limits.hub_queue = one_of(w, queues, 3);
    w->rate = one_of(w, rates, 4);
    w->closes_incoming = chance(w, 50);
    w->drops_when_blocked = chance(w, 30);
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
    /* Some are routed to others, maybe in one direction only. */
    for (int a = 1; a < w->segment_count; a++)
        for (int b = 1; b < w->segment_count; b++)
            if (a != b && !w->segments[b].nat && chance(w, 25))
                w->segments[a].reaches[b] = true;
}

static void add_edges(struct world *w, int nodes, int relays)
{
    int segments = w->segment_count, first = w->host_count;
    int vpn = chance(w, 30) ? world_add_segment(w, chance(w, 30)) : -1;

    for (int i = 0; i < nodes; i++) {
        int edge = world_add_edge(
            w,
            (int)(chance(w, 10) ? 0 : rng_between(&w->rng, 1, segments - 1)));
        struct host *h = &w->hosts[edge];

        if (vpn >= 0 && chance(w, 50))
            world_plug(w, edge, vpn);
        h->refuses_incoming = chance(w, 10);
        h->only_relays = chance(w, 5);
        h->multicast = !chance(w, 5);
        h->tcp = !chance(w, 5);
        for (int r = 0; r < relays; r++)
            if (chance(w, 85))
                world_uses_relay(w, edge, r);
        if (i > 0 && chance(w, 10))
            h->peers[h->peer_count++] =
                (int)rng_between(&w->rng, first, edge - 1);
    }
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

static void build(struct world *w, int nodes)
{
    int relays = chance(w, 10) ? 0 : chance(w, 30) ? 2 : 1;

    choose_limits(w);
    for (int i = 0; i < relays; i++)
        world_add_relay(w);
    add_segments(w);
    add_edges(w, nodes, relays);
    describe(w);
}

/* --- faults ------------------------------------------------------------ */

static void start_again(struct world *w, int host, uint64_t unused)
{
    (void)unused;
    if (w->hosts[host].process == NULL && w->hosts[host].hub == NULL)
        host_start(w, host);
}

static void thaw(struct world *w, int host, uint64_t unused)
{
    (void)unused;
    host_thaw(w, host);
}

static void heal(struct world *w, int a, uint64_t b)
{
    if (w->cut[a][b])
        network_heal(w, a, (int)b, rng_chance(&w->rng, 30));
}

static struct span a_while(struct world *w)
{
    static const int64_t most_ms[] = {300, 2000, 10000};

    return rng_span(&w->rng, span_ms(20),
                    span_ms(most_ms[rng_below(&w->rng, 3)]));
}

static void stop_and_start(struct world *w, int host)
{
    switch (rng_below(&w->rng, 3)) {
    case 0:
        host_kill(w, host);
        break;
    case 1:
        host_power_off(w, host);
        break;
    default:
        if (w->hosts[host].is_relay)
            host_kill(w, host);
        else
            host_leave(w, host);
    }
    world_at(w, a_while(w), start_again, host, 0);
}

static void freeze(struct world *w, int host)
{
    host_freeze(w, host);
    world_at(w, a_while(w), thaw, host, 0);
}

static void cut(struct world *w, int a, int b)
{
    network_cut(w, a, b);
    world_at(w, a_while(w), heal, a, (uint64_t)b);
}

/* Nothing passes between the hosts of two halves. */
static void partition(struct world *w)
{
    uint64_t side = rng_u64(&w->rng);

    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if ((side >> a & 1) != (side >> b & 1))
                cut(w, a, b);
}

static void break_something(struct world *w)
{
    uint64_t hosts = (uint64_t)w->host_count;
    int a = (int)rng_below(&w->rng, hosts);
    int b =
        (int)((uint64_t)a + 1 + rng_below(&w->rng, hosts - 1)) % w->host_count;

    switch (rng_below(&w->rng, 12)) {
    case 0:
    case 1:
    case 2:
        stop_and_start(w, a);
        break;
    case 3:
    case 4:
        freeze(w, a);
        break;
    case 5:
    case 6:
        cut(w, a, b);
        break;
    case 7:
    case 8:
        cut(w, a, b);
        cut(w, b, a);
        break;
    case 9:
    case 10:
        network_reset(w, a, b);
        break;
    default:
        partition(w);
    }
}

static void faults(struct world *w, int host, uint64_t until_us)
{
    (void)host;
    if (w->now.us >= (int64_t)until_us)
        return;
    break_something(w);
    world_at(w, rng_span(&w->rng, span_ms(50), span_ms(3000)), faults, 0,
             until_us);
}

static void heal_everything(struct world *w)
{
    world_say(w, "everything heals");
    network_heal_all(w, chance(w, 30));
    for (int i = 0; i < w->host_count; i++) {
        host_thaw(w, i);
        start_again(w, i, 0);
    }
}

/* --- the run ----------------------------------------------------------- */

static void start_spread(struct world *w)
{
    for (int i = 0; i < w->host_count; i++)
        world_at(w, rng_span(&w->rng, span_us(0), span_ms(2000)), start_again,
                 i, 0);
}

/* One more of each to each, when nothing is wrong any more. */
static void last_words(struct world *w)
{
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if (!w->failed && a != b && host_runs(w, a) &&
                checkers_joined(w, a, b))
                application_send(w, a, b, 100);
}

void chaos_run(struct world *w, const struct chaos_conf *conf)
{
    int chaos = conf->seconds - SETTLE_SECONDS - LAST_SECONDS;
    struct instant until = instant_after(w->now, span_s(chaos));

    build(w, conf->nodes);
    if (conf->hostile)
        w->hostile = hostile_new(w->host_count - 1);
    else if (conf->hostile_relay && w->hosts[0].is_relay)
        w->hostile = hostile_new(0);
    start_spread(w);
    application_chatter(w, instant_after(until, span_s(SETTLE_SECONDS / 2)));
    if (!chance(w, 20)) /* Some runs are calm: nothing at all may be lost. */
        world_at(w, rng_span(&w->rng, span_ms(100), span_ms(5000)), faults, 0,
                 (uint64_t)until.us);
    world_run(w, span_s(chaos));
    heal_everything(w);
    world_run(w, span_s(SETTLE_SECONDS));
    if (!w->failed)
        last_words(w);
    world_run(w, span_s(LAST_SECONDS));
    if (!w->failed)
        checkers_settle(w);
}
