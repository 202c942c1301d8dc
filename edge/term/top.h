/*
 * top - the logic of `zs top`: what passes through a node.
 *
 * top computes rates from two of the edge's answers to `status` and the time
 * between them, and draws them on a canvas.
 */
#ifndef EDGE_TERM_TOP_H
#define EDGE_TERM_TOP_H

#include "common/base/instant.h"
#include "edge/term/canvas.h"

#include <jansson.h>
#include <time.h>

enum top_sort { SORT_NAME, SORT_PATH, SORT_RTT, SORT_TRAFFIC, SORT_SINCE };

/* A zeroed top is empty and ready. */
struct top {
    json_t *now, *before; /* the last two answers */
    json_t *peers_before; /* id -> peer, from `before` */
    struct instant at;    /* when `now` came */
    time_t wall;          /* the same, as wall-clock time */
    double seconds;       /* between the two answers; 0: no rates */
    enum top_sort sort;
    int scroll; /* peers above the first that is shown */
    bool away;  /* the edge cannot be reached; `now` is old */
    bool keyed; /* a terminal's user presses keys: the last row names them */
};

void top_close(struct top *t);
/* Takes an answer to `status`; top holds a reference of its own. `now` and
 * `wall` are the time of the answer. */
void top_take(struct top *t, struct instant now, time_t wall, json_t *status);
/* The connection to the edge broke. Rates begin anew with the next answers. */
void top_lost(struct top *t);

const char *top_sort_name(enum top_sort sort);
/* Finds the order by its name, or by the first letter of its name. False if
 * there is none. */
bool top_sort_named(const char *name, enum top_sort *sort) MUST_USE;
bool top_sort_key(char letter, enum top_sort *sort) MUST_USE;

/* The growth of a counter in a second, of the node or of the traffic with one
 * peer; < 0 if it is unknown. */
double top_rate(const struct top *t, const char *counter);
double top_peer_rate(const struct top *t, const json_t *peer,
                     const char *counter);
/* The last status with "seconds" and "rates" added: the growth in a second of
 * each counter that only grows, and of each peer's traffic. The caller calls
 * json_decref on it. */
json_t *top_json(const struct top *t);

/* The rows that showing everything takes. */
int top_rows(const struct top *t);
/* Draws as much as the canvas has rows for. */
void top_draw(struct top *t, struct canvas *c);

#endif
