/*
 * turn - what happened to the edge in one turn of its loop, for one step of
 * its node.
 *
 * Links, discovery, timers and local clients add events; at the end of the turn
 * the edge takes them all. What is added while they are handled belongs to the
 * next turn. Packets are bounded: whoever reads stops at turn_full and is asked
 * again, all else is bounded by its source.
 */
#ifndef EDGE_SHELL_TURN_H
#define EDGE_SHELL_TURN_H

#include "common/io/log_limit.h"
#include "common/io/zsocket.h"
#include "edge/core/node.h"

enum { TURN_PACKETS = 64, TURN_BYTES = 1024 * 1024 };

/* Events and the memory that they borrow. */
struct batch {
    struct node_event *events;
    size_t count;
    size_t capacity;
    zmq_msg_t packets[2 * TURN_PACKETS];
    size_t packet_count;
    size_t packet_bytes;
    struct arena arena;
};

struct turn {
    struct zloop *zloop;
    struct log_limit log; /* of all lines that others can cause */
    struct batch batches[2];
    struct batch *filling;
};

void turn_init(struct turn *t, struct zloop *zloop);
void turn_close(struct turn *t);

/* An event that borrows nothing, or only from turn_arena. */
void turn_add(struct turn *t, const struct node_event *event);
/* Memory for this turn's events. */
struct arena *turn_arena(struct turn *t);

/* True: no more packets in this turn. A link that ended may still add what it
 * had received (up to as many again): check turn_overfull then. */
bool turn_full(const struct turn *t);
bool turn_overfull(const struct turn *t);
/* Takes the message's content. */
void turn_packet(struct turn *t, uint32_t link, zmq_msg_t *m);
void turn_closed(struct turn *t, uint32_t link, enum link_failure failure);
/* BLOCKED or WRITABLE. */
void turn_link(struct turn *t, enum node_event_kind kind, uint32_t link);

/* See log_limit_passes; of no one in particular. */
bool turn_may_log(struct turn *t, enum log_cause cause, const char *event,
                  const char *reason) MUST_USE;

/* What was added so far; valid until turn_done. */
struct batch *turn_take(struct turn *t);
void turn_done(struct batch *b);

#endif
