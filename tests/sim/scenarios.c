#include "tests/sim/scenarios.h"

#include "tests/sim/application.h"
#include "tests/sim/checkers.h"

static void expect(struct world *w, bool good, const char *what)
{
    if (!good)
        world_fail(w, "scenario", "%s", what);
}

static void settles_within(struct world *w, struct span limit, const char *what)
{
    if (!world_run_until(w, checkers_is_settled, limit))
        checkers_settle(w);
    expect(w, checkers_is_settled(w), what);
}

static void lan(struct world *w)
{
    int segment = world_add_segment(w, true);

    for (int i = 0; i < 3; i++)
        world_add_edge(w, segment);
    host_start_all(w);
    settles_within(w, span_ms(50), "joins within 50 ms");
}

const struct scenario scenarios[] = {
    {"lan", lan},
    {NULL, NULL},
};
