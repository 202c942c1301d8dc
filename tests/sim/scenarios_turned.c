/*
 * One peer refuses a node, and lets it in when the reason is gone [P-3.7,
 * P-7.8].
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

/* carol refuses erin; dave is present as well. Each is behind a NAT of its own,
 * or all are on a LAN; they always use a relay. */
struct table {
    int relay, carol, dave, erin;
};

static struct table lay(struct world *w, bool lan)
{
    int home = lan ? world_add_segment(w, true) : -1;
    struct table t = {.relay = world_add_relay(w)};
    int *all[] = {&t.carol, &t.dave, &t.erin};

    if (lan)
        w->segments[home].reaches[INTERNET] = true;
    for (size_t i = 0; i < 3; i++) {
        *all[i] = world_add_edge(w, lan ? home : world_add_nat(w));
        world_uses_relay(w, *all[i], t.relay);
    }
    return t;
}

/* Neither joins the other; erin's log tells the reason; a message from erin to
 * carol fails at once. */
static void is_turned_away(struct world *w, const struct table *t,
                           enum refusal why)
{
    enum node_outcome outcome;

    expect(w, !checkers_joined(w, t->erin, t->carol), "erin has no carol");
    expect(w, !checkers_joined(w, t->carol, t->erin), "carol has no erin");
    expect(w, checkers_refusals(w, t->carol, false, (uint8_t)why) > 0,
           "carol says that she refuses");
    expect(w, checkers_refusals(w, t->erin, true, (uint8_t)why) > 0,
           "erin says that she is refused");
    if (w->failed)
        return;
    uint64_t ref = application_send(w, t->erin, t->carol, 100);
    world_run(w, span_ms(10));
    expect(w,
           checkers_reported(w, ref, &outcome) &&
               outcome == OUTCOME_UNKNOWN_PEER,
           "a message is not taken");
}

static void meet_within(struct world *w, const struct table *t,
                        struct span limit)
{
    (void)sees_within(w, t->carol, t->erin, true, limit);
    world_run(w, span_s(1)); /* One packet of it makes a path to it. */
    expect(w, checkers_joined(w, t->carol, t->erin), "carol has erin");
    expect(w, checkers_joined(w, t->erin, t->carol), "erin has carol");
    talks_within(w, t->carol, t->erin, span_ms(500));
}

/* While the reason stays, nothing changes. */
static void stays_so(struct world *w, const struct table *t, enum refusal why)
{
    size_t leaves = checkers_leaves(w, t->erin, t->carol);

    world_run(w, span_s(200));
    is_turned_away(w, t, why);
    expect(w, checkers_leaves(w, t->erin, t->carol) == leaves,
           "carol does not come and go");
}

static void full(struct world *w, bool lan, bool killed)
{
    struct table t = lay(w, lan);

    w->hosts[t.carol].peer_limit = 1;
    host_start(w, t.relay);
    host_start(w, t.carol);
    host_start(w, t.dave);
    (void)sees_within(w, t.carol, t.dave, true, span_s(3));
    host_start(w, t.erin);
    world_run(w, span_s(2));
    is_turned_away(w, &t, REFUSAL_FULL);
    stays_so(w, &t, REFUSAL_FULL);
    (killed ? host_kill : host_leave)(w, t.dave);
    meet_within(w, &t, span_s(5));
}

static void full_by_relay(struct world *w)
{
    full(w, false, false);
}

static void full_on_a_lan(struct world *w)
{
    full(w, true, false);
}

static void full_until_a_crash(struct world *w)
{
    full(w, false, true);
}

static void set_clock(struct world *w, int host, int64_t seconds)
{
    struct node_event event = {.kind = NODE_CLOCK};

    w->hosts[host].unix_offset = (uint64_t)seconds;
    event.unix_seconds = host_unix_now(w, host);
    host_event(w, host, &event);
}

enum { YEAR_S = 366 * 24 * 3600 };

/* carol's clock is wrong, and is corrected later. */
static void clock_was_wrong(struct world *w, bool lan, int64_t ahead,
                            enum refusal why)
{
    struct table t = lay(w, lan);

    w->hosts[t.carol].unix_offset = (uint64_t)ahead;
    host_start(w, t.relay);
    host_start(w, t.carol);
    host_start(w, t.erin);
    world_run(w, span_s(3));
    is_turned_away(w, &t, why);
    stays_so(w, &t, why);
    set_clock(w, t.carol, 0);
    meet_within(w, &t, span_s(5));
}

static void clock_behind_by_relay(struct world *w)
{
    clock_was_wrong(w, false, -2 * (int64_t)YEAR_S, REFUSAL_NOT_YET);
}

static void clock_behind_on_a_lan(struct world *w)
{
    clock_was_wrong(w, true, -2 * (int64_t)YEAR_S, REFUSAL_NOT_YET);
}

static void clock_ahead_by_relay(struct world *w)
{
    clock_was_wrong(w, false, 2 * (int64_t)YEAR_S, REFUSAL_EXPIRED);
}

/* One of the clocks goes wrong while all are connected. */
static void clock_goes_ahead(struct world *w)
{
    struct table t = lay(w, false);

    host_start_all(w);
    meet_within(w, &t, span_s(3));
    set_clock(w, t.carol, 2 * (int64_t)YEAR_S);
    world_run(w, span_s(2));
    is_turned_away(w, &t, REFUSAL_EXPIRED);
    set_clock(w, t.carol, 0);
    meet_within(w, &t, span_s(5));
}

/* No clock is corrected: the certificate becomes valid. */
static void not_yet_until_it_is_time(struct world *w)
{
    struct table t = lay(w, false);

    world_certify(w, t.erin, "erin", 100, 7200);
    w->hosts[t.relay].unix_offset = 200; /* The relay's clock differs. */
    w->hosts[t.dave].unix_offset = 200;
    host_start_all(w);
    world_run(w, span_s(50));
    is_turned_away(w, &t, REFUSAL_NOT_YET);
    world_run(w, span_s(45));
    meet_within(w, &t, span_s(10));
}

static void revoke(struct world *w, int host, uint64_t serial, int at)
{
    static uint8_t room[REVOCATION_SIZE];
    struct node_event event = {.kind = NODE_REVOCATION};
    struct revocation r = {
        .mesh = w->mesh.mesh,
        .serial = serial,
        .count = host >= 0,
        .nodes = host >= 0 ? w->hosts[host].identity.id.key : NULL,
    };

    event.revocation = revocation_sign(&r, w->mesh_secret_key, room);
    host_event(w, at, &event);
}

/* A newer list does not revoke it any more. */
static void revoked_and_not_any_more(struct world *w)
{
    struct table t = lay(w, true);

    host_start_all(w);
    meet_within(w, &t, span_s(3));
    revoke(w, t.erin, 1, t.carol);
    world_run(w, span_s(5));
    expect(w, !checkers_joined(w, t.carol, t.erin), "carol has no erin");
    expect(w, !checkers_joined(w, t.erin, t.carol), "erin has no carol");
    revoke(w, -1, 2, t.carol);
    meet_within(w, &t, span_s(40));
}

/* Two relays, so that neither relay sees both nodes with the name. carol uses
 * both; dave has the name first. */
static struct table lay_apart(struct world *w)
{
    struct table t = {.relay = world_add_relay(w)};
    int other = world_add_relay(w);

    t.carol = world_add_edge(w, world_add_nat(w));
    t.dave = world_add_edge(w, world_add_nat(w));
    t.erin = world_add_edge(w, world_add_nat(w));
    world_uses_relay(w, t.carol, t.relay);
    world_uses_relay(w, t.carol, other);
    world_uses_relay(w, t.dave, t.relay);
    world_uses_relay(w, t.erin, other);
    host_start(w, t.relay);
    host_start(w, other);
    return t;
}

static void name_doubled(struct world *w)
{
    struct table t = lay_apart(w);

    world_certify(w, t.dave, "twin", -3600, 86400);
    world_certify(w, t.erin, "twin", -3600, 86400);
    host_start(w, t.carol);
    host_start(w, t.dave);
    (void)sees_within(w, t.carol, t.dave, true, span_s(3));
    host_start(w, t.erin);
    world_run(w, span_s(3));
    is_turned_away(w, &t, REFUSAL_NAME_TAKEN);
    stays_so(w, &t, REFUSAL_NAME_TAKEN);
    host_leave(w, t.dave);
    meet_within(w, &t, span_s(5));
}

/* dave runs with erin's identity, and was started later; then he ends. */
static void replaced(struct world *w)
{
    struct table t = lay_apart(w);
    int old = t.erin, new = t.dave;

    if (old > new) { /* The checkers find the first of two hosts with one id. */
        old = t.dave;
        new = t.erin;
        t.erin = old;
    }
    w->hosts[new].identity = w->hosts[old].identity;
    host_start(w, t.carol);
    host_start(w, old);
    (void)sees_within(w, t.carol, old, true, span_s(3));
    world_run(w, span_s(5));
    host_start(w, new);
    world_run(w, span_s(3));
    expect(w, checkers_joined(w, t.carol, old), "carol has the later one");
    expect(w, checkers_joined(w, new, t.carol), "which has carol");
    expect(w, !checkers_joined(w, old, t.carol), "the older one has not");
    expect(w, checkers_refusals(w, old, true, REFUSAL_REPLACED) > 0,
           "and says why");
    world_run(w, span_s(100));
    expect(w, !checkers_joined(w, old, t.carol), "and so it stays");
    host_leave(w, new);
    world_run(w, span_s(5));
    expect(w, checkers_joined(w, t.carol, old), "carol has the older one");
    expect(w, checkers_joined(w, old, t.carol), "which has carol again");
    talks_within(w, old, t.carol, span_ms(500));
}

/* Connections and messages that are open when the refusal comes end. */
static void open_things_end(struct world *w)
{
    struct table t = lay(w, false);
    enum node_outcome outcome;

    host_start_all(w);
    meet_within(w, &t, span_s(3));
    host_freeze(w, t.carol);
    uint64_t ref = application_send(w, t.erin, t.carol, 100);
    world_run(w, span_ms(100));
    expect(w, !checkers_reported(w, ref, &outcome), "it is open");
    host_thaw(w, t.carol);
    w->hosts[t.carol].unix_offset = 2 * (uint64_t)YEAR_S;
    set_clock(w, t.carol, 2 * (int64_t)YEAR_S);
    world_run(w, span_s(1));
    expect(w, checkers_reported(w, ref, &outcome), "it ended");
    expect(w, !checkers_joined(w, t.erin, t.carol), "erin has no carol");
}

const struct scenario scenarios_of_turned[] = {
    {"full-by-relay", full_by_relay},
    {"full-on-a-lan", full_on_a_lan},
    {"full-until-a-crash", full_until_a_crash},
    {"clock-behind-by-relay", clock_behind_by_relay},
    {"clock-behind-on-a-lan", clock_behind_on_a_lan},
    {"clock-ahead-by-relay", clock_ahead_by_relay},
    {"clock-goes-ahead", clock_goes_ahead},
    {"not-yet-until-it-is-time", not_yet_until_it_is_time},
    {"revoked-and-not-any-more", revoked_and_not_any_more},
    {"name-doubled", name_doubled},
    {"replaced", replaced},
    {"open-things-end", open_things_end},
    {NULL, NULL},
};
