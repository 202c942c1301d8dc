/*
 * Relays that are reached in several forms, of which the network lets some
 * pass [P-14.1, P-14.7, P-14.8].
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/forms.h"
#include "tests/sim/scenarios.h"

/* SILENCE: one that peers and relays do not take for a departure. */
enum { SWITCH_MS = 4000, SILENCE_MS = 2500 };

/* Two edges behind NATs, which meet by the relay only. The first one's network
 * has filters. */
struct form_scene {
    int relay, a, b, watcher;
};

static struct form_scene build_scene(struct world *w, uint8_t forms)
{
    struct form_scene g;

    g.relay = world_add_relay(w);
    g.a = world_add_edge(w, world_add_nat(w));
    g.b = world_add_edge(w, world_add_nat(w));
    world_uses_relay(w, g.a, g.relay);
    world_uses_relay(w, g.b, g.relay);
    forms_allow(w, g.a, forms);
    return g;
}

static void filter(struct world *w, const struct form_scene *g,
                   enum relay_form form, enum form_fate fate)
{
    forms_filter(w, g->a, form, fate, span_s(10));
}

static void only_passes(struct world *w, const struct form_scene *g,
                        enum relay_form form, enum form_fate others)
{
    for (int f = 0; f < RELAY_FORMS; f++)
        filter(w, g, (enum relay_form)f, f == (int)form ? FORM_PASSES : others);
}

static void send_on(struct world *w, int from, uint64_t to)
{
    if (w->failed || w->healed)
        return;
    if (checkers_joined(w, from, (int)to) &&
        !checkers_awaits_ready(w, from, (int)to))
        (void)application_send(w, from, (int)to, 300);
    if (rng_chance(&w->rng, 30))
        (void)application_publish(w, from, 0, 300);
    world_at(w, span_ms(10), send_on, from, to);
}

static void begin(struct world *w, const struct form_scene *g)
{
    host_start_all(w);
    settles_within(w, span_ms(SWITCH_MS), "they meet");
    send_on(w, g->a, (uint64_t)g->b);
    send_on(w, g->b, (uint64_t)g->a);
    world_run(w, span_s(3));
    checkers_watch_gap(w, g->a, g->b);
    checkers_watch_gap(w, g->b, g->a);
}

static void silence_is(struct world *w, const struct form_scene *g, int most_ms)
{
    struct span there = checkers_gap(w, g->a, g->b);
    struct span back = checkers_gap(w, g->b, g->a);

    world_say(w, "the longest silences are %lld and %lld ms",
              (long long)there.us / 1000, (long long)back.us / 1000);
    expect(w, span_max(there, back).us <= most_ms * 1000,
           "the silence is short");
}

static void ends_well(struct world *w)
{
    w->healed = true; /* The load ends. */
    finishes_in_the_end(w);
}

static void nobody_left(struct world *w, const struct form_scene *g)
{
    expect(w,
           checkers_leaves(w, g->a, g->b) + checkers_leaves(w, g->b, g->a) == 0,
           "nobody left");
}

static void uses(struct world *w, const struct form_scene *g,
                 enum relay_form form)
{
    if (forms_used(w, g->a) != form)
        world_fail(w, "scenario", "not by %s", relay_form_name(form));
}

/* --- the start ------------------------------------------------------------ */

/* One form passes; the others fail in this way. */
static void starts_by(struct world *w, enum relay_form form,
                      enum form_fate others, int most_ms)
{
    struct form_scene g =
        build_scene(w, relay_form_by_proxy(form) ? (1 << RELAY_FORMS) - 1
                                                 : FORMS_WITHOUT_PROXY);

    only_passes(w, &g, form, others);
    host_start_all(w);
    world_run(w, span_ms(most_ms));
    uses(w, &g, form);
    settles_within(w, span_s(2), "they meet");
}

static void starts_by_tcp(struct world *w)
{
    starts_by(w, FORM_TCP, FORM_IS_SWALLOWED, 500);
}

static void starts_by_wss(struct world *w)
{
    starts_by(w, FORM_WSS, FORM_IS_REFUSED, 1000);
}

static void starts_by_ws(struct world *w)
{
    starts_by(w, FORM_WS, FORM_IS_SWALLOWED, 1500);
}

static void starts_by_proxy(struct world *w)
{
    starts_by(w, FORM_WSS_PROXY, FORM_IS_SWALLOWED, 1500);
}

static void starts_past_the_mute(struct world *w)
{
    starts_by(w, FORM_WS, FORM_IS_MUTE, 2000);
}

/* The proxy answers sooner than the relay, and refuses: that is no reason to
 * open worse forms while the plain one is under way. */
static void starts_beside_a_proxy_that_refuses(struct world *w)
{
    struct form_scene g = build_scene(w, (1 << RELAY_FORMS) - 1);

    only_passes(w, &g, FORM_TCP, FORM_IS_REFUSED);
    host_start_all(w);
    world_run(w, span_ms(500));
    uses(w, &g, FORM_TCP);
    for (int f = 0; f < RELAY_FORMS; f++)
        expect(w,
               forms_tried(w, g.a, (enum relay_form)f) ==
                   (f % FORM_TCP_PROXY == FORM_TCP),
               "only the first step was tried");
}

static void a_restart_remembers(struct world *w)
{
    struct form_scene g = build_scene(w, FORMS_WITHOUT_PROXY);

    only_passes(w, &g, FORM_WS, FORM_IS_SWALLOWED);
    host_start_all(w);
    settles_within(w, span_s(4), "they meet");
    host_kill(w, g.a);
    world_run(w, span_s(1));
    host_start(w, g.a);
    world_run(w, span_ms(500));
    uses(w, &g, FORM_WS);
}

/* Everything fails, with an answer of a portal; then the network opens. */
static void a_portal_opens(struct world *w)
{
    struct form_scene g = build_scene(w, FORMS_WITHOUT_PROXY);
    struct node_relay relay;

    only_passes(w, &g, RELAY_FORMS, FORM_IS_REFUSED);
    filter(w, &g, FORM_TCP, FORM_IS_SWALLOWED);
    host_start_all(w);
    world_run(w, span_s(30));
    node_relay_get(w->hosts[g.a].process->node, 0, &relay);
    expect(w, relay.state == RELAY_DOWN, "the relay is down");
    expect(w, strcmp(relay.error, "captive_portal") == 0,
           "for the most telling reason");
    expect(w,
           relay.failures[FORM_TCP] == LINK_TIMEOUT &&
               relay.failures[FORM_WSS] == LINK_TLS &&
               relay.failures[FORM_WS] == LINK_CAPTIVE_PORTAL,
           "each form has its own");
    only_passes(w, &g, FORM_WSS, FORM_IS_SWALLOWED);
    world_run(w, span_s(2));
    uses(w, &g, FORM_WSS);
    settles_within(w, span_s(2), "they meet");
}

/* --- a form stops passing ------------------------------------------------- */

static void stops(struct world *w, enum form_fate fate)
{
    struct form_scene g = build_scene(w, FORMS_WITHOUT_PROXY);

    begin(w, &g);
    uses(w, &g, FORM_TCP);
    filter(w, &g, FORM_TCP, fate);
    world_run(w, span_ms(SWITCH_MS));
    uses(w, &g, FORM_WSS);
    filter(w, &g, FORM_WSS, fate);
    world_run(w, span_ms(SWITCH_MS));
    uses(w, &g, FORM_WS);
    world_run(w, span_s(20));
    silence_is(w, &g, SILENCE_MS);
    ends_well(w);
    if (fate != FORM_IS_REFUSED) /* The next form may come back too late. */
        nobody_left(w, &g);
}

static void tcp_is_swallowed(struct world *w)
{
    stops(w, FORM_IS_SWALLOWED);
}

static void tcp_is_refused(struct world *w)
{
    stops(w, FORM_IS_REFUSED);
}

static void tcp_is_mute(struct world *w)
{
    stops(w, FORM_IS_MUTE);
}

/* A proxy cuts each tunnel after 10 s; nothing else works. */
static void the_only_tunnel_is_cut(struct world *w)
{
    struct form_scene g = build_scene(w, FORMS_WITHOUT_PROXY);

    only_passes(w, &g, RELAY_FORMS, FORM_IS_SWALLOWED);
    filter(w, &g, FORM_WSS, FORM_IS_CUT);
    begin(w, &g);
    world_run(w, span_s(120));
    uses(w, &g, FORM_WSS);
    silence_is(w, &g, 2000);
    ends_well(w);
    nobody_left(w, &g);
}

/* A firewall resets plain CURVE after 10 s; WebSockets last. The relay cannot
 * tell that from the death of the process, but the edge is back before its
 * peers believe it [P-14.9]. */
static void tcp_is_cut_and_left(struct world *w)
{
    struct form_scene g = build_scene(w, FORMS_WITHOUT_PROXY);

    filter(w, &g, FORM_TCP, FORM_IS_CUT);
    begin(w, &g);
    world_run(w, span_s(60));
    uses(w, &g, FORM_WSS);
    silence_is(w, &g, 2000);
    ends_well(w);
    nobody_left(w, &g);
}

/* --- a better form -------------------------------------------------------- */

static struct form_scene on_ws(struct world *w, enum form_fate others)
{
    struct form_scene g = build_scene(w, FORMS_WITHOUT_PROXY);

    only_passes(w, &g, FORM_WS, others);
    begin(w, &g);
    uses(w, &g, FORM_WS);
    return g;
}

static void a_better_form_is_taken(struct world *w)
{
    struct form_scene g = on_ws(w, FORM_IS_SWALLOWED);

    filter(w, &g, FORM_TCP, FORM_PASSES);
    world_run(w, span_s(11 * 60));
    uses(w, &g, FORM_TCP);
    silence_is(w, &g, 600);
    ends_well(w);
    nobody_left(w, &g);
}

static void a_better_form_after_a_move(struct world *w)
{
    struct form_scene g = on_ws(w, FORM_IS_REFUSED);
    int segment = w->hosts[g.a].interfaces[0].segment;

    filter(w, &g, FORM_TCP, FORM_PASSES);
    host_moves(w, g.a, 0, segment, false);
    world_run(w, span_ms(SWITCH_MS));
    uses(w, &g, FORM_TCP);
    silence_is(w, &g, SWITCH_MS);
    ends_well(w);
}

/* The better one opens and carries nothing: the old one goes on. */
static void a_better_form_is_mute(struct world *w)
{
    struct form_scene g = on_ws(w, FORM_IS_SWALLOWED);
    int before = forms_tried(w, g.a, FORM_WS);

    filter(w, &g, FORM_TCP, FORM_IS_MUTE);
    world_run(w, span_s(40 * 60));
    uses(w, &g, FORM_WS);
    expect(w, forms_tried(w, g.a, FORM_WS) == before, "the old one stays");
    silence_is(w, &g, 100);
    ends_well(w);
    nobody_left(w, &g);
}

/* It is cut in the moment when it has taken over. */
static void a_better_form_fails_at_once(struct world *w)
{
    struct form_scene g = on_ws(w, FORM_IS_REFUSED);

    forms_filter(w, g.a, FORM_TCP, FORM_IS_CUT,
                 rng_span(&w->rng, span_ms(1), span_ms(200)));
    world_run(w, span_s(12 * 60));
    silence_is(w, &g, SWITCH_MS);
    filter(w, &g, FORM_TCP, FORM_IS_REFUSED);
    world_run(w, span_ms(SWITCH_MS));
    uses(w, &g, FORM_WS);
    ends_well(w);
}

const struct scenario scenarios_of_forms[] = {
    {"form-start-tcp", starts_by_tcp},
    {"form-start-wss", starts_by_wss},
    {"form-start-ws", starts_by_ws},
    {"form-start-proxy", starts_by_proxy},
    {"form-start-mute", starts_past_the_mute},
    {"form-start-refused-proxy", starts_beside_a_proxy_that_refuses},
    {"form-remembered", a_restart_remembers},
    {"form-portal", a_portal_opens},
    {"form-swallowed", tcp_is_swallowed},
    {"form-refused", tcp_is_refused},
    {"form-mute", tcp_is_mute},
    {"form-only-tunnel-cut", the_only_tunnel_is_cut},
    {"form-tcp-cut", tcp_is_cut_and_left},
    {"form-better", a_better_form_is_taken},
    {"form-better-moved", a_better_form_after_a_move},
    {"form-better-mute", a_better_form_is_mute},
    {"form-better-cut", a_better_form_fails_at_once},
    {NULL, NULL},
};
