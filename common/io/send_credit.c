#include "common/io/send_credit.h"

#include "common/base/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct send_credit {
    size_t limit;
    struct bell *bell;    /* or NULL */
    atomic_size_t owners; /* the connection, and each note */
    atomic_size_t bytes;
    atomic_bool awaited; /* somebody found it full */
};

/* What libzmq gives back with a packet. */
struct note {
    struct send_credit *held;
    size_t size;
    zmq_msg_t packet;
};

struct send_credit *send_credit_new(size_t limit, struct bell *bell)
{
    struct send_credit *h = memory_new(sizeof *h);

    h->limit = limit;
    h->bell = bell;
    atomic_init(&h->owners, 1);
    atomic_init(&h->bytes, 0);
    atomic_init(&h->awaited, false);
    if (bell != NULL)
        bell_hold(bell);
    return h;
}

void send_credit_release(struct send_credit **self)
{
    struct send_credit *h = *self;

    *self = NULL;
    if (h == NULL || atomic_fetch_sub(&h->owners, 1) != 1)
        return;
    if (h->bell != NULL)
        bell_release(h->bell);
    free(h);
}

/* True for one who asks once half is back. */
static bool end_wait(struct send_credit *h)
{
    return atomic_load(&h->bytes) <= h->limit / 2 &&
           atomic_exchange(&h->awaited, false);
}

bool send_credit_has_room(struct send_credit *h)
{
    if (atomic_load(&h->bytes) < h->limit)
        return true;
    /* What came back before this was said rang for nobody. */
    atomic_store(&h->awaited, true);
    return end_wait(h);
}

size_t send_credit_bytes(const struct send_credit *h)
{
    return atomic_load(&h->bytes);
}

/* On one of libzmq's threads, or where a packet is taken back. */
static void on_done(void *data, void *hint)
{
    struct note *n = hint;
    struct send_credit *h = n->held;

    (void)data;
    atomic_fetch_sub(&h->bytes, n->size);
    if (atomic_load(&h->awaited) && end_wait(h) && h->bell != NULL)
        bell_ring(h->bell);
    send_credit_release(&n->held);
    zmq_msg_close(&n->packet);
    free(n);
}

/* NULL: it is small. */
static struct note *add(struct send_credit *h, zmq_msg_t *packet)
{
    size_t size = zmq_msg_size(packet);
    struct note *n;

    if (size < SEND_CREDIT_PACKET)
        return NULL;
    n = memory_new(sizeof *n);
    n->held = h;
    n->size = size;
    atomic_fetch_add(&h->owners, 1);
    atomic_fetch_add(&h->bytes, size);
    zmq_msg_init(&n->packet);
    zmq_msg_move(&n->packet, packet);
    int rc =
        zmq_msg_init_data(packet, zmq_msg_data(&n->packet), size, on_done, n);
    ASSERT(rc == 0); /* It fails for want of memory only. */
    return n;
}

void send_credit_add(struct send_credit *h, zmq_msg_t *packet)
{
    (void)add(h, packet);
}

int send_credit_send(struct send_credit *h, struct zsocket *s,
                     zmq_msg_t *packet)
{
    struct note *n = add(h, packet);
    zmq_msg_t own;

    if (zsocket_send(s, packet, 0) >= 0)
        return 0;
    if (n == NULL)
        return -1;
    int error = errno;
    zmq_msg_init(&own);
    zmq_msg_move(&own, &n->packet);
    zmq_msg_close(packet);
    zmq_msg_init(packet);
    zmq_msg_move(packet, &own);
    errno = error;
    return -1;
}
