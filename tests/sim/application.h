/*
 * application - what uses the nodes: streams of numbered messages, and chatter.
 */
#ifndef TESTS_SIM_APPLICATION_H
#define TESTS_SIM_APPLICATION_H

#include "tests/sim/world.h"

struct application *application_new(void);
void application_free(struct application *a);
void application_started(struct world *w, const struct process *p);

/* One message now; its ref. */
uint64_t application_send(struct world *w, int from, int to, size_t size);
uint64_t application_publish(struct world *w, int from, int group, size_t size);
uint64_t application_ping(struct world *w, int from, int to);

/* `count` messages, one each `every`, held up while the node is busy or the
 * peer is not there. */
void application_stream(struct world *w, int from, int to, size_t count,
                        size_t size, struct span every);
/* Of all streams: messages that are not yet accepted by a node. */
size_t application_left(const struct world *w);

/* Every edge now and then sends something to somebody, until then. */
void application_chatter(struct world *w, struct instant until);

#endif
