#include "common/io/byte_queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

/* Less is not worth an allocation of its own. */
enum { FIRST_ROOM = 512 };

static size_t grown(size_t room, size_t needed)
{
    size_t more = room + room / 2;
    if (more < FIRST_ROOM)
        more = FIRST_ROOM;
    return more < needed ? needed : more;
}

static void move_to_front(struct byte_queue *q)
{
    memmove(q->data, q->data + q->first, byte_queue_size(q));
    q->end -= q->first;
    q->first = 0;
}

uint8_t *byte_queue_reserve(struct byte_queue *q, size_t size)
{
    if (q->room - q->end >= size)
        return q->data + q->end;
    /* Moving at most as many bytes as were taken keeps the cost for each byte
     * constant. */
    if (q->first > 0 && q->first >= byte_queue_size(q))
        move_to_front(q);
    if (q->room - q->end < size) {
        size_t room = grown(q->room, q->end + size);
        uint8_t *data = memory_try(q->data, room, 1);
        if (data == NULL)
            return NULL;
        q->data = data;
        q->room = room;
    }
    return q->data + q->end;
}

void byte_queue_took(struct byte_queue *q, size_t size)
{
    q->first += size;
    if (q->first == q->end)
        q->first = q->end = 0;
}

void byte_queue_free(struct byte_queue *q)
{
    free(q->data);
    *q = (struct byte_queue){0};
}
