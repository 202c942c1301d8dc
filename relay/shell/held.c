#include "relay/shell/held.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "common/base/memory.h"

struct held {
    atomic_size_t owners; /* the connection, and each note */
    atomic_size_t bytes;
};

/* What libzmq gives back with a packet. */
struct note {
    struct held *held;
    zmq_msg_t packet;
};

struct held *held_new(void)
{
    struct held *h = memory_new(sizeof *h);
    atomic_init(&h->owners, 1);
    atomic_init(&h->bytes, 0);
    return h;
}

void held_release(struct held **self)
{
    struct held *h = *self;
    *self = NULL;
    if (h && atomic_fetch_sub(&h->owners, 1) == 1)
        free(h);
}

bool held_has_room(const struct held *h)
{
    return atomic_load(&h->bytes) < HELD_BYTES;
}

/* On one of libzmq's threads. */
static void on_done(void *data, void *hint)
{
    struct note *n = hint;
    (void)data;
    atomic_fetch_sub(&n->held->bytes, zmq_msg_size(&n->packet));
    held_release(&n->held);
    zmq_msg_close(&n->packet);
    free(n);
}

void held_add(struct held *h, zmq_msg_t *packet)
{
    size_t size = zmq_msg_size(packet);
    if (size < HELD_PACKET)
        return;
    struct note *n = memory_new(sizeof *n);
    n->held = h;
    atomic_fetch_add(&h->owners, 1);
    atomic_fetch_add(&h->bytes, size);
    zmq_msg_init(&n->packet);
    zmq_msg_move(&n->packet, packet);
    int rc =
        zmq_msg_init_data(packet, zmq_msg_data(&n->packet), size, on_done, n);
    ASSERT(rc == 0); /* It fails for want of memory only. */
}
