#include "common/core/outbox.h"

#include "common/base/memory.h"

#include <stdlib.h>

enum { SLAB_SIZE = 64 * 1024 };

struct outbox_slab {
    struct outbox_slab *newer;
    size_t size;
    size_t used;
    size_t entries; /* that point into it */
    uint8_t data[];
};

void outbox_init(struct outbox *o, size_t limit_bytes)
{
    *o = (struct outbox){.base = 1, .next = 1, .limit = limit_bytes};
}

static void free_slabs(struct outbox_slab *slab)
{
    while (slab != NULL) {
        struct outbox_slab *newer = slab->newer;
        free(slab);
        slab = newer;
    }
}

void outbox_close(struct outbox *o)
{
    free_slabs(o->oldest);
    free_slabs(o->spare);
    free(o->entries);
    *o = (struct outbox){0};
}

bool outbox_has_room(const struct outbox *o, size_t size)
{
    return o->bytes == 0 || (size <= o->limit && o->bytes <= o->limit - size);
}

static struct outbox_slab *new_slab(struct outbox *o, size_t size)
{
    struct outbox_slab *slab = o->spare;
    if (slab != NULL && slab->size >= size) {
        o->spare = slab->newer;
    } else {
        size_t room = size > SLAB_SIZE ? size : SLAB_SIZE;
        slab = memory_resize(NULL, 1, sizeof *slab + room);
        slab->size = room;
    }
    slab->newer = NULL;
    slab->used = 0;
    slab->entries = 0;
    return slab;
}

/* Takes an emptied slab out of the chain: it is the oldest. */
static void retire(struct outbox *o, struct outbox_slab *slab)
{
    o->oldest = slab->newer;
    if (o->newest == slab)
        o->newest = NULL;
    if (slab->size == SLAB_SIZE && o->spare == NULL) {
        slab->newer = NULL;
        o->spare = slab;
    } else {
        free(slab);
    }
}

uint8_t *outbox_reserve(struct outbox *o, size_t size)
{
    struct outbox_slab *slab = o->newest;
    if (slab != NULL && slab->entries == 0 && slab->size < size) {
        retire(o, slab);
        slab = NULL;
    }
    if (slab == NULL || slab->size - slab->used < size) {
        slab = new_slab(o, size);
        if (o->newest != NULL)
            o->newest->newer = slab;
        else
            o->oldest = slab;
        o->newest = slab;
    }
    return slab->data + slab->used;
}

static struct outbox_entry *entry_at(const struct outbox *o, uint64_t sequence)
{
    return &o->entries[sequence & (o->capacity - 1)];
}

/* The ring's index is the sequence itself, so growing moves the entries. */
static void grow(struct outbox *o)
{
    size_t capacity = o->capacity == 0 ? 64 : 2 * o->capacity;
    struct outbox_entry *entries = memory_array(capacity, sizeof *entries);
    for (uint64_t s = o->base; s < o->base + o->count; s++)
        entries[s & (capacity - 1)] = *entry_at(o, s);
    free(o->entries);
    o->entries = entries;
    o->capacity = capacity;
}

void outbox_commit(struct outbox *o, size_t size, uint64_t ref)
{
    struct outbox_slab *slab = o->newest;
    size_t done = 0;
    while (done < size) {
        size_t left = size - done;
        size_t part = left < OUTBOX_FRAGMENT_SIZE ? left : OUTBOX_FRAGMENT_SIZE;
        if (o->count == o->capacity)
            grow(o);
        *entry_at(o, o->base + o->count) = (struct outbox_entry){
            .slab = slab,
            .data = slab->data + slab->used + done,
            .size = (uint32_t)part,
            .total = (uint32_t)size,
            .first = done == 0,
            .last = part == left,
            .ref = ref,
        };
        o->count++;
        slab->entries++;
        done += part;
    }
    slab->used += size;
    o->bytes += size;
}

bool outbox_has_next(const struct outbox *o, size_t window)
{
    if (o->next == o->base + o->count)
        return false;
    /* One record may always fly, else a window smaller than it would stall. */
    return o->flying_bytes == 0 ||
           o->flying_bytes + entry_at(o, o->next)->size <= window;
}

bool outbox_next(struct outbox *o, size_t room, size_t window,
                 struct data_record *record, bool *again)
{
    if (!outbox_has_next(o, window))
        return false;
    struct outbox_entry *e = entry_at(o, o->next);
    if (e->size + RECORD_DATA_OVERHEAD > room)
        return false;
    *record = (struct data_record){
        .sequence = o->next,
        .first = e->first,
        .last = e->last,
        .total = e->total,
        .fragment = bytes_of(e->data, e->size),
    };
    *again = e->sent;
    e->sent = true;
    o->flying_bytes += e->size;
    o->next++;
    return true;
}

bool outbox_is_waiting(const struct outbox *o)
{
    return o->next > o->base;
}

void outbox_rewind(struct outbox *o)
{
    o->next = o->base;
    o->flying_bytes = 0;
}

/* Entries go oldest first, and so do slabs; the newest is used again. */
static void release(struct outbox *o, struct outbox_slab *slab)
{
    if (--slab->entries > 0)
        return;
    if (slab == o->newest && slab->size == SLAB_SIZE)
        slab->used = 0;
    else
        retire(o, slab);
}

static struct outbox_entry drop_first(struct outbox *o)
{
    struct outbox_entry e = *entry_at(o, o->base);
    if (o->base < o->next)
        o->flying_bytes -= e.size;
    else
        o->next++;
    o->base++;
    o->count--;
    o->bytes -= e.size;
    release(o, e.slab);
    return e;
}

bool outbox_acknowledge(struct outbox *o, uint64_t cumulative, uint64_t *ref)
{
    while (o->count > 0 && o->base <= cumulative &&
           entry_at(o, o->base)->sent) {
        struct outbox_entry e = drop_first(o);
        if (e.last) {
            *ref = e.ref;
            return true;
        }
    }
    return false;
}

bool outbox_forget(struct outbox *o, bool all, uint64_t *ref)
{
    /* A message whose first records were acknowledged begins in its middle. */
    while (o->count > 0) {
        struct outbox_entry *first = entry_at(o, o->base);
        if (!all && !first->sent && first->first)
            return false;
        struct outbox_entry e;
        do {
            e = drop_first(o);
        } while (!e.last);
        *ref = e.ref;
        return true;
    }
    return false;
}

void outbox_renumber(struct outbox *o)
{
    struct outbox_entry *entries = NULL;
    if (o->capacity > 0) {
        entries = memory_array(o->capacity, sizeof *entries);
        for (size_t i = 0; i < o->count; i++)
            entries[(1 + i) & (o->capacity - 1)] = *entry_at(o, o->base + i);
    }
    free(o->entries);
    o->entries = entries;
    o->base = 1;
    o->next = 1;
    o->flying_bytes = 0;
}
