#include "common/io/carrier.h"

#include "common/base/memory.h"
#include "common/io/clock.h"

#include <sodium.h>
#include <stdlib.h>

/* An empty queue keeps an array for this number of packets: half a KiB. */
enum { QUEUE_KEPT = 8 };

/* ---- The queue */

static bool queue_is_empty(const struct packet_queue *q)
{
    return q->first == q->count;
}

/* Moves the packet in. False beyond the limit, or without memory. */
static bool queue_add(struct packet_queue *q, struct packet_ref *packet,
                      size_t limit)
{
    size_t cost = packet_ref_size(packet) + sizeof *packet;

    if (cost > limit || q->bytes > limit - cost)
        return false;
    if (q->count == q->room) {
        size_t room = q->room > 0 ? 2 * q->room : QUEUE_KEPT;
        struct packet_ref *packets =
            memory_try(q->packets, room, sizeof *packets);
        if (packets == NULL)
            return false;
        q->packets = packets;
        q->room = room;
    }
    packet_ref_move(&q->packets[q->count++], packet);
    q->bytes += cost;
    return true;
}

static void queue_clear(struct packet_queue *q)
{
    while (!queue_is_empty(q))
        packet_ref_release(&q->packets[q->first++]);
    free(q->packets);
    *q = (struct packet_queue){0};
}

/* Removes the first packet, which was sent or is dropped. */
static void queue_drop(struct packet_queue *q)
{
    packet_ref_release(&q->packets[q->first++]);
    if (!queue_is_empty(q))
        return;
    if (q->room > QUEUE_KEPT)
        queue_clear(q);
    q->first = q->count = q->bytes = 0;
}

/* ---- The list of the blocked */

static void block(struct carrier *c)
{
    struct carriers *all = c->all;

    if (all->first_blocked == NULL)
        all->tried_at = clock_now();
    c->blocked = true;
    c->next_blocked = NULL;
    c->previous_blocked = all->last_blocked;
    *(all->last_blocked != NULL ? &all->last_blocked->next_blocked
                                : &all->first_blocked) = c;
    all->last_blocked = c;
    all->blocked_count++;
}

static void unblock(struct carrier *c)
{
    struct carriers *all = c->all;

    c->blocked = false;
    *(c->previous_blocked != NULL ? &c->previous_blocked->next_blocked
                                  : &all->first_blocked) = c->next_blocked;
    *(c->next_blocked != NULL ? &c->next_blocked->previous_blocked
                              : &all->last_blocked) = c->previous_blocked;
    all->blocked_count--;
}

size_t carriers_credit(const struct carriers *all)
{
    const struct carriers_conf *conf = &all->conf;
    size_t each;

    if (conf->memory == 0)
        return conf->credit;
    each = conf->memory / (all->blocked_count + 1);
    if (each > conf->credit)
        return conf->credit;
    return each < conf->credit_least ? conf->credit_least : each;
}

/* ---- Sending */

static bool has_credit(const struct carrier *c)
{
    return send_credit_has_room(c->credit) &&
           (c->all->conf.memory == 0 ||
            send_credit_bytes(c->credit) < carriers_credit(c->all));
}

static enum carrier_sent try_send(struct carrier *c, struct packet_ref *packet)
{
    if (c->credit == NULL)
        return c->transport->send(c, packet);
    if (!has_credit(c))
        return CARRIER_FULL;
    struct send_credit_note *note = send_credit_add(c->credit, packet);
    enum carrier_sent sent = c->transport->send(c, packet);
    if (sent != CARRIER_SENT)
        send_credit_undo(note, packet);
    return sent;
}

static void let_wait(struct carrier *c, struct packet_ref *packet)
{
    const struct carriers *all = c->all;

    if (!queue_add(&c->queue, packet, all->conf.queue)) {
        carrier_ended(c, CARRIER_OVERFULL);
        c->transport->close(c);
    } else if (!c->blocked) {
        block(c);
        all->owner.blocked(all->owner.context, c);
    }
}

void carrier_write(struct carrier *c, struct packet_ref *packet)
{
    if (c->open && !c->deaf &&
        (c->blocked || try_send(c, packet) == CARRIER_FULL))
        let_wait(c, packet);
    packet_ref_release(packet);
}

void carriers_write(struct carriers *all, uint64_t id,
                    struct packet_ref *packet)
{
    struct carrier *c = carriers_find(all, id);

    if (c != NULL)
        carrier_write(c, packet);
    else
        packet_ref_release(packet);
}

/* Takes the carrier out of the list meanwhile; if it stays blocked, its place
 * is the last. */
void carrier_retry(struct carrier *c)
{
    const struct carrier_owner *owner = &c->all->owner;

    if (!c->blocked)
        return;
    unblock(c);
    while (!queue_is_empty(&c->queue)) {
        if (try_send(c, &c->queue.packets[c->queue.first]) == CARRIER_FULL) {
            block(c);
            return;
        }
        queue_drop(&c->queue);
    }
    if (!c->deaf)
        owner->writable(owner->context, c);
}

void carriers_retry(struct carriers *all, size_t most)
{
    size_t count = all->blocked_count < most ? all->blocked_count : most;

    while (count-- > 0 && all->first_blocked != NULL)
        carrier_retry(all->first_blocked);
    all->tried_at = clock_now();
}

/* ---- Opening and closing */

void carriers_init(struct carriers *all, const struct carriers_conf *conf,
                   const struct carrier_owner *owner)
{
    uint8_t hash_key[16];

    *all = (struct carriers){.conf = *conf, .owner = *owner};
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&all->by_id, sizeof(uint64_t), hash_key);
}

void carriers_close_all(struct carriers *all)
{
    ASSERT(all->by_id.count == 0);
    map_close(&all->by_id);
}

struct carrier *carriers_find(const struct carriers *all, uint64_t id)
{
    return map_get(&all->by_id, &id);
}

void carriers_close(struct carriers *all, uint64_t id)
{
    struct carrier *c = carriers_find(all, id);

    if (c == NULL || c->deaf)
        return;
    c->deaf = true;
    c->transport->close(c);
}

void carrier_init(struct carrier *c, struct carriers *all, uint64_t id,
                  const struct carrier_transport *transport, void *connection)
{
    *c = (struct carrier){
        .id = id, .all = all, .transport = transport, .connection = connection};
    if (!transport->counts)
        c->credit = send_credit_new(all->conf.credit, all->conf.wakeup);
    const void *before = map_put(&all->by_id, &c->id, c);
    ASSERT(before == NULL);
}

void carrier_fini(struct carrier *c)
{
    map_remove(&c->all->by_id, &c->id);
    if (c->blocked)
        unblock(c);
    queue_clear(&c->queue);
    send_credit_release(&c->credit);
}

void carrier_opened(struct carrier *c, const struct curve_key *key,
                    const struct address *address)
{
    const struct carrier_owner *owner = &c->all->owner;

    c->key = *key;
    c->address = *address;
    c->open = true;
    if (owner->opened != NULL)
        owner->opened(owner->context, c);
}

void carrier_ended(struct carrier *c, enum carrier_end why)
{
    const struct carrier_owner *owner = &c->all->owner;
    bool deaf = c->deaf;

    c->deaf = true; /* Drops what the owner writes within `closed`. */
    if (!deaf)
        owner->closed(owner->context, c, why);
}
