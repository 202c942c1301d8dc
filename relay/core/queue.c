#include "relay/core/queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

struct queued {
    struct queued *next;
    size_t size;
    uint8_t data[];
};

void queue_put(struct queue *q, struct bytes packet)
{
    struct queued *p = memory_new(sizeof *p + packet.size);
    p->size = packet.size;
    if (packet.size > 0)
        memcpy(p->data, packet.data, packet.size);
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    q->bytes += packet.size + QUEUE_PACKET_OVERHEAD;
}

struct bytes queue_first(const struct queue *q)
{
    if (!q->first)
        return (struct bytes){0};
    return bytes_of(q->first->data, q->first->size);
}

void queue_drop(struct queue *q)
{
    struct queued *p = q->first;
    if (!p)
        return;
    q->first = p->next;
    if (!q->first)
        q->last = NULL;
    q->bytes -= p->size + QUEUE_PACKET_OVERHEAD;
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
