#include "edge/shell/event_queue.h"

#include "common/base/memory.h"
#include "common/io/clock.h"

#include <stdlib.h>

void turn_init(struct turn *t, struct zloop *zloop)
{
    *t = (struct turn){.zloop = zloop};
    t->filling = &t->batches[0];
}

static void batch_close(struct batch *b)
{
    turn_done(b);
    free(b->events);
    arena_close(&b->arena);
}

void turn_close(struct turn *t)
{
    batch_close(&t->batches[0]);
    batch_close(&t->batches[1]);
}

void turn_add(struct turn *t, const struct node_event *event)
{
    struct batch *b = t->filling;

    b->events =
        memory_grow(b->events, b->count, &b->capacity, sizeof *b->events);
    b->events[b->count++] = *event;
    zloop_kick(t->zloop);
}

bool turn_may_log(struct turn *t, enum log_cause cause, const char *event,
                  const char *reason)
{
    return log_limit_passes(&t->log, clock_now(), cause, event, reason,
                            (struct bytes){0});
}

struct arena *turn_arena(struct turn *t)
{
    return &t->filling->arena;
}

bool turn_full(const struct turn *t)
{
    return t->filling->packet_count >= TURN_PACKETS ||
           t->filling->packet_bytes >= TURN_BYTES;
}

bool turn_overfull(const struct turn *t)
{
    return t->filling->packet_count >= 2 * (size_t)TURN_PACKETS;
}

void turn_packet(struct turn *t, uint32_t link, struct packet_ref *packet)
{
    struct batch *b = t->filling;
    size_t size = packet_ref_size(packet);

    ASSERT(!turn_overfull(t));
    struct packet_ref *kept = &b->packets[b->packet_count++];
    packet_ref_move(kept, packet);
    b->packet_bytes += size;
    turn_add(t, &(struct node_event){
                    .kind = NODE_LINK_PACKET,
                    .link = {.id = link,
                             .bytes = bytes_of(packet_ref_data(kept), size)}});
}

void turn_closed(struct turn *t, uint32_t link, enum link_failure failure)
{
    turn_add(t, &(struct node_event){.kind = NODE_LINK_CLOSED,
                                     .link = {.id = link, .failure = failure}});
}

void turn_link(struct turn *t, enum node_event_kind kind, uint32_t link)
{
    turn_add(t, &(struct node_event){.kind = kind, .link = {.id = link}});
}

struct batch *turn_take(struct turn *t)
{
    struct batch *taken = t->filling;

    t->filling = taken == &t->batches[0] ? &t->batches[1] : &t->batches[0];
    return taken;
}

void turn_done(struct batch *b)
{
    for (size_t i = 0; i < b->packet_count; i++)
        packet_ref_release(&b->packets[i]);
    b->packet_count = 0;
    b->packet_bytes = 0;
    b->count = 0;
    arena_clear(&b->arena);
}
