#include "relay/core/hub_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

void hub_todos_init(struct hub_todos *t)
{
    *t = (struct hub_todos){0};
}

void hub_todos_clear(struct hub_todos *t)
{
    for (size_t i = 0; i < t->count; i++)
        shared_packet_release(&t->items[i].packet);
    t->count = 0;
    arena_clear(&t->arena);
}

void hub_todos_close(struct hub_todos *t)
{
    hub_todos_clear(t);
    free(t->items);
    arena_close(&t->arena);
    *t = (struct hub_todos){0};
}

struct hub_todo *hub_todos_add(struct hub_todos *t, enum hub_todo_kind kind,
                               uint64_t conn)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 16;
        t->items = memory_resize(t->items, t->capacity, sizeof *t->items);
    }
    struct hub_todo *todo = &t->items[t->count++];
    /* `log` is large, and zeroing it for each forwarded packet would cost too
     * much: only the kinds that use it do. */
    todo->kind = kind;
    todo->conn = conn;
    todo->bytes = (struct bytes){0};
    todo->packet = NULL;
    if (kind == HUB_LOG || kind == HUB_KEEP)
        memset(&todo->log, 0, sizeof todo->log);
    return todo;
}

struct writer hub_room(struct hub *h, size_t size)
{
    return writer_of(arena_take(&h->todos->arena, size), size);
}
