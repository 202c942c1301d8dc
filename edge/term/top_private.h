/*
 * top_private - what the files that draw a top share.
 */
#ifndef EDGE_TERM_TOP_PRIVATE_H
#define EDGE_TERM_TOP_PRIVATE_H

#include "edge/term/top.h"

enum { FIGURE = 32 };

/* A member that is a string, or "". */
const char *top_member(const json_t *object, const char *key);

/* Figures as people read them: "12/s", "1.2 MiB/s", "0.42 ms", "5m" since the
 * peer came; "-" where it is not known. */
const char *show_count(double rate, char room[FIGURE]);
const char *show_bytes(double rate, char room[FIGURE]);
const char *show_rtt(const json_t *holder, char room[FIGURE]);
const char *show_since(const struct top *t, const json_t *peer,
                       char room[FIGURE]);

/* The peers in their order, from `row` on, up to but not including `end`. */
void top_draw_peers(struct top *t, struct canvas *c, int row, int end);

#endif
