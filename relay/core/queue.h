/*
 * queue - packets that wait, first in first out.
 *
 * The owner bounds it by `bytes`, which counts each packet's keeping too, and
 * a packet that other queues hold as well as if it were here alone.
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

/* Holds the packet as well. */
void queue_put(struct queue *q, struct shared_packet *packet);
/* The first packet, which stays in it until queue_drop; NULL if there is none.
 */
struct shared_packet *queue_first(const struct queue *q);
void queue_drop(struct queue *q);
bool queue_is_empty(const struct queue *q);
void queue_clear(struct queue *q);

#endif
