/*
 * turn - collects the events of one turn of the edge's loop, for one step of
 * the node.
 *
 * Links, discovery, timers and local clients add events. At the end of the turn
 * the edge passes all of them to the node; events added meanwhile belong to the
 * next turn. The number of packets is limited: a link stops reading when
 * turn_full is true, and reads on in the next turn.
 */
#ifndef EDGE_SHELL_EVENT_QUEUE_H
#define EDGE_SHELL_EVENT_QUEUE_H

#include "common/io/log_limit.h"
#include "common/io/packet_ref.h"
#include "common/io/zsocket.h"
#include "edge/core/node.h"

enum { TURN_PACKETS = 64, TURN_BYTES = 1024 * 1024 };

/* Events and the memory that they point to. */
struct batch {
    struct node_event *events;
    size_t count;
    size_t capacity;
    struct packet_ref packets[2 * TURN_PACKETS];
    size_t packet_count;
    size_t packet_bytes;
    struct arena arena;
};

struct turn {
    struct zloop *zloop;
    struct log_limit log; /* see edge_log_limit */
    struct batch batches[2];
    struct batch *filling;
};

void turn_init(struct turn *t, struct zloop *zloop);
void turn_close(struct turn *t);

/* Adds an event. Its pointers, if any, must point into turn_arena. */
void turn_add(struct turn *t, const struct node_event *event);
/* Memory that lives as long as this turn's events. */
struct arena *turn_arena(struct turn *t);

/* True: links add no more packets in this turn. A link that ended may still add
 * the packets that it had received, up to as many again: it stops when
 * turn_overfull is true. */
bool turn_full(const struct turn *t);
bool turn_overfull(const struct turn *t);
/* Adds a packet of the link, which it moves away. */
void turn_packet(struct turn *t, uint32_t link, struct packet_ref *packet);
void turn_closed(struct turn *t, uint32_t link, enum link_failure failure);
/* BLOCKED or WRITABLE. */
void turn_link(struct turn *t, enum node_event_kind kind, uint32_t link);

/* log_limit_passes for a line that names no single peer. */
bool turn_may_log(struct turn *t, enum log_cause cause, const char *event,
                  const char *reason) MUST_USE;

/* The events added so far; valid until turn_done. */
struct batch *turn_take(struct turn *t);
void turn_done(struct batch *b);

#endif
