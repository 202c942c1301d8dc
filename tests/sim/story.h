/*
 * story - what happens in a world, as text for people.
 *
 * Faults, starts and what nodes tell their applications become a line each.
 * Packets and messages are counted, and summed up at the end of a chapter:
 * exactly up to 9, roughly ("~40") above, so that a story changes only when
 * something else happens.
 */
#ifndef TESTS_SIM_STORY_H
#define TESTS_SIM_STORY_H

#include "tests/sim/world.h"

struct story;

struct story *story_new(const char *title, const char *about);
void story_free(struct story *s);
void story_name(struct world *w, int host, const char *name);
/* Begins a new part with this title. */
void story_chapter(struct world *w, const char *title);
/* Ends the last chapter; the story owns the text. */
const char *story_end(struct world *w);

/* Tell the story what happens; no-ops in a world without one. b: the other
 * host, or -1. */
void story_event(struct world *w, const char *what, int a, int b);
void story_todo(struct world *w, const struct process *p,
                const struct node_todo *t);
void story_packet(struct world *w, int from, int to, struct bytes packet);
void story_beacon(struct world *w, int from, int to, bool multicast);

#endif
