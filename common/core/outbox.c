#include "common/core/outbox.h"

#include "common/base/memory.h"

#include <stdlib.h>

/* So many entries an empty outbox keeps, at the most. */
enum { ENTRIES_KEPT = 4096 };

void outbox_init(struct outbox *o, size_t limit_bytes, struct slabs *slabs)
{
    *o = (struct outbox){
        .base = 1, .next = 1, .fresh = 1, .limit = limit_bytes, .slabs = slabs};
}

void outbox_close(struct outbox *o)
{
    while (o->oldest != NULL) {
        struct slab *slab = o->oldest;
        o->oldest = slab->newer;
        slabs_give(o->slabs, slab);
    }
    free(o->entries);
    *o = (struct outbox){0};
}

bool outbox_has_room(const struct outbox *o, size_t size)
{
    return o->bytes == 0 || (size <= o->limit && o->bytes <= o->limit - size);
}

/* --- putting in ----------------------------------------------------------- */

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

static struct slab *slab_with_room(struct outbox *o, size_t size)
{
    struct slab *slab = o->newest;
    if (slab != NULL && sizeof slab->data - slab->used >= size)
        return slab;
    slab = slabs_take(o->slabs);
    if (o->newest != NULL)
        o->newest->newer = slab;
    else
        o->oldest = slab;
    o->newest = slab;
    return slab;
}

/* The part of a message that goes into one record. */
static void put_part(struct outbox *o, const struct message *m, size_t done,
                     const struct data_record *record, size_t size,
                     uint64_t ref)
{
    struct slab *slab = slab_with_room(o, size + RECORD_DATA_OVERHEAD);
    struct writer w =
        writer_of(slab->data + slab->used, sizeof slab->data - slab->used);
    data_record_begin(record, size, &w);
    message_encode_part(m, done, size, &w);
    ASSERT(writer_ok(&w));
    size_t written = writer_bytes(&w).size;
    if (o->count == o->capacity)
        grow(o);
    *entry_at(o, o->base + o->count) = (struct outbox_entry){
        .slab = slab,
        .ref = ref,
        .at = (uint32_t)slab->used,
        .size = (uint32_t)written,
        .first = record->first,
        .last = record->last,
    };
    o->count++;
    o->bytes += written;
    slab->used += written;
    slab->records++;
}

void outbox_put(struct outbox *o, const struct message *m, uint64_t ref)
{
    size_t total = message_size(m);
    size_t done = 0;
    while (done < total) {
        size_t left = total - done;
        size_t size = left < RECORD_FRAGMENT_SIZE ? left : RECORD_FRAGMENT_SIZE;
        struct data_record record = {
            .next = true,
            .first = done == 0,
            .last = size == left,
            .total = total,
        };
        put_part(o, m, done, &record, size, ref);
        done += size;
    }
}

/* --- sending -------------------------------------------------------------- */

bool outbox_has_next(const struct outbox *o, size_t window)
{
    if (o->next == o->base + o->count)
        return false;
    /* One record may always fly, else a window smaller than it would stall. */
    return o->flying_bytes == 0 ||
           o->flying_bytes + entry_at(o, o->next)->size <= window;
}

size_t outbox_unsent(const struct outbox *o)
{
    return o->bytes - o->flying_bytes + varint_size(o->next);
}

/* The first record of a packet, which says its number. */
static bool write_first(struct outbox *o, size_t room, struct writer *w)
{
    const struct outbox_entry *e = entry_at(o, o->next);
    if (e->size + varint_size(o->next) > room)
        return false;
    data_record_number(bytes_of(e->slab->data + e->at, e->size), o->next, w);
    o->flying_bytes += e->size;
    o->next++;
    return true;
}

/* Takes the next records that fit and lie in a row. */
static struct bytes take_row(struct outbox *o, size_t room, size_t window)
{
    const struct outbox_entry *e = entry_at(o, o->next);
    const struct slab *slab = e->slab;
    struct bytes row = bytes_of(slab->data + e->at, 0);
    size_t may_fly = window > o->flying_bytes ? window - o->flying_bytes : 0;
    size_t most = room < may_fly ? room : may_fly;
    uint64_t end = o->base + o->count;
    while (o->next < end && e->slab == slab && row.size + e->size <= most) {
        row.size += e->size;
        e = entry_at(o, ++o->next);
    }
    o->flying_bytes += row.size;
    return row;
}

struct outbox_written outbox_write(struct outbox *o, size_t room, size_t window,
                                   struct writer *w)
{
    uint64_t first = o->next, fresh = o->fresh;
    const uint8_t *end = w->at + room;
    if (!outbox_has_next(o, window) || !write_first(o, room, w))
        return (struct outbox_written){0};
    while (outbox_has_next(o, window)) {
        struct bytes row = take_row(o, (size_t)(end - w->at), window);
        if (row.size == 0)
            break;
        write_bytes(w, row);
    }
    if (o->fresh < o->next)
        o->fresh = o->next;
    uint64_t old = fresh < o->next ? fresh : o->next;
    return (struct outbox_written){.records = o->next - first,
                                   .again = old > first ? old - first : 0};
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

/* --- done ----------------------------------------------------------------- */

/* Entries go oldest first, and so do slabs. */
static void release(struct outbox *o, struct slab *slab)
{
    if (--slab->records > 0)
        return;
    o->oldest = slab->newer;
    if (o->newest == slab)
        o->newest = NULL;
    slabs_give(o->slabs, slab);
}

static void shrink(struct outbox *o)
{
    if (o->count > 0 || o->capacity <= ENTRIES_KEPT)
        return;
    free(o->entries);
    o->entries = NULL;
    o->capacity = 0;
}

static struct outbox_entry drop_first(struct outbox *o)
{
    struct outbox_entry e = *entry_at(o, o->base);
    if (o->base < o->next)
        o->flying_bytes -= e.size;
    else
        o->next++;
    o->base++;
    if (o->fresh < o->base)
        o->fresh = o->base;
    o->count--;
    o->bytes -= e.size;
    release(o, e.slab);
    shrink(o);
    return e;
}

bool outbox_acknowledge(struct outbox *o, uint64_t cumulative, uint64_t *ref)
{
    while (o->base < o->fresh && o->base <= cumulative) {
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
        bool sent = o->base < o->fresh;
        if (!all && !sent && entry_at(o, o->base)->first)
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
    o->fresh = 1;
    o->flying_bytes = 0;
}
