/*
 * scenarios - each tests one behaviour in a small world of its own.
 */
#ifndef TESTS_SIM_SCENARIOS_H
#define TESTS_SIM_SCENARIOS_H

#include "tests/sim/world.h"

struct scenario {
    const char *name;
    void (*run)(struct world *w);
};

/* The last item of each list has no name. */
extern const struct scenario scenarios_of_paths[];
extern const struct scenario scenarios_of_faults[];
extern const struct scenario scenarios_of_roaming[];
extern const struct scenario scenarios_of_refusals[];
extern const struct scenario scenarios_of_turned[];
extern const struct scenario scenarios_of_links[];
extern const struct scenario scenarios_of_groups[];
extern const struct scenario scenarios_of_nats[];
extern const struct scenario scenarios_of_punching[];
extern const struct scenario scenarios_of_udp[];
extern const struct scenario scenarios_of_udp_faults[];
extern const struct scenario scenarios_of_pairs[];
extern const struct scenario scenarios_of_cuts[];
extern const struct scenario scenarios_of_forms[];

/* --- what they are written with ---------------------------------------- */

/* Two edges on a LAN, a third behind a NAT of its own; all use one relay. */
struct trio {
    int relay, a, b, far;
};
struct trio make_trio(struct world *w);
/* The same; all are started and see each other. */
struct trio start_trio(struct world *w);

/* The world fails with `what` unless `good`. */
void expect(struct world *w, bool good, const char *what);
/* Fails with `what` unless all pairs are as they should be within the span. */
void settles_within(struct world *w, struct span limit, const char *what);
/* Whether a sees b, and b sees a, by this path. */
bool is_mutual(const struct world *w, int a, int b, enum node_path path);
/* Runs until all messages of the streams are reported, then checks
 * everything. */
void finishes_within(struct world *w, struct span limit);
/* The same, but first waits for paths that are held down and for peers that are
 * not dialled for a while. */
void finishes_in_the_end(struct world *w);
/* Runs until a sees b (or does not); false: not within the span. */
bool sees_within(struct world *w, int a, int b, bool there, struct span limit);
/* Fails unless a message each way is delivered within the span. */
void talks_within(struct world *w, int a, int b, struct span limit);

#endif
