#include "edge/shell/backlog.h"

#include "common/base/memory.h"

#include <stdlib.h>

void backlog_close(struct backlog *b)
{
    while (!backlog_is_empty(b))
        backlog_drop(b);
    free(b->packets);
    *b = (struct backlog){0};
}

bool backlog_is_empty(const struct backlog *b)
{
    return b->first == b->count;
}

bool backlog_add(struct backlog *b, zmq_msg_t *m)
{
    size_t cost = zmq_msg_size(m) + sizeof *m;

    if (b->bytes + cost > BACKLOG_BYTES)
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

zmq_msg_t *backlog_first(struct backlog *b)
{
    return &b->packets[b->first];
}

void backlog_drop(struct backlog *b)
{
    zmq_msg_close(&b->packets[b->first++]);
    if (backlog_is_empty(b)) {
        b->first = 0;
        b->count = 0;
        b->bytes = 0;
    }
}
