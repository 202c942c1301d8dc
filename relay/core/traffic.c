#include "relay/core/hub_private.h"

#include <string.h>

static struct hub_todo *write_now(struct hub *h, const struct hub_edge *e,
                                  struct bytes packet)
{
    struct hub_todo *todo = hub_todos_add(h->todos, HUB_WRITE, e->conn);
    todo->bytes = packet;
    h->counters.packets_out++;
    h->counters.bytes_out += packet.size;
    return todo;
}

/* ---- limits.memory ----------------------------------------------------- */

static size_t memory_limit(const struct hub *h)
{
    size_t limit = h->conf.limits.memory;
    return limit > 0 ? limit : SIZE_MAX;
}

/* The bytes that may be queued for one edge now: limits.queue, or what is left
 * of limits.memory if that is less. */
static size_t queue_limit(const struct hub *h)
{
    size_t limit = memory_limit(h);
    size_t left = limit > hub_memory(h) ? limit - hub_memory(h) : 0;
    return left < h->conf.limits.queue ? left : h->conf.limits.queue;
}

static size_t weight_of(const struct hub_edge *e)
{
    return e->control.bytes + e->data.bytes + e->told_bytes;
}

static struct hub_edge *largest(const struct hub *h)
{
    struct hub_edge *most = NULL;
    size_t cursor = 0;
    for (struct hub_edge *e; (e = map_next(&h->conns, &cursor));) {
        if (!e->doomed && (!most || weight_of(e) > weight_of(most)))
            most = e;
    }
    return most;
}

/* Frees the memory that counts for the edge. The edge itself is doomed, and
 * freed at the end of the step. */
static void drop_all(struct hub *h, struct hub_edge *e)
{
    h->told_bytes -= e->told_bytes;
    e->told_bytes = 0;
    h->counters.queue_bytes -= e->control.bytes + e->data.bytes;
    queue_clear(&e->control);
    while (!fair_queue_is_empty(&e->data))
        fair_queue_drop(&e->data);
}

static void doom(struct hub *h, struct hub_edge *e, enum refusal reason)
{
    e->doomed = true;
    e->doomed_for = reason;
    e->next_doomed = h->doomed;
    h->doomed = e;
}

void hub_make_room(struct hub *h, size_t size)
{
    while (hub_memory(h) + size > memory_limit(h)) {
        struct hub_edge *e = largest(h);
        if (!e || weight_of(e) == 0)
            return;
        drop_all(h, e);
        doom(h, e, REFUSAL_FULL);
    }
}

static size_t control_limit(const struct hub *h)
{
    size_t queue = h->conf.limits.queue;
    return queue > HUB_CONTROL_MIN ? queue : HUB_CONTROL_MIN;
}

void edge_control(struct hub *h, struct hub_edge *e, struct bytes packet)
{
    if (e->doomed)
        return;
    if (!e->blocked && queue_is_empty(&e->control)) {
        write_now(h, e, packet);
        return;
    }
    /* An edge that misses a control packet has a wrong roster: better to end
     * its connection, after which it learns everything anew. */
    if (e->control.bytes + packet.size + SHARED_PACKET_OVERHEAD >
        control_limit(h)) {
        doom(h, e, REFUSAL_QUEUE_FULL);
        return;
    }
    hub_make_room(h, packet.size + SHARED_PACKET_OVERHEAD);
    if (e->doomed)
        return;
    struct shared_packet *copy = shared_packet_new(h->packets, packet);
    queue_put(&e->control, copy);
    h->counters.queue_bytes += packet.size + SHARED_PACKET_OVERHEAD;
    shared_packet_release(&copy);
}

static struct bytes refused_packet(struct hub *h, enum refusal reason,
                                   const struct node_id *destination)
{
    struct writer w = hub_room(h, 2 + KEY_SIZE);
    write_u8(&w, RELAY_REFUSED);
    write_u8(&w, (uint8_t)reason);
    write_bytes(&w, bytes_of(destination->key, KEY_SIZE));
    return writer_bytes(&w);
}

static void send_packet(struct hub *h, uint64_t conn, struct bytes packet)
{
    hub_todos_add(h->todos, HUB_WRITE, conn)->bytes = packet;
    h->counters.packets_out++;
    h->counters.bytes_out += packet.size;
}

void send_refused(struct hub *h, uint64_t conn, enum refusal reason)
{
    static const struct node_id nobody;
    send_packet(h, conn, refused_packet(h, reason, &nobody));
}

void send_clock(struct hub *h, uint64_t conn)
{
    uint64_t unix_now = hub_unix_now(h);
    struct writer w = hub_room(h, 1 + sizeof unix_now);
    if (unix_now == 0)
        return;
    write_u8(&w, RELAY_CLOCK);
    write_u64(&w, unix_now);
    send_packet(h, conn, writer_bytes(&w));
}

void send_certificate(struct hub *h, uint64_t conn, const struct relay_tls *tls)
{
    if (tls == NULL || tls->end == RELAY_TLS_UNTOLD)
        return;
    struct writer w = hub_room(h, 1 + CERTIFICATE_HASH_SIZE);
    relay_certificate_encode(tls, &w);
    send_packet(h, conn, writer_bytes(&w));
}

/* Drops a FORWARD, and tells its sender why. */
static void refuse_forward(struct hub *h, struct hub_edge *from,
                           enum refusal reason,
                           const struct node_id *destination)
{
    h->counters.dropped[reason]++;
    edge_control(h, from, refused_packet(h, reason, destination));
}

/* A token is a millionth of a byte, so that no token is lost to rounding even
 * if steps are microseconds apart. */
bool edge_may_send(struct hub *h, struct hub_edge *e, size_t size)
{
    static const uint64_t RATE_MAX = 100000000000;
    static const int64_t FILL_MAX_US = 100000000;
    uint64_t rate = h->conf.limits.rate;
    if (rate == 0)
        return true;
    rate = rate < RATE_MAX ? rate : RATE_MAX;

    int64_t us = instant_between(e->tokens_at, h->now).us;
    us = us < 0 ? 0 : us > FILL_MAX_US ? FILL_MAX_US : us;
    uint64_t burst = (rate > PACKET_SIZE ? rate : PACKET_SIZE) * 1000000;
    e->tokens += rate * (uint64_t)us;
    e->tokens = e->tokens < burst ? e->tokens : burst;
    e->tokens_at = h->now;

    uint64_t price = (uint64_t)size * 1000000;
    if (e->tokens < price)
        return false;
    e->tokens -= price;
    return true;
}

/* Drops a packet of the sender with the most bytes in the edge's queue. The
 * sender of a FORWARD is told; the sender of a MULTICAST is not [P-9.6]. */
static void displace(struct hub *h, struct hub_edge *to)
{
    struct shared_packet *p = fair_queue_displace(&to->data);
    struct hub_edge *from = map_get(&to->mesh->nodes, p->data + 1);
    h->counters.queue_bytes -= p->size + SHARED_PACKET_OVERHEAD;
    if (p->data[0] == RELAY_FORWARDED && from)
        refuse_forward(h, from, REFUSAL_QUEUE_FULL, &to->node);
    else
        h->counters.dropped[REFUSAL_QUEUE_FULL]++;
    shared_packet_release(&p);
}

bool edge_deliver(struct hub *h, struct hub_edge *to, struct delivery *d)
{
    const struct hub_event *event = d->event;
    if (!to->blocked && fair_queue_is_empty(&to->data)) {
        hub_todos_add(h->todos, HUB_FORWARD, to->conn);
        h->counters.packets_out++;
        h->counters.bytes_out += event->size;
        return true;
    }
    size_t limit = queue_limit(h);
    if (!fair_queue_admits(&to->data, &d->from->node, event->size, limit))
        return false;
    while (fair_queue_is_over(&to->data, event->size, limit))
        displace(h, to);
    if (!d->copy)
        d->copy =
            shared_packet_new(h->packets, bytes_of(event->data, event->size));
    fair_queue_put(&to->data, &d->from->node, d->copy);
    h->counters.queue_bytes += event->size + SHARED_PACKET_OVERHEAD;
    return true;
}

void packet_stamp(const struct hub_event *event, enum packet_type type,
                  const struct hub_edge *source)
{
    event->data[0] = (uint8_t)type;
    memcpy(event->data + 1, source->node.key, KEY_SIZE);
}

void edge_forward(struct hub *h, struct hub_edge *e,
                  const struct hub_event *event)
{
    if (event->size <= FORWARD_HEADER_SIZE) {
        h->counters.dropped[REFUSAL_MALFORMED]++;
        return;
    }
    struct node_id destination;
    memcpy(destination.key, event->data + 1, KEY_SIZE);
    if (event->size > PACKET_SIZE) {
        refuse_forward(h, e, REFUSAL_TOO_LARGE, &destination);
        return;
    }
    struct hub_edge *to = map_get(&e->mesh->nodes, destination.key);
    if (!to || to->doomed) {
        refuse_forward(h, e, REFUSAL_NO_PEER, &destination);
        return;
    }
    packet_stamp(event, RELAY_FORWARDED, e);
    struct delivery d = {.event = event, .from = e};
    if (!edge_may_send(h, e, event->size) || !edge_deliver(h, to, &d))
        refuse_forward(h, e, REFUSAL_QUEUE_FULL, &destination);
    shared_packet_release(&d.copy);
}

void edge_blocked(struct hub *h, struct hub_edge *e)
{
    e->blocked = true;
    heap_remove(&h->timers, &e->work);
}

/* Writes a queued packet, and subtracts its cost from the budget. */
static void write_queued(struct hub *h, const struct hub_edge *e,
                         struct shared_packet *packet, size_t *budget)
{
    size_t cost = packet->size + SHARED_PACKET_OVERHEAD;
    write_now(h, e, shared_packet_bytes(packet))->packet =
        shared_packet_hold(packet);
    h->counters.queue_bytes -= cost;
    *budget -= cost < *budget ? cost : *budget;
}

/* Writes queued control packets, up to `budget` bytes; returns what is left of
 * the budget. */
static size_t drain_control(struct hub *h, struct hub_edge *e, size_t budget)
{
    while (!queue_is_empty(&e->control) && budget > 0) {
        write_queued(h, e, queue_first(&e->control), &budget);
        queue_drop(&e->control);
    }
    return budget;
}

static void drain_data(struct hub *h, struct hub_edge *e, size_t budget)
{
    while (!fair_queue_is_empty(&e->data) && budget > 0) {
        write_queued(h, e, fair_queue_first(&e->data), &budget);
        fair_queue_drop(&e->data);
    }
}

void edge_work(struct hub *h, struct hub_edge *e)
{
    if (e->blocked || e->doomed)
        return;
    size_t budget = drain_control(h, e, HUB_PORTION);
    /* The roster waits until all queued control packets are written: else its
     * PRESENT could overtake a GONE. */
    if (budget > 0 && roster_sync(h, e))
        drain_data(h, e, budget);
    bool done = queue_is_empty(&e->control) && e->synced &&
                fair_queue_is_empty(&e->data);
    heap_set(&h->timers, &e->work,
             done ? INSTANT_NEVER : instant_after(h->now, span_us(1)));
}
