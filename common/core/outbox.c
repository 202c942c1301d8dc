#include "common/core/outbox.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(RECORD_DATA_OVERHEAD + RECORD_FRAGMENT_SIZE <=
                   SLAB_END - SLAB_FRONT,
               "a slab must hold any record");

/* An empty outbox keeps at most this many entries allocated. */
enum { ENTRIES_KEPT = 4096 };

void outbox_init(struct outbox *o, size_t limit_bytes, struct slabs *slabs)
{
    *o = (struct outbox){.base = 1,
                         .next = 1,
                         .first_unsent = 1,
                         .limit = limit_bytes,
                         .slabs = slabs};
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
    return &o->entries[(sequence + o->ring_offset) & (o->capacity - 1)];
}

/* A record's ring index depends on the capacity, so growing moves the entries.
 */
static bool grow(struct outbox *o, size_t need)
{
    size_t capacity = o->capacity == 0 ? 64 : 2 * o->capacity;
    while (capacity < need)
        capacity *= 2;
    struct outbox_entry *entries = memory_try(NULL, capacity, sizeof *entries);
    if (entries == NULL)
        return false;
    for (uint64_t s = o->base; s < o->base + o->count; s++)
        entries[(s + o->ring_offset) & (capacity - 1)] = *entry_at(o, s);
    free(o->entries);
    o->entries = entries;
    o->capacity = capacity;
    return true;
}

/* Allocates everything that the message needs before the first byte is copied.
 */
static bool make_room(struct outbox *o, size_t total)
{
    size_t parts = (total + RECORD_FRAGMENT_SIZE - 1) / RECORD_FRAGMENT_SIZE;
    const struct slab *slab = o->newest;
    if (o->count + parts > o->capacity && !grow(o, o->count + parts))
        return false;
    if (parts == 1 && slab != NULL &&
        sizeof slab->bytes - slab->used >= total + RECORD_DATA_OVERHEAD)
        return true;
    return slabs_want(o->slabs, parts);
}

static struct slab *slab_with_room(struct outbox *o, size_t size)
{
    struct slab *slab = o->newest;
    if (slab != NULL && sizeof slab->bytes - slab->used >= size)
        return slab;
    slab = slabs_take(o->slabs);
    if (o->newest != NULL)
        o->newest->newer = slab;
    else
        o->oldest = slab;
    o->newest = slab;
    return slab;
}

/* Encodes the part of a message that goes into one record. */
static void put_part(struct outbox *o, const struct message *m, size_t done,
                     const struct data_record *record, size_t size,
                     uint64_t ref)
{
    struct slab *slab = slab_with_room(o, size + RECORD_DATA_OVERHEAD);
    struct writer w =
        writer_of(slab->bytes + slab->used, sizeof slab->bytes - slab->used);
    data_record_begin(record, size, &w);
    message_encode_part(m, done, size, &w);
    ASSERT(writer_ok(&w));
    size_t written = writer_bytes(&w).size;
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

bool outbox_put(struct outbox *o, const struct message *m, uint64_t ref)
{
    size_t total = message_size(m);
    size_t done = 0;
    if (!make_room(o, total))
        return false;
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
    return true;
}

/* --- sending -------------------------------------------------------------- */

bool outbox_has_next(const struct outbox *o, size_t window)
{
    if (o->next == o->base + o->count)
        return false;
    /* One record may always be in flight, else a window smaller than the record
     * would stall the session. */
    return o->in_flight_bytes == 0 ||
           o->in_flight_bytes + entry_at(o, o->next)->size <= window;
}

size_t outbox_unsent(const struct outbox *o)
{
    return o->bytes - o->in_flight_bytes + varint_size(o->next);
}

static void pass(struct outbox *o, struct outbox_row *row)
{
    row->size += entry_at(o, o->next)->size;
    row->records++;
    o->next++;
}

struct outbox_row outbox_take(struct outbox *o, size_t room, size_t window)
{
    struct outbox_row row = {.sequence = o->next};
    size_t number = varint_size(o->next); /* the first record says its number */
    uint64_t unsent = o->first_unsent, end = o->base + o->count;
    if (!outbox_has_next(o, window))
        return row;
    row.first = entry_at(o, o->next);
    row.slab = row.first->slab;
    if (row.first->size + number > room)
        return row;
    size_t allowed =
        window > o->in_flight_bytes ? window - o->in_flight_bytes : 0;
    size_t most = room - number < allowed ? room - number : allowed;
    do {
        pass(o, &row);
    } while (o->next < end && entry_at(o, o->next)->slab == row.slab &&
             row.size + entry_at(o, o->next)->size <= most);
    o->in_flight_bytes += row.size;
    if (o->first_unsent < o->next)
        o->first_unsent = o->next;
    uint64_t old = unsent < o->next ? unsent : o->next;
    row.resent = old > row.sequence ? old - row.sequence : 0;
    return row;
}

/* The records without the first byte of the first one. */
static struct bytes rest_of(const struct outbox_row *row)
{
    return bytes_of(row->slab->bytes + row->first->at + 1, row->size - 1);
}

/* Writes the first record's first byte and number. It reads no byte of the
 * slab, for outbox_row_join may have overwritten the first byte with the
 * number. */
static void write_number(const struct outbox_row *row, struct writer *w)
{
    data_record_number(&(struct data_record){.sequence = row->sequence,
                                             .first = row->first->first,
                                             .last = row->first->last},
                       w);
}

void outbox_row_write(const struct outbox_row *row, struct writer *w)
{
    if (row->records == 0)
        return;
    write_number(row, w);
    write_bytes(w, rest_of(row));
}

bool outbox_is_at_front(const struct outbox *o, size_t size)
{
    if (o->next == o->base + o->count)
        return false;
    const struct outbox_entry *e = entry_at(o, o->next);
    return e->at == SLAB_FRONT && e->slab->used - e->at >= size &&
           !block_is_shared(&e->slab->block);
}

struct bytes outbox_row_join(const struct outbox_row *row, struct bytes prefix)
{
    uint8_t number[1 + 10];
    struct writer w = writer_of(number, sizeof number);
    struct bytes rest = rest_of(row);
    write_number(row, &w);
    struct bytes head = writer_bytes(&w);
    ASSERT(row->first->at == SLAB_FRONT && prefix.size <= OUTBOX_PREFIX_SIZE);
    uint8_t *at = row->slab->bytes + SLAB_FRONT + 1 - head.size - prefix.size;
    memcpy(at, prefix.data, prefix.size);
    memcpy(at + prefix.size, head.data, head.size);
    return bytes_of(at, prefix.size + head.size + rest.size);
}

bool outbox_is_waiting(const struct outbox *o)
{
    return o->next > o->base;
}

void outbox_rewind(struct outbox *o)
{
    o->next = o->base;
    o->in_flight_bytes = 0;
}

/* --- acknowledged ----------------------------------------------------------
 */

/* Entries are freed oldest first, and so are slabs. */
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
        o->in_flight_bytes -= e.size;
    else
        o->next++;
    o->base++;
    if (o->first_unsent < o->base)
        o->first_unsent = o->base;
    o->count--;
    o->bytes -= e.size;
    release(o, e.slab);
    shrink(o);
    return e;
}

bool outbox_acknowledge(struct outbox *o, uint64_t cumulative, uint64_t *ref)
{
    while (o->base < o->first_unsent && o->base <= cumulative) {
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
    /* If the peer acknowledged only the first records of a message, the message
     * begins with a later one. */
    while (o->count > 0) {
        bool sent = o->base < o->first_unsent;
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
    o->ring_offset += o->base - 1;
    o->base = 1;
    o->next = 1;
    o->first_unsent = 1;
    o->in_flight_bytes = 0;
}
