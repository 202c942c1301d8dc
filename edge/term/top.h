/*
 * top - what passes through a node: two of its answers to `status`, and the
 * time between them, become rates; rows for a terminal, or lines.
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
    json_t *now, *before; /* statuses */
    json_t *peers_before; /* id -> peer, of before */
    struct instant at;    /* of now */
    time_t wall;          /* the same */
    double seconds;       /* between the two; 0: there is no rate */
    enum top_sort sort;
    int scroll; /* peers above the first that is shown */
    bool away;  /* the edge cannot be reached: what is shown is of before */
    bool keyed; /* a person presses keys: the last row names them */
};

void top_close(struct top *t);
/* A status; a reference of its own is kept. */
void top_take(struct top *t, struct instant now, time_t wall, json_t *status);
/* The edge went away; when it is back, rates begin again. */
void top_lost(struct top *t);

const char *top_sort_name(enum top_sort sort);
/* False if there is none of that name, or none that begins with the letter. */
bool top_sort_named(const char *name, enum top_sort *sort) MUST_USE;
bool top_sort_key(char letter, enum top_sort *sort) MUST_USE;

/* What a counter of the node's, or of what went to a peer and came from it,
 * grew by in a second; < 0: not known. */
double top_rate(const struct top *t, const char *counter);
double top_peer_rate(const struct top *t, const json_t *peer,
                     const char *counter);
/* The status with "seconds" and "rates": what grew in a second, of each counter
 * that only grows; of each peer's traffic too. To be json_decref'd. */
json_t *top_json(const struct top *t);

/* How many rows it takes to show all; and drawing on what there is. */
int top_rows(const struct top *t);
void top_draw(struct top *t, struct canvas *c);

#endif
