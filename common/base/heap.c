#include "common/base/heap.h"

#include "common/base/assert.h"
#include "common/base/memory.h"

#include <stdlib.h>

/* Indexes are 1-based: the parent of p is p / 2. */
static struct timer *at(const struct heap *h, size_t place)
{
    return h->timers[place - 1];
}

static void put(struct heap *h, size_t place, struct timer *t)
{
    h->timers[place - 1] = t;
    t->place = place;
}

static void sift_up(struct heap *h, struct timer *t)
{
    size_t place = t->place;

    while (place > 1 && at(h, place / 2)->at.us > t->at.us) {
        put(h, place, at(h, place / 2));
        place /= 2;
    }
    put(h, place, t);
}

static void sift_down(struct heap *h, struct timer *t)
{
    size_t place = t->place;

    while (2 * place <= h->count) {
        size_t child = 2 * place;

        if (child < h->count && at(h, child + 1)->at.us < at(h, child)->at.us)
            child++;
        if (at(h, child)->at.us >= t->at.us)
            break;
        put(h, place, at(h, child));
        place = child;
    }
    put(h, place, t);
}

void heap_close(struct heap *h)
{
    for (size_t place = 1; place <= h->count; place++)
        at(h, place)->place = 0;
    free(h->timers);
    *h = (struct heap){0};
}

static void append(struct heap *h, struct timer *t)
{
    if (h->count == h->capacity) {
        h->capacity = h->capacity == 0 ? 16 : 2 * h->capacity;
        h->timers = memory_resize(h->timers, h->capacity, sizeof(*h->timers));
    }
    h->count++;
    put(h, h->count, t);
}

void heap_set(struct heap *h, struct timer *t, struct instant at)
{
    if (instant_is_never(at)) {
        heap_remove(h, t);
        return;
    }
    t->at = at;
    if (t->place == 0)
        append(h, t);
    sift_up(h, t);
    sift_down(h, t);
}

void heap_remove(struct heap *h, struct timer *t)
{
    size_t place = t->place;
    struct timer *last;

    if (place == 0)
        return;
    ASSERT(place <= h->count && at(h, place) == t);
    last = at(h, h->count);
    h->count--;
    t->place = 0;
    if (last == t)
        return;
    put(h, place, last);
    sift_up(h, last);
    sift_down(h, last);
}

struct instant heap_deadline(const struct heap *h)
{
    return h->count == 0 ? INSTANT_NEVER : at(h, 1)->at;
}

struct timer *heap_due(struct heap *h, struct instant now)
{
    struct timer *t;

    if (h->count == 0 || !instant_reached(at(h, 1)->at, now))
        return NULL;
    t = at(h, 1);
    heap_remove(h, t);
    return t;
}
