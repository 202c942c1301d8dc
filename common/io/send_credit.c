#include "common/io/send_credit.h"

#include "common/base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>

struct send_credit {
    size_t limit;
    struct wakeup *wakeup; /* or NULL */
    atomic_size_t owners;  /* the connection, and each note */
    atomic_size_t bytes;
    atomic_bool awaited; /* the owner found the credit used up */
};

/* Comes back when the transport releases the packet. */
struct send_credit_note {
    struct send_credit *credit;
    size_t size;
    struct packet_ref packet; /* as it was handed in */
};

struct send_credit *send_credit_new(size_t limit, struct wakeup *wakeup)
{
    struct send_credit *c = memory_new(sizeof *c);

    c->limit = limit;
    c->wakeup = wakeup;
    atomic_init(&c->owners, 1);
    atomic_init(&c->bytes, 0);
    atomic_init(&c->awaited, false);
    if (wakeup != NULL)
        wakeup_hold(wakeup);
    return c;
}

void send_credit_release(struct send_credit **self)
{
    struct send_credit *c = *self;

    *self = NULL;
    if (c == NULL || atomic_fetch_sub(&c->owners, 1) != 1)
        return;
    if (c->wakeup != NULL)
        wakeup_release(c->wakeup);
    free(c);
}

/* True for one caller once half of the limit is free. */
static bool end_wait(struct send_credit *c)
{
    return atomic_load(&c->bytes) <= c->limit / 2 &&
           atomic_exchange(&c->awaited, false);
}

bool send_credit_has_room(struct send_credit *c)
{
    if (atomic_load(&c->bytes) < c->limit)
        return true;
    /* A note that came back before this store sent no wakeup. */
    atomic_store(&c->awaited, true);
    return end_wait(c);
}

size_t send_credit_bytes(const struct send_credit *c)
{
    return atomic_load(&c->bytes);
}

/* On a thread of the transport, or in send_credit_undo. */
static void on_released(void *data, void *note)
{
    struct send_credit_note *n = note;
    struct send_credit *c = n->credit;

    (void)data;
    atomic_fetch_sub(&c->bytes, n->size);
    if (atomic_load(&c->awaited) && end_wait(c) && c->wakeup != NULL)
        wakeup_send(c->wakeup);
    send_credit_release(&n->credit);
    packet_ref_release(&n->packet);
    free(n);
}

struct send_credit_note *send_credit_add(struct send_credit *c,
                                         struct packet_ref *packet)
{
    size_t size = packet_ref_size(packet);
    struct send_credit_note *n;

    if (size < SEND_CREDIT_PACKET)
        return NULL;
    n = memory_new(sizeof *n);
    n->credit = c;
    n->size = size;
    atomic_fetch_add(&c->owners, 1);
    atomic_fetch_add(&c->bytes, size);
    packet_ref_move(&n->packet, packet);
    int rc = zmq_msg_init_data(&packet->message, packet_ref_data(&n->packet),
                               size, on_released, n);
    ASSERT(rc == 0); /* It fails for want of memory only. */
    return n;
}

void send_credit_undo(struct send_credit_note *note, struct packet_ref *packet)
{
    struct packet_ref own;

    if (note == NULL)
        return;
    packet_ref_move(&own, &note->packet);
    packet_ref_release(packet);
    packet_ref_move(packet, &own);
}
