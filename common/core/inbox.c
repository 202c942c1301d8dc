#include "common/core/inbox.h"

#include "common/base/assert.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void inbox_init(struct inbox *in, size_t limit_bytes)
{
    *in = (struct inbox){.expected = 1, .limit = limit_bytes};
}

static void drop_message(struct inbox *in)
{
    free(in->message);
    in->message = NULL;
    in->size = 0;
    in->total = 0;
    in->capacity = 0;
    in->complete = false;
}

void inbox_close(struct inbox *in)
{
    drop_message(in);
}

uint64_t inbox_cumulative(const struct inbox *in)
{
    return in->expected - 1;
}

void inbox_begin(struct inbox *in, uint64_t sequence)
{
    drop_message(in);
    in->expected = sequence;
}

void inbox_pass(struct inbox *in)
{
    in->expected++;
}

/* Allocates for the bytes that have come, not for the length that the sender
 * announced. False: there is no memory, and nothing changed. */
static bool append(struct inbox *in, struct bytes fragment, size_t total)
{
    size_t need = in->size + fragment.size;
    if (need > in->capacity) {
        size_t capacity = 2 * need < total ? 2 * need : total;
        uint8_t *message = memory_try(in->message, capacity, 1);
        if (message == NULL)
            return false;
        in->message = message;
        in->capacity = capacity;
    }
    ASSERT(in->message != NULL);
    memcpy(in->message + in->size, fragment.data, fragment.size);
    in->size = need;
    in->total = total;
    return true;
}

static bool fits(const struct inbox *in, const struct data_record *r)
{
    if (r->fragment.size == 0)
        return false;
    if (r->first)
        return in->message == NULL && r->total >= r->fragment.size &&
               r->total <= in->limit &&
               r->last == (r->total == r->fragment.size);
    size_t size = in->size + r->fragment.size;
    return in->message != NULL && size <= in->total &&
           r->last == (size == in->total);
}

enum inbox_verdict inbox_take(struct inbox *in, const struct data_record *r,
                              struct bytes *message)
{
    if (in->complete)
        drop_message(in);
    if (r->sequence < in->expected)
        return INBOX_DUPLICATE;
    if (r->sequence > in->expected)
        return INBOX_GAP;
    if (!fits(in, r))
        return INBOX_VIOLATION;

    if (r->first && r->last) {
        in->expected++;
        *message = r->fragment;
        return INBOX_MESSAGE;
    }
    if (!append(in, r->fragment, r->first ? (size_t)r->total : in->total))
        return INBOX_GAP; /* As if the record had not come. */
    in->expected++;
    if (!r->last)
        return INBOX_TAKEN;
    in->complete = true;
    *message = bytes_of(in->message, in->size);
    return INBOX_MESSAGE;
}
