/*
 * forms - the forms in which hosts reach relays, and filters that let some of
 * them pass.
 *
 * A host has a filter for each form, as of the network that it is in. A world
 * in which no host was given forms knows plain CURVE only, and has no filters.
 */
#ifndef TESTS_SIM_FORMS_H
#define TESTS_SIM_FORMS_H

#include "common/wire/relay_form.h"
#include "tests/sim/world.h"

enum { FORMS_WITHOUT_PROXY = 1 << FORM_TCP | 1 << FORM_WSS | 1 << FORM_WS };

/* The next process of the host reaches its relays in these forms: a bit for
 * each. */
void forms_allow(struct world *w, int host, uint8_t forms);
/* From now on the form fares so. `after`: of CUT. Connections in it end (IS_
 * REFUSED), stall (IS_SWALLOWED, IS_MUTE) or go on (PASSES). */
void forms_filter(struct world *w, int host, enum relay_form form,
                  enum form_fate fate, struct span after);
void forms_heal_all(struct world *w);
/* Whether a form that the host's process may use passes. */
bool forms_pass(const struct world *w, int host);
/* The form that the host's process reaches its first relay by;
 * RELAY_FORMS: the relay is not up. */
enum relay_form forms_used(const struct world *w, int host);
/* Connections that a host opened in this form, in all. */
int forms_tried(const struct world *w, int host, enum relay_form form);

/* What the node is told of the forms that worked where the host is now. */
struct node_event forms_event(struct world *w, int host,
                              int8_t list[NODE_RELAYS]);
/* The state of a relay of its process changed. */
void forms_note(struct world *w, const struct process *p, uint32_t relay);

/* Faults at random, if the world has forms; until it heals. */
void forms_fault(struct world *w, int host);

#endif
