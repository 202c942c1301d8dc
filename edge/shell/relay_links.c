#include "edge/shell/relay_links.h"

#include "common/base/memory.h"
#include "common/io/processor.h"
#include "edge/shell/relay_link.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- Rooms */

struct relay_room *relay_room_take(struct relay_links *all)
{
    struct relay_room *room = all->spare;

    if (room != NULL)
        all->spare = NULL;
    else
        room = memory_try(NULL, 1, sizeof *room);
    if (room != NULL)
        room->first = room->end = 0;
    return room;
}

void relay_room_drop(struct relay_link *l)
{
    if (l->room == NULL)
        return;
    l->room->next = l->all->used;
    l->all->used = l->room;
    l->room = NULL;
}

static void empty_rooms(struct relay_links *all)
{
    struct relay_room *room;

    while ((room = all->used) != NULL) {
        all->used = room->next;
        if (all->spare == NULL)
            all->spare = room;
        else
            free(room);
    }
}

/* ---- Turns */

void relay_links_kick(const struct relay_links *all)
{
    if (!all->in_turn)
        zloop_kick(all->links->events->zloop);
}

void relay_links_read(struct relay_links *all)
{
    struct relay_link *l, *next;

    all->in_turn = true;
    for (l = all->first; l != NULL; l = next) {
        next = l->next;
        if (l->carried)
            relay_link_read(l);
    }
}

/* A link that was not read to the end is read on in the turn that follows. */
static void flush(struct relay_link *l)
{
    relay_link_settle(l);
    relay_link_flush(l);
    if (l->began && l->hungry && !l->stuffed)
        relay_links_kick(l->all);
}

void relay_links_flush(struct relay_links *all)
{
    all->in_turn = false;
    for (struct relay_link *l = all->first; l != NULL; l = l->next)
        if (l->carried)
            flush(l);
    empty_rooms(all);
}

/* ---- Opening and closing */

void relay_links_connect(struct relay_links *all, uint32_t id,
                         const struct curve_pair *keys,
                         const struct curve_key *server,
                         const struct relay_way *way)
{
    struct relay_link *l = memory_new(sizeof *l);

    l->all = all;
    l->server = *server;
    l->next = all->first;
    if (l->next != NULL)
        l->next->previous = l;
    all->first = l;
    all->handles++;
    uv_timer_init(all->links->events->zloop->loop, &l->timer);
    l->timer.data = l;
    relay_link_start(l, id, keys, way);
}

struct relay_links *relay_links_open(struct link_table *links,
                                     relay_pipe_maker *make)
{
    struct relay_links *all = memory_new(sizeof *all);
    uint8_t seed[32];

    all->links = links;
    all->make = make;
    randombytes_buf(seed, sizeof seed);
    entropy_init(&all->entropy, seed);
    sodium_memzero(seed, sizeof seed);
    all->mac = one_time_mac_new();
    all->wide = processor_is_wide();
    return all;
}

static void free_all(struct relay_links *all)
{
    empty_rooms(all);
    free(all->spare);
    one_time_mac_free(&all->mac);
    sodium_memzero(all, sizeof *all);
    free(all);
}

void relay_links_freed(struct relay_links *all)
{
    all->handles--;
    if (all->closed && all->handles == 0)
        free_all(all);
}

void relay_links_close(struct relay_links **self)
{
    struct relay_links *all = *self;
    struct relay_link *l, *next;

    if (all == NULL)
        return;
    *self = NULL;
    all->closed = true;
    for (l = all->first; l != NULL; l = next) {
        next = l->next;
        if (l->carried)
            relay_link_leave(l);
    }
    if (all->handles == 0)
        free_all(all);
}
