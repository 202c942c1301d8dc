/*
 * scenarios - one behaviour each, in a small world of its own.
 */
#ifndef TESTS_SIM_SCENARIOS_H
#define TESTS_SIM_SCENARIOS_H

#include "tests/sim/world.h"

struct scenario {
    const char *name;
    void (*run)(struct world *w);
};

/* Each ends with a NULL name. */
extern const struct scenario scenarios_of_paths[];
extern const struct scenario scenarios_of_faults[];
extern const struct scenario scenarios_of_roaming[];
extern const struct scenario scenarios_of_refusals[];
extern const struct scenario scenarios_of_turned[];
extern const struct scenario scenarios_of_links[];
extern const struct scenario scenarios_of_groups[];
extern const struct scenario scenarios_of_nats[];
extern const struct scenario scenarios_of_punching[];

/* --- what they are written with ---------------------------------------- */

/* Two on a LAN, a third behind a NAT of its own; all at one relay. */
struct trio {
    int relay, a, b, far;
};
struct trio make_trio(struct world *w);
/* Started, and met. */
struct trio start_trio(struct world *w);

/* The world fails with `what` unless `good`. */
void expect(struct world *w, bool good, const char *what);
/* All pairs are as they should be, within the span. */
void settles_within(struct world *w, struct span limit, const char *what);
/* a sees b, and b sees a, by this path. */
bool is_mutual(const struct world *w, int a, int b, enum node_path path);
/* Runs until all that the streams sent is reported, then checks everything. */
void finishes_within(struct world *w, struct span limit);
/* The same, and holds and pauses of dialling may run out before. */
void finishes_in_the_end(struct world *w);
/* A step by step wait: until a sees b (or does not) within the span. */
bool sees_within(struct world *w, int a, int b, bool there, struct span limit);
/* A message each way, both delivered within the span. */
void talks_within(struct world *w, int a, int b, struct span limit);

#endif
