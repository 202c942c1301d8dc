#include "edge/shell/tickets.h"

#include "common/base/memory.h"

#include <stdlib.h>

/* The index of a free ticket names the next one; the last free one, none. */
#define NO_TICKET UINT32_MAX
enum { FIRST_TICKETS = 256 };

void tickets_init(struct tickets *t)
{
    *t = (struct tickets){.free = NO_TICKET};
}

void tickets_close(struct tickets *t)
{
    free(t->list);
    tickets_init(t);
}

static bool grow(struct tickets *t)
{
    uint32_t count = t->count == 0 ? FIRST_TICKETS : 2 * t->count;
    struct ticket *list = memory_try(t->list, count, sizeof *list);

    if (list == NULL)
        return false;
    t->list = list;
    for (uint32_t i = t->count; i < count; i++)
        t->list[i] = (struct ticket){.next = i + 1 < count ? i + 1 : NO_TICKET};
    t->free = t->count;
    t->count = count;
    return true;
}

bool tickets_take(struct tickets *t, struct operation *op,
                  const struct ticket_note *note, uint32_t *name)
{
    if (t->free == NO_TICKET && !grow(t))
        return false;
    *name = t->free;
    t->free = t->list[*name].next;
    t->list[*name] = (struct ticket){.used = true, .op = op};
    if (note != NULL)
        t->list[*name].note = *note;
    return true;
}

struct ticket tickets_return(struct tickets *t, uint32_t name)
{
    ASSERT(name < t->count && t->list[name].used);
    struct ticket ticket = t->list[name];
    t->list[name] = (struct ticket){.next = t->free};
    t->free = name;
    return ticket;
}
