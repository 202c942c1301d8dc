#include "tests/sim/scenarios.h"

#include "tests/sim/application.h"
#include "tests/sim/checkers.h"

void expect(struct world *w, bool good, const char *what)
{
    if (!good)
        world_fail(w, "scenario", "not so: %s", what);
}

void settles_within(struct world *w, struct span limit, const char *what)
{
    if (world_run_until(w, checkers_is_settled, limit))
        return;
    checkers_settle(w);
    expect(w, false, what);
}

bool is_mutual(const struct world *w, int a, int b, enum node_path path)
{
    return checkers_joined(w, a, b) && checkers_joined(w, b, a) &&
           checkers_path(w, a, b) == path && checkers_path(w, b, a) == path;
}

static bool streams_are_done(struct world *w)
{
    return application_left(w) == 0;
}

void finishes_within(struct world *w, struct span limit)
{
    expect(w, world_run_until(w, streams_are_done, limit),
           "everything is sent in time");
    world_run(w, span_s(3));
    if (!w->failed)
        checkers_settle(w);
}

void finishes_in_the_end(struct world *w)
{
    expect(w, world_run_until(w, streams_are_done, span_s(60)),
           "everything is sent in time");
    /* A path that failed is held down for up to 5 min [P-8.3]. */
    for (int i = 0; i < 66 && !w->failed && !checkers_is_settled(w); i++)
        world_run(w, span_s(5));
    world_run(w, span_s(3));
    if (!w->failed)
        checkers_settle(w);
}

bool sees_within(struct world *w, int a, int b, bool there, struct span limit)
{
    struct instant until = instant_after(w->now, limit);

    while (!w->failed && checkers_joined(w, a, b) != there) {
        if (instant_reached(until, w->now))
            return false;
        world_run(w, span_ms(1));
    }
    return !w->failed;
}

void talks_within(struct world *w, int a, int b, struct span limit)
{
    enum node_outcome outcome;
    uint64_t there, back;

    if (w->failed)
        return;
    there = application_send(w, a, b, 100);
    back = application_send(w, b, a, 100);
    world_run(w, limit);
    expect(w,
           checkers_reported(w, there, &outcome) &&
               outcome == OUTCOME_DELIVERED,
           "the message is delivered");
    expect(w,
           checkers_reported(w, back, &outcome) && outcome == OUTCOME_DELIVERED,
           "the answer is delivered");
}

struct trio make_trio(struct world *w)
{
    int segment = world_add_segment(w, true);
    struct trio t;

    w->segments[segment].reaches[INTERNET] = true;
    t.relay = world_add_relay(w);
    t.a = world_add_edge(w, segment);
    t.b = world_add_edge(w, segment);
    t.far = world_add_edge(w, world_add_nat(w));
    world_uses_relay(w, t.a, t.relay);
    world_uses_relay(w, t.b, t.relay);
    world_uses_relay(w, t.far, t.relay);
    return t;
}

struct trio start_trio(struct world *w)
{
    struct trio t = make_trio(w);

    host_start_all(w);
    settles_within(w, span_s(4), "all meet");
    world_run(w, span_s(25)); /* Nothing of the start goes on any more. */
    return t;
}
