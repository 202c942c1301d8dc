#include "relay/core/fair_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

enum {
    LINE_FIRST = 8, /* packets; each capacity is a power of two */
    /* An empty queue frees a table with room for more sources than this. */
    TABLE_KEPT = 64,
};

/* The FIFO of one source: a ring buffer that grows. */
struct source_packets {
    struct node_id source;
    struct source_packets *previous; /* in the ring of turns */
    struct source_packets *next;
    struct shared_packet **packets;
    size_t capacity;
    size_t first;
    size_t count;
    size_t bytes;
    size_t credit; /* bytes that the source may still send in its turn */
    size_t place;  /* index in the heap */
};

void fair_queue_init(struct fair_queue *q, const uint8_t hash_key[16])
{
    memset(q, 0, sizeof *q);
    map_init(&q->flows, KEY_SIZE, hash_key);
}

static size_t cost_of(const struct shared_packet *packet)
{
    return packet->size + SHARED_PACKET_OVERHEAD;
}

/* ---- One source's FIFO ------------------------------------------------- */

static struct shared_packet **slot(const struct source_packets *f, size_t i)
{
    return &f->packets[(f->first + i) & (f->capacity - 1)];
}

static void line_grow(struct source_packets *f)
{
    size_t capacity = f->capacity ? 2 * f->capacity : LINE_FIRST;
    struct shared_packet **packets = memory_array(capacity, sizeof *packets);
    for (size_t i = 0; i < f->count; i++)
        packets[i] = *slot(f, i);
    free(f->packets);
    f->packets = packets;
    f->capacity = capacity;
    f->first = 0;
}

static void line_put(struct source_packets *f, struct shared_packet *packet)
{
    if (f->count == f->capacity)
        line_grow(f);
    *slot(f, f->count++) = packet;
    f->bytes += cost_of(packet);
}

static struct shared_packet *line_take_first(struct source_packets *f)
{
    struct shared_packet *packet = *slot(f, 0);
    f->first = (f->first + 1) & (f->capacity - 1);
    f->count--;
    f->bytes -= cost_of(packet);
    return packet;
}

static struct shared_packet *line_take_last(struct source_packets *f)
{
    struct shared_packet *packet = *slot(f, --f->count);
    f->bytes -= cost_of(packet);
    return packet;
}

/* ---- The heap: which source has the most bytes ------------------------- */

static void heap_place(struct fair_queue *q, size_t place,
                       struct source_packets *f)
{
    q->heavy[place] = f;
    f->place = place;
}

/* Moves the flow up or down in the heap after its bytes changed. */
static void heap_settle(struct fair_queue *q, struct source_packets *f)
{
    size_t at = f->place;
    while (at > 0 && q->heavy[(at - 1) / 2]->bytes < f->bytes) {
        heap_place(q, at, q->heavy[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (size_t child; (child = 2 * at + 1) < q->count;) {
        if (child + 1 < q->count &&
            q->heavy[child + 1]->bytes > q->heavy[child]->bytes)
            child++;
        if (q->heavy[child]->bytes <= f->bytes)
            break;
        heap_place(q, at, q->heavy[child]);
        at = child;
    }
    heap_place(q, at, f);
}

static void heap_add(struct fair_queue *q, struct source_packets *f)
{
    if (q->count == q->capacity) {
        q->capacity = q->capacity ? 2 * q->capacity : 4;
        q->heavy = memory_resize(q->heavy, q->capacity, sizeof *q->heavy);
    }
    heap_place(q, q->count++, f);
}

static void heap_take_out(struct fair_queue *q, const struct source_packets *f)
{
    struct source_packets *last = q->heavy[--q->count];
    if (last == f)
        return;
    heap_place(q, f->place, last);
    heap_settle(q, last);
}

/* ---- Turns ------------------------------------------------------------- */

static void give_turn(struct fair_queue *q, struct source_packets *f)
{
    q->turn = f;
    f->credit += FAIR_QUEUE_TURN;
}

/* Adds the flow at the end of the ring, just before the flow that sends
 * next. */
static struct source_packets *flow_new(struct fair_queue *q,
                                       const struct node_id *source)
{
    struct source_packets *f = memory_new(sizeof *f);
    f->source = *source;
    f->next = q->turn ? q->turn : f;
    f->previous = q->turn ? q->turn->previous : f;
    f->previous->next = f;
    f->next->previous = f;
    if (!q->turn)
        give_turn(q, f);
    map_put(&q->flows, f->source.key, f);
    heap_add(q, f);
    return f;
}

static void flow_free(struct fair_queue *q, struct source_packets *f)
{
    f->previous->next = f->next;
    f->next->previous = f->previous;
    if (f->next == f)
        q->turn = NULL;
    else if (q->turn == f)
        give_turn(q, f->next);
    map_remove(&q->flows, f->source.key);
    heap_take_out(q, f);
    free(f->packets);
    free(f);
    if (q->count == 0 && q->flows.capacity > TABLE_KEPT)
        map_close(&q->flows);
}

/* Updates ring and heap after a packet was taken from the flow. */
static void flow_settle(struct fair_queue *q, struct source_packets *f)
{
    if (f->count == 0) {
        flow_free(q, f);
        return;
    }
    heap_settle(q, f);
    /* A turn's credit covers any packet, so each turn sends at least one. */
    if (q->turn == f && f->credit < cost_of(*slot(f, 0)))
        give_turn(q, f->next);
}

/* ---- The queue --------------------------------------------------------- */

bool fair_queue_is_over(const struct fair_queue *q, size_t size, size_t limit)
{
    return q->bytes + size + SHARED_PACKET_OVERHEAD > limit;
}

bool fair_queue_admits(const struct fair_queue *q, const struct node_id *source,
                       size_t size, size_t limit)
{
    if (!fair_queue_is_over(q, size, limit))
        return true;
    /* If the packet fits the source's share while the queue is full, the other
     * sources together exceed their shares, so the heaviest is one of them
     * until the packet fits. */
    const struct source_packets *f = map_get(&q->flows, source->key);
    size_t held = f ? f->bytes : 0;
    size_t sources = q->count + (f ? 0 : 1);
    return held + size + SHARED_PACKET_OVERHEAD <= limit / sources;
}

struct shared_packet *fair_queue_displace(struct fair_queue *q)
{
    struct source_packets *f = q->heavy[0];
    struct shared_packet *packet = line_take_last(f);
    q->bytes -= cost_of(packet);
    flow_settle(q, f);
    return packet;
}

void fair_queue_put(struct fair_queue *q, const struct node_id *source,
                    struct shared_packet *packet)
{
    ASSERT(cost_of(packet) <= FAIR_QUEUE_TURN);
    struct source_packets *f = map_get(&q->flows, source->key);
    if (!f)
        f = flow_new(q, source);
    line_put(f, shared_packet_hold(packet));
    q->bytes += cost_of(packet);
    heap_settle(q, f);
}

struct shared_packet *fair_queue_first(const struct fair_queue *q)
{
    return q->turn ? *slot(q->turn, 0) : NULL;
}

void fair_queue_drop(struct fair_queue *q)
{
    struct source_packets *f = q->turn;
    if (!f)
        return;
    struct shared_packet *packet = line_take_first(f);
    size_t cost = cost_of(packet);
    f->credit -= cost;
    q->bytes -= cost;
    shared_packet_release(&packet);
    flow_settle(q, f);
}

bool fair_queue_is_empty(const struct fair_queue *q)
{
    return !q->turn;
}

void fair_queue_close(struct fair_queue *q)
{
    while (!fair_queue_is_empty(q))
        fair_queue_drop(q);
    map_close(&q->flows);
    free(q->heavy);
    q->heavy = NULL;
    q->capacity = 0;
}
