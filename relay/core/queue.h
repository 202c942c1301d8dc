/*
 * queue - a FIFO of shared packets.
 *
 * The owner bounds the queue by its `bytes`. They include an overhead for each
 * packet, and count a packet in full even if other queues hold it too.
 */
#ifndef RELAY_CORE_QUEUE_H
#define RELAY_CORE_QUEUE_H

#include "relay/core/shared_packet.h"

struct queued;

/* A zeroed queue is empty and ready. */
struct queue {
    struct queued *first;
    struct queued *last;
    size_t bytes;
};

/* Appends the packet; the queue holds a reference of its own. */
void queue_put(struct queue *q, struct shared_packet *packet);
/* The oldest packet, which stays in the queue until queue_drop; NULL if the
 * queue is empty. */
struct shared_packet *queue_first(const struct queue *q);
/* Removes and releases the oldest packet, if there is one. */
void queue_drop(struct queue *q);
bool queue_is_empty(const struct queue *q);
/* Removes and releases all packets. */
void queue_clear(struct queue *q);

#endif
