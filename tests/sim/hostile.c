/*
 * hostile - a member of the mesh that sends nonsense: the packets that it sends
 * are cut, changed, doubled or replaced by earlier ones. No node may crash, and
 * between the others everything must work as ever. A hostile relay can keep
 * nodes apart, but never damage, double or invent a message.
 */
#include "tests/sim/hostile.h"

#include "common/base/memory.h"

#include <stdlib.h>

enum { REMEMBERED = 16 };

struct hostile {
    int host;
    struct {
        uint8_t *data;
        size_t size;
    } said[REMEMBERED];
    uint8_t room[2 * PACKET_SIZE];
};

struct hostile *hostile_new(int host)
{
    struct hostile *h = memory_new(sizeof(*h));

    h->host = host;
    return h;
}

void hostile_free(struct hostile *h)
{
    if (h == NULL)
        return;
    for (int i = 0; i < REMEMBERED; i++)
        free(h->said[i].data);
    free(h);
}

bool hostile_is(const struct world *w, int host)
{
    return w->hostile != NULL && w->hostile->host == host;
}

static void remember(struct world *w, struct bytes bytes)
{
    uint64_t i = rng_below(&w->rng, REMEMBERED);

    free(w->hostile->said[i].data);
    w->hostile->said[i].data = memory_copy(bytes.data, bytes.size);
    w->hostile->said[i].size = bytes.size;
}

static uint8_t odd_byte(struct world *w)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff};

    if (rng_chance(&w->rng, 50))
        return (uint8_t)rng_u64(&w->rng);
    return odd[rng_below(&w->rng, sizeof(odd))];
}

static struct bytes changed(struct world *w, struct bytes bytes)
{
    uint8_t *room = w->hostile->room;
    size_t size = bytes.size, at;

    memcpy(room, bytes.data, size);
    at = (size_t)rng_below(&w->rng, size);
    switch (rng_below(&w->rng, 4)) {
    case 0: /* Most fields are at the beginning. */
        at = (size_t)rng_below(&w->rng, size < 40 ? size : 40);
        room[at] = odd_byte(w);
        return bytes_of(room, size);
    case 1:
        room[at] ^= (uint8_t)(1 << rng_below(&w->rng, 8));
        return bytes_of(room, size);
    case 2:
        return bytes_of(room, at + 1);
    default:
        memcpy(room + size, bytes.data + at, size - at);
        size += size - at;
        return bytes_of(room, size < PACKET_SIZE ? size : PACKET_SIZE);
    }
}

struct bytes hostile_words(struct world *w, int from, struct bytes bytes)
{
    uint64_t i = 0;

    if (!hostile_is(w, from) || bytes.size > PACKET_SIZE)
        return bytes;
    remember(w, bytes);
    if (!rng_chance(&w->rng, 25))
        return bytes;
    i = rng_below(&w->rng, REMEMBERED);
    if (rng_chance(&w->rng, 20) && w->hostile->said[i].data != NULL)
        return bytes_of(w->hostile->said[i].data, w->hostile->said[i].size);
    return changed(w, bytes);
}
