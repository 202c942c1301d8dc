#include "edge/shell/api_internal.h"

#include <malloc.h>

enum { GIVE_BACK = 4 * 1024 * 1024 };

static void set_held(struct client *c, size_t held)
{
    c->api->held += held - c->held;
    c->held = held;
}

void memory_count(struct client *c)
{
    set_held(c, c->in.capacity + c->todo.capacity + c->out.capacity +
                    c->pending.bytes);
}

/* glibc keeps freed memory below newer blocks, unless malloc_trim is called. */
void memory_forget(struct client *c)
{
    struct api *a = c->api;

    a->freed += c->held;
    set_held(c, 0);
    if (a->freed >= GIVE_BACK)
        clients_awake(a);
}

void memory_give_back(struct api *a)
{
    if (a->freed < GIVE_BACK)
        return;
    a->freed = 0;
    malloc_trim(0);
}

/* A quarter of what is left, so that any number of shares never takes all. A
 * small share for each client is reserved. */
size_t memory_share(const struct api *a)
{
    size_t most = a->memory / 4 * 3;
    size_t left = most > a->held ? most - a->held : 0;
    size_t least = a->memory / (16 * API_CLIENTS);

    return left / 4 > least ? left / 4 : least;
}
