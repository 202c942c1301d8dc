#include "edge/shell/send_queue.h"

#include "common/base/memory.h"

#include <stdlib.h>

void send_queue_close(struct send_queue *b)
{
    while (!send_queue_is_empty(b))
        send_queue_drop(b);
    free(b->packets);
    *b = (struct send_queue){0};
}

bool send_queue_is_empty(const struct send_queue *b)
{
    return b->first == b->count;
}

bool send_queue_add(struct send_queue *b, zmq_msg_t *m)
{
    size_t cost = zmq_msg_size(m) + sizeof *m;

    if (b->bytes + cost > SEND_QUEUE_BYTES)
        return false;
    if (b->count == b->capacity) {
        size_t capacity = b->capacity > 0 ? 2 * b->capacity : 16;
        zmq_msg_t *packets = memory_try(b->packets, capacity, sizeof *m);
        if (packets == NULL)
            return false;
        b->packets = packets;
        b->capacity = capacity;
    }
    zmq_msg_t *kept = &b->packets[b->count++];
    zmq_msg_init(kept);
    b->bytes += cost;
    zmq_msg_move(kept, m);
    return true;
}

zmq_msg_t *send_queue_first(struct send_queue *b)
{
    return &b->packets[b->first];
}

void send_queue_drop(struct send_queue *b)
{
    zmq_msg_close(&b->packets[b->first++]);
    if (send_queue_is_empty(b)) {
        b->first = 0;
        b->count = 0;
        b->bytes = 0;
    }
}
