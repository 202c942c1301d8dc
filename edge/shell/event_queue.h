/*
 * event_queue - the events of one turn of the edge's loop, for one step of the
 * node.
 *
 * Links, discovery, timers and local clients add events. At the end of the turn
 * the edge passes all of them to the node; events added meanwhile belong to the
 * next turn. The number of packets is limited: a link stops reading when
 * event_queue_full is true, and reads on in the next turn.
 */
#ifndef EDGE_SHELL_EVENT_QUEUE_H
#define EDGE_SHELL_EVENT_QUEUE_H

#include "common/io/log_limit.h"
#include "common/io/packet_ref.h"
#include "common/io/zsocket.h"
#include "edge/core/node.h"

enum { EVENT_QUEUE_PACKETS = 64, EVENT_QUEUE_BYTES = 1024 * 1024 };

/* Events and the memory that they point to. */
struct event_batch {
    struct node_event *events;
    size_t count;
    size_t capacity;
    struct packet_ref packets[2 * EVENT_QUEUE_PACKETS];
    size_t packet_count;
    size_t packet_bytes;
    struct arena arena;
};

struct event_queue {
    struct zloop *zloop;
    struct log_limit log; /* see edge_log_limit */
    struct event_batch batches[2];
    struct event_batch *filling;
};

void event_queue_init(struct event_queue *q, struct zloop *zloop);
void event_queue_close(struct event_queue *q);

/* Adds an event. Its pointers, if any, must point into event_queue_arena. */
void event_queue_add(struct event_queue *q, const struct node_event *event);
/* Memory that lives as long as this turn's events. */
struct arena *event_queue_arena(struct event_queue *q);

/* True: links add no more packets in this turn. A link that ended may still add
 * the packets that it had received, up to as many again: it stops when
 * event_queue_overfull is true. */
bool event_queue_full(const struct event_queue *q);
bool event_queue_overfull(const struct event_queue *q);
/* Adds a packet of the link, which it moves away. */
void event_queue_add_packet(struct event_queue *q, uint32_t link,
                            struct packet_ref *packet);
void event_queue_add_closed(struct event_queue *q, uint32_t link,
                            enum link_failure failure);
/* NODE_LINK_BLOCKED or NODE_LINK_WRITABLE. */
void event_queue_add_link(struct event_queue *q, enum node_event_kind kind,
                          uint32_t link);

/* log_limit_passes for a line that names no single peer. */
bool event_queue_may_log(struct event_queue *q, enum log_cause cause,
                         const char *event, const char *reason) MUST_USE;

/* The events added so far; valid until event_queue_done. */
struct event_batch *event_queue_take(struct event_queue *q);
void event_queue_done(struct event_batch *b);

#endif
