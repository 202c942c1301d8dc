/*
 * story - what happens in a world, told so that people can read it.
 *
 * Faults, starts and what nodes tell their applications become a line each.
 * Packets and messages are counted, and summed up where a chapter ends: exactly
 * up to 9, from there on roughly ("~40"), so that a story changes only when
 * something else happens.
 */
#ifndef TESTS_SIM_STORY_H
#define TESTS_SIM_STORY_H

#include "tests/sim/world.h"

struct story;

struct story *story_new(const char *title, const char *about);
void story_free(struct story *s);
void story_name(struct world *w, int host, const char *name);
/* A new part, and what it shows. */
void story_chapter(struct world *w, const char *title);
/* Ends the last chapter; the text is the story's. */
const char *story_end(struct world *w);

/* What happens; nothing is done in a world without a story. b: -1, or the
 * other host. */
void story_event(struct world *w, const char *what, int a, int b);
void story_todo(struct world *w, const struct process *p,
                const struct node_todo *t);
void story_packet(struct world *w, int from, int to, struct bytes packet);
void story_beacon(struct world *w, int from, int to, bool multicast);

#endif
