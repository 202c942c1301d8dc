#include "common/io/sources.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/memory.h"

enum {
    /* One network's share of all handshakes: 1/8, or 1/2 for a member's. */
    STRANGERS_PART = 8,
    MEMBERS_PART = 2,
    /* A bar ends when the network may begin as many handshakes at once as its
     * rate allows in this time. */
    PAUSE_MS = 250,
};

static const struct instant LONG_AGO = {INT64_MIN / 2};

void sources_init(struct sources *s, const struct sources_conf *conf)
{
    uint8_t hash_key[16];
    randombytes_buf(hash_key, sizeof hash_key);
    *s = (struct sources){.conf = *conf, .pace = {LONG_AGO}};
    map_init(&s->map, ADDRESS_KEY_SIZE, hash_key);
}

void sources_close(struct sources *s)
{
    size_t cursor = 0;
    heap_close(&s->timers);
    for (struct source *from; (from = map_next(&s->map, &cursor));)
        free(from);
    map_close(&s->map);
}

/* ---- Networks without a connection ------------------------------------- */

static struct source_list *idle_list(struct sources *s, const struct source *of)
{
    return of->member ? &s->idle_members : &s->idle_strangers;
}

static void list_add(struct source_list *l, struct source *from)
{
    from->previous = NULL;
    from->next = l->first;
    *(l->first ? &l->first->previous : &l->last) = from;
    l->first = from;
    l->count++;
}

static void list_remove(struct source_list *l, struct source *from)
{
    *(from->previous ? &from->previous->next : &l->first) = from->next;
    *(from->next ? &from->next->previous : &l->last) = from->previous;
    l->count--;
}

static void forget(struct sources *s, struct source *idle)
{
    list_remove(idle_list(s, idle), idle);
    s->changed |= idle->barred;
    heap_remove(&s->timers, &idle->bar);
    map_remove(&s->map, idle->key);
    free(idle);
}

/* Forgets networks of strangers whose token bucket is full again, and the
 * oldest beyond the limit. */
static void tidy(struct sources *s, struct instant now)
{
    struct source_list *l = &s->idle_strangers;
    while (l->last && (l->count > SOURCES_IDLE ||
                       instant_reached(l->last->pace.full_at, now)))
        forget(s, l->last);
    while (s->idle_members.count > SOURCES_IDLE)
        forget(s, s->idle_members.last);
}

static struct source *find(const struct sources *s, const struct address *from,
                           struct source *key)
{
    *key = (struct source){.network = address_network(from)};
    address_key(&key->network, key->key);
    return map_get(&s->map, key->key);
}

struct source *sources_enter(struct sources *s, const struct address *from,
                             struct instant now)
{
    struct source new;
    tidy(s, now);
    struct source *found = find(s, from, &new);
    if (!found) {
        found = memory_copy(&new, sizeof new);
        found->pace.full_at = now;
        found->bar.owner = found;
        map_put(&s->map, found->key, found);
    } else if (found->count == 0) {
        list_remove(idle_list(s, found), found);
    }
    found->count++;
    return found;
}

void sources_leave(struct sources *s, struct source *from)
{
    if (--from->count == 0)
        list_add(idle_list(s, from), from);
}

void sources_prove(struct sources *s, struct source *from)
{
    if (from->member)
        return;
    /* The higher rate applies from now on, with a full burst. */
    from->member = true;
    from->pace = (struct token_bucket){.full_at = LONG_AGO};
    s->changed |= from->barred;
    from->barred = false;
    heap_remove(&s->timers, &from->bar);
}

/* ---- The rates --------------------------------------------------------- */

/* One handshake every `step`, at most `burst` at once. */
struct rate {
    struct span step;
    int64_t burst;
};

static struct rate rate_of(uint64_t a_second, uint64_t burst)
{
    uint64_t us = 1000000 / (a_second > 0 ? a_second : 1);
    return (struct rate){span_us(us > 0 ? (int64_t)us : 1),
                         burst > 0 ? (int64_t)burst : 1};
}

static struct rate rate_of_source(const struct sources *s,
                                  const struct source *from)
{
    uint64_t all = s->conf.handshakes;
    uint64_t burst = s->conf.burst < all / 2 ? s->conf.burst : all / 2;
    return rate_of(all / (from->member ? MEMBERS_PART : STRANGERS_PART), burst);
}

static struct rate rate_of_all(const struct sources *s, bool member)
{
    uint64_t all = s->conf.handshakes;
    return rate_of(all, member ? all : all / 2);
}

/* When a bar ends: see PAUSE_MS. */
static struct instant pause_end(struct rate r, const struct token_bucket *p)
{
    int64_t count = PAUSE_MS * 1000 / r.step.us;
    count = count < 1 ? 1 : count < r.burst ? count : r.burst;
    return instant_after(token_bucket_takes_at(p, r.step, r.burst),
                         span_times(r.step, count - 1));
}

static void bar_source(struct sources *s, struct source *from, struct rate r)
{
    s->changed |= !from->barred;
    from->barred = true;
    heap_set(&s->timers, &from->bar, pause_end(r, &from->pace));
}

static void bar_all(struct sources *s, bool members, struct rate r)
{
    struct timer *t = members ? &s->everyone : &s->strangers;
    s->changed |= t->place == 0;
    heap_set(&s->timers, t, pause_end(r, &s->pace));
}

bool sources_begin_handshake(struct sources *s, struct source *from,
                             struct instant now)
{
    if (s->conf.handshakes == 0)
        return true;
    struct rate own = rate_of_source(s, from);
    struct rate all = rate_of_all(s, from->member);
    if (!instant_reached(
            token_bucket_takes_at(&from->pace, own.step, own.burst), now)) {
        bar_source(s, from, own);
        return false;
    }
    if (!instant_reached(token_bucket_takes_at(&s->pace, all.step, all.burst),
                         now)) {
        bar_all(s, from->member, all);
        return false;
    }
    token_bucket_spend(&from->pace, now, own.step);
    token_bucket_spend(&s->pace, now, all.step);
    return true;
}

void sources_bar_everyone(struct sources *s, struct instant until)
{
    s->changed = true;
    heap_set(&s->timers, &s->everyone, until);
}

void sources_due(struct sources *s, struct instant now)
{
    for (struct timer *t; (t = heap_due(&s->timers, now));) {
        s->changed = true;
        if (t->owner)
            ((struct source *)t->owner)->barred = false;
    }
    tidy(s, now);
}

struct instant sources_deadline(const struct sources *s)
{
    return heap_deadline(&s->timers);
}

/* ---- The bars ---------------------------------------------------------- */

static void add_members(const struct sources *s, struct bars *bars)
{
    /* First the networks of members that lost their connection: they come back
     * soon. */
    for (const struct source *at = s->idle_members.first; at; at = at->next) {
        if (bars->member_count < SOURCES_BARS && !at->barred)
            bars->members[bars->member_count++] = at->network;
    }
    size_t cursor = 0;
    for (const struct source *at; (at = map_next(&s->map, &cursor));) {
        if (bars->member_count == SOURCES_BARS)
            return;
        if (at->member && at->count > 0 && !at->barred)
            bars->members[bars->member_count++] = at->network;
    }
}

static void add_barred(const struct sources *s, struct bars *bars)
{
    for (size_t i = 0; i < s->timers.count; i++) {
        const struct source *at = s->timers.timers[i]->owner;
        if (at && bars->barred_count < SOURCES_BARS)
            bars->barred[bars->barred_count++] = at->network;
    }
}

void sources_bars(const struct sources *s, struct bars *bars)
{
    bars->everyone = s->everyone.place != 0;
    bars->strangers = s->strangers.place != 0;
    bars->barred_count = 0;
    bars->member_count = 0;
    if (bars->strangers)
        add_members(s, bars);
    add_barred(s, bars);
}
