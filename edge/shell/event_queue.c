#include "edge/shell/event_queue.h"

#include "common/base/memory.h"
#include "common/io/clock.h"

#include <stdlib.h>

void event_queue_init(struct event_queue *q, struct zloop *zloop)
{
    *q = (struct event_queue){.zloop = zloop};
    q->filling = &q->batches[0];
}

static void batch_close(struct event_batch *b)
{
    event_queue_done(b);
    free(b->events);
    arena_close(&b->arena);
}

void event_queue_close(struct event_queue *q)
{
    batch_close(&q->batches[0]);
    batch_close(&q->batches[1]);
}

void event_queue_add(struct event_queue *q, const struct node_event *event)
{
    struct event_batch *b = q->filling;

    b->events =
        memory_grow(b->events, b->count, &b->capacity, sizeof *b->events);
    b->events[b->count++] = *event;
    zloop_kick(q->zloop);
}

bool event_queue_may_log(struct event_queue *q, enum log_cause cause,
                         const char *event, const char *reason)
{
    return log_limit_passes(&q->log, clock_now(), cause, event, reason,
                            (struct bytes){0});
}

struct arena *event_queue_arena(struct event_queue *q)
{
    return &q->filling->arena;
}

bool event_queue_full(const struct event_queue *q)
{
    return q->filling->packet_count >= EVENT_QUEUE_PACKETS ||
           q->filling->packet_bytes >= EVENT_QUEUE_BYTES;
}

bool event_queue_overfull(const struct event_queue *q)
{
    return q->filling->packet_count >= 2 * (size_t)EVENT_QUEUE_PACKETS;
}

void event_queue_add_packet(struct event_queue *q, uint32_t link,
                            struct packet_ref *packet)
{
    struct event_batch *b = q->filling;
    size_t size = packet_ref_size(packet);

    ASSERT(!event_queue_overfull(q));
    struct packet_ref *kept = &b->packets[b->packet_count++];
    packet_ref_move(kept, packet);
    b->packet_bytes += size;
    event_queue_add(
        q, &(struct node_event){
               .kind = NODE_LINK_PACKET,
               .link = {.id = link,
                        .bytes = bytes_of(packet_ref_data(kept), size)}});
}

void event_queue_add_closed(struct event_queue *q, uint32_t link,
                            enum link_failure failure)
{
    event_queue_add(
        q, &(struct node_event){.kind = NODE_LINK_CLOSED,
                                .link = {.id = link, .failure = failure}});
}

void event_queue_add_link(struct event_queue *q, enum node_event_kind kind,
                          uint32_t link)
{
    event_queue_add(q,
                    &(struct node_event){.kind = kind, .link = {.id = link}});
}

struct event_batch *event_queue_take(struct event_queue *q)
{
    struct event_batch *taken = q->filling;

    q->filling = taken == &q->batches[0] ? &q->batches[1] : &q->batches[0];
    return taken;
}

void event_queue_done(struct event_batch *b)
{
    for (size_t i = 0; i < b->packet_count; i++)
        packet_ref_release(&b->packets[i]);
    b->packet_count = 0;
    b->packet_bytes = 0;
    b->count = 0;
    arena_clear(&b->arena);
}
