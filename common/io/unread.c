#include "common/io/unread.h"

#include <stdlib.h>

void unread_init(struct unread *u, const struct unread_world *world,
                 size_t memory)
{
    *u = (struct unread){.world = *world,
                         .memory_limit = memory,
                         .look_at = INSTANT_NEVER,
                         .give_back_at = INSTANT_NEVER};
}

void unread_set_memory(struct unread *u, size_t memory)
{
    u->memory_limit = memory;
}

/* ---- The two lists */

static void list_remove(struct unread *u, struct unread_conn *c)
{
    if (c->next == c) {
        *c->list = NULL;
    } else {
        c->previous->next = c->next;
        c->next->previous = c->previous;
        if (*c->list == c)
            *c->list = c->next;
    }
    if (c->list == &u->quiet)
        u->quiet_count--;
    c->list = NULL;
}

/* Appends to the end: the lists are rings, so that is the place before the
 * first. */
static void list_add(struct unread *u, struct unread_conn **list,
                     struct unread_conn *c)
{
    struct unread_conn *first = *list != NULL ? *list : c;

    c->next = first;
    c->previous = first == c ? c : first->previous;
    c->previous->next = c;
    first->previous = c;
    *list = first;
    c->list = list;
    if (list == &u->quiet)
        u->quiet_count++;
}

static void move(struct unread *u, struct unread_conn *c,
                 struct unread_conn **list)
{
    if (c->list == list)
        return;
    list_remove(u, c);
    list_add(u, list, c);
}

void unread_add(struct unread *u, struct unread_conn *c, int fd, size_t limit,
                struct instant now)
{
    c->fd = fd;
    c->limit = limit;
    list_add(u, &u->quiet, c);
    if (instant_is_never(u->look_at)) {
        u->memory_was = u->world.memory(u->world.context);
        u->look_at = instant_after(now, span_ms(UNREAD_IDLE_MS));
    }
}

void unread_remove(struct unread *u, struct unread_conn *c)
{
    if (c->list == NULL)
        return;
    u->held -= c->held;
    u->freed += c->held;
    c->held = 0;
    list_remove(u, c);
    if (u->quiet == NULL && u->busy == NULL && u->freed < UNREAD_FREED)
        u->look_at = INSTANT_NEVER;
}

/* ---- Looking */

static void settle(struct unread *u, struct unread_conn *c)
{
    uint64_t held = c->came > c->took ? c->came - c->took : 0;

    u->held = u->held - c->held + held;
    c->held = held;
}

void unread_freed(struct unread *u, struct instant now)
{
    if (instant_is_never(u->give_back_at))
        u->give_back_at = instant_after(now, span_ms(UNREAD_GIVE_BACK_MS));
}

static void cut(struct unread *u, struct unread_conn *c, const char *reason,
                struct instant now)
{
    unread_remove(u, c);
    unread_freed(u, now);
    c->cut(c->owner, reason);
}

static void look(struct unread *u, struct unread_conn *c, struct instant now)
{
    struct unread_seen seen;

    if (!u->world.look(u->world.context, c->fd, &seen))
        return; /* its owner will hear of the end of the connection */
    c->came = seen.received > seen.waiting ? seen.received - seen.waiting : 0;
    settle(u, c);
    if (c->held > c->limit)
        cut(u, c, "unread", now);
    else
        move(u, c, c->held > c->limit / 8 ? &u->busy : &u->quiet);
}

static size_t count(const struct unread_conn *first)
{
    size_t n = 0;
    const struct unread_conn *c = first;

    if (c != NULL)
        do
            n++;
        while ((c = c->next) != first);
    return n;
}

/* Checks the first `n` connections; each then moves to the end of the list that
 * fits it. */
static void look_at_some(struct unread *u, struct unread_conn **list, size_t n,
                         struct instant now)
{
    while (n-- > 0 && *list != NULL) {
        struct unread_conn *c = *list;
        *list = c->next;
        look(u, c, now);
    }
}

static bool has_grown(struct unread *u)
{
    uint64_t before = u->memory_was;

    u->memory_was = u->world.memory(u->world.context);
    return u->memory_was > before + UNREAD_GROWTH;
}

/* ---- The total */

static bool too_much(const struct unread *u)
{
    bool is_small = u->memory_was > 0 && u->memory_was <= u->memory_limit;

    return !is_small && u->held / 2 * UNREAD_COST_HALVES > u->memory_limit;
}

static struct unread_conn *larger(struct unread_conn *a, struct unread_conn *b)
{
    return a == NULL || (b != NULL && b->held > a->held) ? b : a;
}

/* The connection that holds most, after subtracting what was read since its
 * last check. */
static struct unread_conn *largest(struct unread *u, struct unread_conn *first)
{
    struct unread_conn *most = first;
    struct unread_conn *c = first;

    if (c != NULL)
        do {
            settle(u, c);
            most = larger(most, c);
        } while ((c = c->next) != first);
    return most;
}

static void cut_largest(struct unread *u, struct instant now)
{
    while (too_much(u)) {
        struct unread_conn *most =
            larger(largest(u, u->busy), largest(u, u->quiet));
        if (!too_much(u) || most == NULL)
            return;
        cut(u, most, "memory", now);
    }
}

static void give_back_later(struct unread *u, struct instant now)
{
    if (u->freed < UNREAD_FREED)
        return;
    u->freed = 0;
    unread_freed(u, now);
}

struct instant unread_deadline(const struct unread *u)
{
    return instant_min(u->look_at, u->give_back_at);
}

void unread_due(struct unread *u, struct instant now)
{
    if (instant_reached(u->give_back_at, now)) {
        u->give_back_at = INSTANT_NEVER;
        u->world.give_back(u->world.context);
        u->memory_was = u->world.memory(u->world.context);
    }
    if (!instant_reached(u->look_at, now))
        return;
    size_t busy = count(u->busy);
    size_t quiet = u->quiet_count;
    if (!has_grown(u) && quiet > UNREAD_LOOKS)
        quiet = UNREAD_LOOKS;
    look_at_some(u, &u->busy, busy, now);
    look_at_some(u, &u->quiet, quiet, now);
    cut_largest(u, now);
    give_back_later(u, now);
    u->look_at = INSTANT_NEVER;
    if (u->quiet != NULL || u->busy != NULL)
        u->look_at = instant_after(
            now, span_ms(u->busy != NULL ? UNREAD_BUSY_MS : UNREAD_IDLE_MS));
}
