/*
 * A pair has a path over TCP and one over UDP, and a relay stands: what is cut,
 * the other paths carry on soon [P-8.7, P-8.10].
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"
#include "tests/sim/udp_homes.h"

enum { EVERY_MS = 10, SIZE = 300 };

/* --- what is cut --------------------------------------------------------- */

static void cut_tcp(struct world *w, const struct homes *h)
{
    network_cut(w, h->a, h->b);
    network_cut(w, h->b, h->a);
}

static void mend_tcp(struct world *w, const struct homes *h)
{
    network_heal(w, h->a, h->b, false);
    network_heal(w, h->b, h->a, false);
}

static void block_udp(struct world *w, const struct homes *h, bool blocked)
{
    struct udp_link wire = *udp_hosts_get_wire(w, h->b);

    wire.down = blocked;
    world_disturb(w, h->b);
    udp_hosts_wire(w, h->b, &wire);
}

static void cut_both(struct world *w, const struct homes *h)
{
    cut_tcp(w, h);
    block_udp(w, h, true);
}

static void mend_both(struct world *w, const struct homes *h)
{
    mend_tcp(w, h);
    block_udp(w, h, false);
}

/* --- the load ------------------------------------------------------------ */

static void send_on(struct world *w, int from, uint64_t to)
{
    if (w->failed || w->healed)
        return;
    if (checkers_joined(w, from, (int)to) &&
        !checkers_awaits_ready(w, from, (int)to))
        (void)application_send(w, from, (int)to, SIZE);
    world_at(w, span_ms(EVERY_MS), send_on, from, to);
}

static void publish_on(struct world *w, int from, uint64_t unused)
{
    if (w->failed || w->healed)
        return;
    (void)application_publish(w, from, 0, SIZE);
    world_at(w, span_us((int64_t)rng_below(&w->rng, 80 * 1000)), publish_on,
             from, unused);
}

static void both_send(struct world *w, const struct homes *h)
{
    send_on(w, h->a, (uint64_t)h->b);
    send_on(w, h->b, (uint64_t)h->a);
}

static void one_sends(struct world *w, const struct homes *h)
{
    send_on(w, h->a, (uint64_t)h->b);
}

static void both_publish(struct world *w, const struct homes *h)
{
    publish_on(w, h->a, 0);
    publish_on(w, h->b, 0);
}

static void watch(struct world *w, const struct homes *h)
{
    checkers_watch_gap(w, h->a, h->b);
    checkers_watch_gap(w, h->b, h->a);
}

static void silence_is(struct world *w, const struct homes *h, int most_ms,
                       const char *what)
{
    struct span there = checkers_gap(w, h->a, h->b);
    struct span back = checkers_gap(w, h->b, h->a);

    world_say(w, "the longest silences are %lld and %lld ms",
              (long long)there.us / 1000, (long long)back.us / 1000);
    expect(w, span_max(there, back).us <= most_ms * 1000, what);
}

static void ends_well(struct world *w)
{
    w->healed = true; /* The load ends. */
    finishes_in_the_end(w);
}

/* --- the two paths ------------------------------------------------------- */

typedef void load(struct world *w, const struct homes *h);

/* The link over TCP is in use again, and the one over UDP still up: it is
 * closed after 10 s [P-11.11]. */
static struct homes two_paths(struct world *w, load *begin)
{
    struct homes h = homes_make(w, HOME_OPEN, NAT_HOME);

    w->hosts[h.a].tcp = w->hosts[h.b].tcp = true;
    host_start_all(w);
    expect(w, homes_are(w, h.a, h.b, PATH_TCP, span_s(10)), "by TCP");
    world_run(w, span_s(25)); /* Nothing of the start goes on any more. */
    begin(w, &h);
    cut_tcp(w, &h);
    expect(w, homes_are(w, h.a, h.b, PATH_UDP, span_s(20)), "by UDP");
    mend_tcp(w, &h);
    expect(w, homes_are(w, h.a, h.b, PATH_TCP, span_s(60)), "by TCP again");
    world_run(w, span_s(2));
    watch(w, &h);
    return h;
}

static void both_are_cut(struct world *w, load *begin, int most_ms)
{
    struct homes h = two_paths(w, begin);

    cut_both(w, &h);
    world_run(w, span_s(5));
    silence_is(w, &h, most_ms, "the relay carries on at once");
    expect(w, is_mutual(w, h.a, h.b, PATH_RELAY), "by the relay");
    mend_both(w, &h);
    ends_well(w);
    silence_is(w, &h, most_ms, "and nothing is silent later");
}

static void tcp_and_udp_cut(struct world *w)
{
    both_are_cut(w, both_send, 600);
}

static void tcp_and_udp_cut_events(struct world *w)
{
    both_are_cut(w, both_publish, 500);
}

/* One end only acknowledges. */
static void tcp_and_udp_cut_one_sends(struct world *w)
{
    both_are_cut(w, one_sends, 600);
}

static void tcp_and_udp_cut_one_way(struct world *w)
{
    struct homes h = two_paths(w, both_send);
    int plug = udp_plug_of_box(w, home_box(w, h.b));
    struct udp_link before = *udp_net_link(w->udp->net, plug, UDP_DOWN);
    struct udp_link cut = before;

    cut.down = true;
    network_cut(w, h.a, h.b);
    world_disturb(w, h.b);
    udp_set_link(w, plug, UDP_DOWN, &cut);
    world_run(w, span_s(5));
    silence_is(w, &h, 600, "the relay carries on at once");
    udp_set_link(w, plug, UDP_DOWN, &before);
    mend_tcp(w, &h);
    ends_well(w);
    silence_is(w, &h, 600, "and nothing is silent later");
}

/* The other one takes over, and the one that works is not left. */
static void only_tcp_cut(struct world *w, load *begin)
{
    struct homes h = two_paths(w, begin);

    cut_tcp(w, &h);
    expect(w, homes_are(w, h.a, h.b, PATH_UDP, span_ms(900)), "by UDP soon");
    world_run(w, span_s(5));
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "and they stay so");
    silence_is(w, &h, 600, "the silence is short");
    mend_tcp(w, &h);
    ends_well(w);
    silence_is(w, &h, 600, "and nothing is silent later");
}

static void only_tcp_is_cut(struct world *w)
{
    only_tcp_cut(w, both_send);
}

static void only_tcp_is_cut_events(struct world *w)
{
    only_tcp_cut(w, both_publish);
}

static void only_udp_is_cut(struct world *w)
{
    struct homes h = two_paths(w, both_send);

    block_udp(w, &h, true);
    world_run(w, span_s(8));
    expect(w, is_mutual(w, h.a, h.b, PATH_TCP), "TCP goes on");
    silence_is(w, &h, 100, "nobody notices");
    block_udp(w, &h, false);
    ends_well(w);
    silence_is(w, &h, 100, "and later neither");
}

/* TCP was cut twice within a minute and is held down; UDP is in use. */
static struct homes tcp_is_held(struct world *w, load *begin)
{
    struct homes h = two_paths(w, begin);

    for (int i = 0; i < 2; i++) {
        cut_tcp(w, &h);
        world_run(w, span_ms(1000));
        mend_tcp(w, &h);
        world_run(w, span_ms(500));
    }
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "by UDP: TCP is held down");
    watch(w, &h);
    return h;
}

static void held_and_only_udp_is_cut(struct world *w)
{
    struct homes h = tcp_is_held(w, both_send);

    block_udp(w, &h, true);
    world_run(w, span_s(2));
    silence_is(w, &h, 600, "the silence is short");
    block_udp(w, &h, false);
    ends_well(w);
    silence_is(w, &h, 600, "and nothing is silent later");
}

static void held_and_both_are_cut(struct world *w)
{
    struct homes h = tcp_is_held(w, both_send);

    cut_both(w, &h);
    world_run(w, span_s(2));
    silence_is(w, &h, 600, "the relay carries on at once");
    mend_both(w, &h);
    ends_well(w);
    silence_is(w, &h, 600, "and nothing is silent later");
}

static void both_flap(struct world *w, load *begin, int most_ms)
{
    struct homes h = two_paths(w, begin);

    for (int i = 0; i < 8; i++) {
        cut_both(w, &h);
        world_run(w, rng_span(&w->rng, span_ms(200), span_ms(900)));
        mend_both(w, &h);
        world_run(w, rng_span(&w->rng, span_ms(200), span_ms(900)));
    }
    silence_is(w, &h, most_ms, "the silence is short");
    ends_well(w);
    silence_is(w, &h, most_ms, "and nothing is silent later");
}

static void tcp_and_udp_flap(struct world *w)
{
    both_flap(w, both_send, 1000);
}

static void tcp_and_udp_flap_events(struct world *w)
{
    both_flap(w, both_publish, 1000);
}

/* A fifth of the datagrams is lost, also of those that find the path again. */
static void cut_with_loss(struct world *w)
{
    struct homes h = two_paths(w, both_send);
    struct udp_link wire = *udp_hosts_get_wire(w, h.b);

    wire.loss_percent = 20;
    udp_hosts_wire(w, h.b, &wire);
    cut_tcp(w, &h);
    world_run(w, span_s(5));
    silence_is(w, &h, 1000, "the silence is short");
    block_udp(w, &h, true);
    world_run(w, span_s(5));
    silence_is(w, &h, 1000, "and by the relay");
    mend_both(w, &h);
    ends_well(w);
    silence_is(w, &h, 1000, "and nothing is silent later");
}

/* The other direct path is found without a relay as well. */
static void cut_without_relay(struct world *w)
{
    struct homes h = two_paths(w, both_send);

    host_kill(w, h.relay);
    world_run(w, span_s(1));
    cut_tcp(w, &h);
    expect(w, homes_are(w, h.a, h.b, PATH_UDP, span_ms(900)), "by UDP soon");
    world_run(w, span_s(5));
    expect(w, is_mutual(w, h.a, h.b, PATH_UDP), "and they stay so");
    silence_is(w, &h, 600, "the silence is short");
    mend_tcp(w, &h);
    host_start(w, h.relay);
    ends_well(w);
    expect(w, checkers_leaves(w, h.a, h.b) == 0, "nobody left");
}

const struct scenario scenarios_of_cuts[] = {
    {"tcp-and-udp-cut", tcp_and_udp_cut},
    {"tcp-and-udp-cut-events", tcp_and_udp_cut_events},
    {"tcp-and-udp-cut-one-sends", tcp_and_udp_cut_one_sends},
    {"tcp-and-udp-cut-one-way", tcp_and_udp_cut_one_way},
    {"only-tcp-is-cut", only_tcp_is_cut},
    {"only-tcp-is-cut-events", only_tcp_is_cut_events},
    {"only-udp-is-cut", only_udp_is_cut},
    {"held-and-only-udp-is-cut", held_and_only_udp_is_cut},
    {"held-and-both-are-cut", held_and_both_are_cut},
    {"tcp-and-udp-flap", tcp_and_udp_flap},
    {"tcp-and-udp-flap-events", tcp_and_udp_flap_events},
    {"cut-with-loss", cut_with_loss},
    {"cut-without-relay", cut_without_relay},
    {0},
};
