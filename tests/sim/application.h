/*
 * application - sends by the nodes: streams of numbered messages, and chatter.
 */
#ifndef TESTS_SIM_APPLICATION_H
#define TESTS_SIM_APPLICATION_H

#include "tests/sim/world.h"

struct application *application_new(void);
void application_free(struct application *a);
void application_started(struct world *w, const struct process *p);

/* Sends one message now; returns its ref. */
uint64_t application_send(struct world *w, int from, int to, size_t size);
uint64_t application_publish(struct world *w, int from, int group, size_t size);
uint64_t application_ping(struct world *w, int from, int to);

/* Sends `count` messages, one each `every`. The stream waits while the node is
 * busy or the peer is absent. */
void application_stream(struct world *w, int from, int to, size_t count,
                        size_t size, struct span every);
/* Messages of all streams that no node accepted yet. */
size_t application_left(const struct world *w);

/* Until then every edge sends something to another one now and then. */
void application_chatter(struct world *w, struct instant until);

#endif
