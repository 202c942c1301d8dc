#include "relay/core/queue.h"

#include <stdlib.h>

#include "common/base/memory.h"

struct queued {
    struct queued *next;
    struct shared_packet *packet;
};

void queue_put(struct queue *q, struct shared_packet *packet)
{
    struct queued *p = memory_new(sizeof *p);
    p->packet = shared_packet_hold(packet);
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    q->bytes += packet->size + SHARED_PACKET_OVERHEAD;
}

struct shared_packet *queue_first(const struct queue *q)
{
    return q->first ? q->first->packet : NULL;
}

void queue_drop(struct queue *q)
{
    struct queued *p = q->first;
    if (!p)
        return;
    q->first = p->next;
    if (!q->first)
        q->last = NULL;
    q->bytes -= p->packet->size + SHARED_PACKET_OVERHEAD;
    shared_packet_release(&p->packet);
    free(p);
}

bool queue_is_empty(const struct queue *q)
{
    return !q->first;
}

void queue_clear(struct queue *q)
{
    while (!queue_is_empty(q))
        queue_drop(q);
}
