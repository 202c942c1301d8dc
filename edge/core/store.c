#include "edge/core/store.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { RING_FIRST = 256 * 1024, PACKETS_FIRST = 64 };

void store_init(struct store *s, size_t limit_bytes)
{
    *s = (struct store){.limit = limit_bytes};
}

void store_close(struct store *s)
{
    free(s->packets);
    free(s->ring);
    *s = (struct store){0};
}

bool store_has_room(const struct store *s, size_t size)
{
    return store_is_empty(s) ||
           (size <= s->limit && s->bytes <= s->limit - size);
}

struct store_packet *store_at(const struct store *s, uint64_t index)
{
    ASSERT(index >= s->base && index < s->next);
    return &s->packets[index & (s->capacity - 1)];
}

uint8_t *store_data(const struct store *s, const struct store_packet *p)
{
    return s->ring + p->offset;
}

static bool grow_packets(struct store *s, size_t need)
{
    size_t capacity = s->capacity == 0 ? PACKETS_FIRST : 2 * s->capacity;
    while (capacity < need)
        capacity *= 2;
    struct store_packet *packets = memory_try(NULL, capacity, sizeof(*packets));

    if (packets == NULL)
        return false;
    for (uint64_t i = s->base; i < s->next; i++)
        packets[i & (capacity - 1)] = *store_at(s, i);
    free(s->packets);
    s->packets = packets;
    s->capacity = capacity;
    return true;
}

/* The offset of `size` contiguous free bytes; SIZE_MAX: there are none. */
static size_t find_place(const struct store *s, size_t size)
{
    if (store_is_empty(s))
        return size <= s->ring_size ? 0 : SIZE_MAX;
    size_t tail = store_at(s, s->base)->offset;
    if (s->head <= tail)
        return size < tail - s->head ? s->head : SIZE_MAX;
    if (size <= s->ring_size - s->head)
        return s->head;
    return size < tail ? 0 : SIZE_MAX;
}

/* Copies all packets to a larger ring, with room for `size` bytes more. */
static bool grow_ring(struct store *s, size_t size)
{
    size_t ring_size = s->ring_size == 0 ? RING_FIRST : 2 * s->ring_size;
    while (ring_size < s->bytes + size)
        ring_size *= 2;
    uint8_t *ring = memory_try(NULL, ring_size, 1);
    size_t at = 0;

    if (ring == NULL)
        return false;
    for (uint64_t i = s->base; i < s->next; i++) {
        struct store_packet *p = store_at(s, i);
        memcpy(ring + at, store_data(s, p), p->size);
        p->offset = at;
        at += p->size;
    }
    free(s->ring);
    s->ring = ring;
    s->ring_size = ring_size;
    s->head = at;
    return true;
}

/* If all packets together fit in one contiguous range, each of them fits there,
 * or at the ring's end before it. */
bool store_want(struct store *s, size_t bytes, size_t packets)
{
    size_t count = (size_t)(s->next - s->base) + packets;

    return (count <= s->capacity || grow_packets(s, count)) &&
           (find_place(s, bytes) != SIZE_MAX || grow_ring(s, bytes));
}

struct store_packet *store_put(struct store *s, size_t size)
{
    bool room = s->next - s->base < s->capacity || grow_packets(s, 0);
    size_t place = find_place(s, size);
    if (place == SIZE_MAX) {
        room = room && grow_ring(s, size);
        place = s->head;
    }
    ASSERT(room); /* store_want made it. */
    s->head = place + size;
    s->bytes += size;
    s->next++;
    struct store_packet *p = store_at(s, s->next - 1);
    *p = (struct store_packet){
        .position = s->position, .size = size, .offset = place};
    s->position += size;
    return p;
}

/* Frees a ring that one large message made. */
static void shrink(struct store *s)
{
    if (s->ring_size <= 4 * s->limit)
        return;
    free(s->ring);
    s->ring = NULL;
    s->ring_size = 0;
}

void store_drop_first(struct store *s)
{
    s->bytes -= store_at(s, s->base)->size;
    s->base++;
    if (!store_is_empty(s))
        return;
    s->head = 0;
    shrink(s);
}
