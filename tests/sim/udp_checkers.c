#include "tests/sim/udp_checkers_private.h"

#include "common/base/memory.h"

#include <stdlib.h>

/* A datagram that a link doubled is forgotten after this time. */
static const struct span forgotten_after = {60 * 1000 * 1000};

struct udp_checkers *udp_checkers_new(void)
{
    return memory_new(sizeof(struct udp_checkers));
}

void udp_checkers_free(struct udp_checkers *c)
{
    for (size_t i = 0; i < c->plug_count; i++) {
        struct plug_record *p = &c->plugs[i];

        if (p->box != NULL) {
            free(p->box->flows);
            free(p->box->taken);
        }
        free(p->box);
        free(p->transits);
    }
    free(c->plugs);
    free(c->sent);
    free(c);
}

void *udp_checkers_room(void *items, size_t count, size_t *capacity,
                        size_t size)
{
    size_t old = *capacity;

    if (count <= old)
        return items;
    *capacity = count + old;
    items = memory_resize(items, *capacity, size);
    memset((uint8_t *)items + old * size, 0, (*capacity - old) * size);
    return items;
}

/* --- what they are told ------------------------------------------------- */

static struct plug_record *plug_of(struct udp_checkers *c, int plug)
{
    size_t count = (size_t)plug + 1;

    c->plugs = udp_checkers_room(c->plugs, count, &c->plug_capacity,
                                 sizeof(*c->plugs));
    if (c->plug_count < count)
        c->plug_count = count;
    return &c->plugs[plug];
}

void udp_checkers_box(struct udp_checkers *c, int plug,
                      const struct nat_conf *conf)
{
    struct plug_record *p = plug_of(c, plug);

    p->host = -1;
    p->box = memory_new(sizeof(*p->box));
    p->box->conf = *conf;
}

void udp_checkers_restarted(struct udp_checkers *c, int plug,
                            const struct address *outside)
{
    struct nat_record *r = plug_of(c, plug)->box;

    r->flow_count = r->taken_count = 0;
    if (outside == NULL)
        return;
    r->conf.outside[0] = *outside;
    r->conf.outside_count = 1;
}

void udp_checkers_host(struct udp_checkers *c, int plug, int host,
                       const struct address *address)
{
    struct plug_record *p = plug_of(c, plug);

    p->host = host;
    p->address = *address;
}

void udp_checkers_no_host(struct udp_checkers *c, int plug)
{
    plug_of(c, plug)->address.family = ADDRESS_NONE;
}

void udp_checkers_link(struct udp_checkers *c, int plug,
                       enum udp_direction direction,
                       const struct udp_link *link)
{
    plug_of(c, plug)->links[direction] = *link;
}

/* --- links ------------------------------------------------------------- */

static void forget(struct plug_record *p, size_t i)
{
    p->count--;
    memmove(&p->transits[i], &p->transits[i + 1],
            (p->count - i) * sizeof(*p->transits));
}

/* How many entries of the datagram are on the link. */
static size_t entries_of(const struct plug_record *p,
                         const struct udp_seen *seen)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++)
        count += p->transits[i].id == seen->packet->id &&
                 p->transits[i].direction == seen->direction;
    return count;
}

/* The first that left the link `left` times; `count` if there is none. */
static size_t transit_of(const struct plug_record *p,
                         const struct udp_seen *seen, unsigned left)
{
    size_t i = 0;

    while (i < p->count && (p->transits[i].id != seen->packet->id ||
                            p->transits[i].direction != seen->direction ||
                            p->transits[i].left != left))
        i++;
    return i;
}

static void entered(struct world *w, struct plug_record *p,
                    const struct udp_seen *seen)
{
    for (size_t i = 0; i < p->count;)
        if (p->transits[i].left > 0 &&
            instant_reached(
                instant_after(p->transits[i].entered, forgotten_after), w->now))
            forget(p, i);
        else
            i++;
    p->transits = udp_checkers_room(p->transits, p->count + 1, &p->capacity,
                                    sizeof(*p->transits));
    p->transits[p->count++] = (struct udp_transit){
        .id = seen->packet->id,
        .direction = seen->direction,
        .entered = w->now,
        .size = seen->packet->size,
        .link = p->links[seen->direction],
    };
}

/* Whether it overtook one that the link should have handed over before. */
static bool overtook(const struct plug_record *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (p->transits[k].direction == p->transits[i].direction &&
            p->transits[k].left == 0 &&
            p->transits[k].link.reorder_percent == 0 &&
            p->transits[i].link.reorder_percent == 0)
            return true;
    return false;
}

static void left(struct world *w, struct plug_record *p,
                 const struct udp_seen *seen)
{
    size_t i = transit_of(p, seen, 0);
    bool is_only = entries_of(p, seen) == 1; /* Else which one is not told. */
    unsigned long long id = seen->packet->id;
    struct udp_transit *t;

    if (i == p->count)
        i = transit_of(p, seen, 1); /* It is a double. */
    if (i == p->count) {
        world_fail(w, "udp-once", "a link hands over %llu again", id);
        return;
    }
    t = &p->transits[i];
    if (t->link.mtu > 0 && t->size > t->link.mtu)
        world_fail(w, "udp-mtu", "%llu of %zu bytes passes a link of %zu", id,
                   t->size, t->link.mtu);
    if (is_only) {
        if (instant_between(t->entered, w->now).us < t->link.delay.us)
            world_fail(w, "udp-delay", "%llu is faster than its link", id);
        if (t->left == 0 && overtook(p, i))
            world_fail(w, "udp-order", "%llu overtakes on a link", id);
    }
    t->left++;
    if (t->left == (t->link.double_percent > 0 ? 2 : 1))
        forget(p, i);
}

static void dropped(struct world *w, struct plug_record *p,
                    const struct udp_seen *seen)
{
    unsigned long long id = seen->packet->id;
    const struct udp_link *link;
    size_t i = p->count;

    /* The last one that entered. */
    while (i > 0 && p->transits[i - 1].id != id)
        i--;
    ASSERT(i > 0);
    link = &p->transits[i - 1].link;
    if (seen->fate == UDP_LOST && link->loss_percent == 0)
        world_fail(w, "udp-loss", "a link without loss loses %llu", id);
    if (seen->fate == UDP_NO_LINK && !link->down)
        world_fail(w, "udp-loss", "a link that is up drops %llu", id);
    if (seen->fate == UDP_TOO_LARGE &&
        (link->mtu == 0 || seen->packet->size <= link->mtu))
        world_fail(w, "udp-mtu", "%llu of %zu bytes is too large for %zu", id,
                   seen->packet->size, link->mtu);
    forget(p, i - 1);
}

/* --- datagrams --------------------------------------------------------- */

static uint64_t hash_of(struct bytes bytes)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * 0x100000001b3;
    return hash;
}

void udp_checkers_sent(struct udp_checkers *c, struct bytes bytes)
{
    c->sent = udp_checkers_room(c->sent, c->sent_count + 1, &c->sent_capacity,
                                sizeof(*c->sent));
    c->sent[c->sent_count++] =
        (struct sent_record){.hash = hash_of(bytes), .size = bytes.size};
}

void udp_checkers_not_sent(struct udp_checkers *c)
{
    c->sent_count--;
}

static void ended(struct world *w, struct plug_record *p,
                  const struct udp_seen *seen)
{
    struct udp_checkers *c = w->udp->checkers;

    c->sent[seen->packet->id - 1].ended = true;
    if (seen->fate == UDP_LOST || seen->fate == UDP_TOO_LARGE ||
        seen->fate == UDP_NO_LINK)
        dropped(w, p, seen);
    else if (p->box != NULL)
        nat_record_ended(w, p->box, seen);
}

void udp_checkers_delivered(struct world *w, const struct udp_delivery *d)
{
    struct udp_checkers *c = w->udp->checkers;
    const struct sent_record *s = &c->sent[d->id - 1];
    bool has = false;

    for (size_t i = 0; !has && i < c->plug_count; i++)
        has = c->plugs[i].host == d->host &&
              address_same_ip(&c->plugs[i].address, &d->to);
    if (!has)
        world_fail(w, "udp-host", "%llu is delivered to host %d",
                   (unsigned long long)d->id, d->host);
    if (s->size != d->bytes.size || s->hash != hash_of(d->bytes))
        world_fail(w, "udp-content", "%llu is not what was sent",
                   (unsigned long long)d->id);
}

void udp_checkers_settle(struct world *w)
{
    const struct udp_checkers *c = udp_of(w)->checkers;

    for (size_t i = 0; i < c->sent_count; i++)
        if (!c->sent[i].ended)
            world_fail(w, "udp-fate", "%zu never comes to an end", i + 1);
}

void udp_checkers_see(struct world *w, const struct udp_seen *seen)
{
    struct udp_checkers *c = w->udp->checkers;
    struct plug_record *p = seen->plug < 0 ? NULL : plug_of(c, seen->plug);

    if (p == NULL) { /* in a realm */
        ASSERT(seen->step == UDP_ENDED);
        c->sent[seen->packet->id - 1].ended = true;
        return;
    }
    switch (seen->step) {
    case UDP_ENTERED:
        entered(w, p, seen);
        break;
    case UDP_LEFT:
        left(w, p, seen);
        break;
    case UDP_WENT_OUT:
        nat_record_went_out(w, p->box, seen);
        break;
    case UDP_WENT_IN:
        nat_record_went_in(w, p->box, seen);
        break;
    case UDP_ENDED:
        ended(w, p, seen);
        break;
    }
}
