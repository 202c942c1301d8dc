/*
 * tickets - short names for the messages and pings that the node reports on.
 *
 * A ticket's name is an index, so a report finds its ticket without a search. A
 * ticket belongs to an operation, or to a message that needs none: its note is
 * all that the owner wants to know again.
 */
#ifndef EDGE_SHELL_TICKETS_H
#define EDGE_SHELL_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/assert.h"

struct operation; /* operations.h */

/* The owner's own, for a message without an operation. */
struct ticket_note {
    void (*callback)(void); /* of any type: the owner casts it back */
    void *context;
    size_t size;
};

struct ticket {
    bool used;
    uint32_t next;        /* of a free ticket */
    struct operation *op; /* NULL: none, or it ended before its report */
    struct ticket_note note;
};

struct tickets {
    struct ticket *list;
    uint32_t count;
    uint32_t free;
};

void tickets_init(struct tickets *t);
void tickets_close(struct tickets *t);
/* False: there is no memory. `note` may be NULL. */
bool tickets_take(struct tickets *t, struct operation *op,
                  const struct ticket_note *note, uint32_t *name) MUST_USE;
/* The name is free again; returns its ticket. */
struct ticket tickets_return(struct tickets *t, uint32_t name);

#endif
