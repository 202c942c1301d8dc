/*
 * top_private - the functions that the files of top share.
 */
#ifndef EDGE_TERM_TOP_PRIVATE_H
#define EDGE_TERM_TOP_PRIVATE_H

#include "edge/term/top.h"

enum { FIGURE = 32 };

/* The value of a member that is a string; "" if there is none. */
const char *top_member(const json_t *object, const char *key);

/* These write a figure into `room` and return it: "12/s", "1.2 MiB/s",
 * "0.42 ms", "5m" since the peer came; "-" if the figure is unknown. */
const char *show_count(double rate, char room[FIGURE]);
const char *show_bytes(double rate, char room[FIGURE]);
const char *show_rtt(const json_t *holder, char room[FIGURE]);
const char *show_since(const struct top *t, const json_t *peer,
                       char room[FIGURE]);

/* Draws the sorted peers from `row` up to but not including the row `end`. */
void top_draw_peers(struct top *t, struct canvas *c, int row, int end);

#endif
