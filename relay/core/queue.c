#include "relay/core/queue.h"

#include <stdlib.h>

#include "common/base/memory.h"

struct queued {
    struct queued *next;
    struct parcel *packet;
};

void queue_put(struct queue *q, struct parcel *packet)
{
    struct queued *p = memory_new(sizeof *p);
    p->packet = parcel_hold(packet);
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    q->bytes += packet->size + PARCEL_OVERHEAD;
}

struct parcel *queue_first(const struct queue *q)
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
    q->bytes -= p->packet->size + PARCEL_OVERHEAD;
    parcel_release(&p->packet);
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
