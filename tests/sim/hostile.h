/*
 * hostile - a member of the mesh that sends nonsense.
 */
#ifndef TESTS_SIM_HOSTILE_H
#define TESTS_SIM_HOSTILE_H

#include "tests/sim/world.h"

struct hostile;

struct hostile *hostile_new(int host);
void hostile_free(struct hostile *h);
bool hostile_is(const struct world *w, int host);
/* What the host sends instead of `bytes`; valid until the next call. */
struct bytes hostile_words(struct world *w, int from, struct bytes bytes);

#endif
