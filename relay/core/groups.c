#include "relay/core/hub_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

enum { SPARE_ENTRY_SIZE = 1 + KEY_SIZE };

/* The edges of a mesh whose GROUPS holds the tag. */
struct group {
    struct group_tag tag;
    struct hub_membership *first;
};

static struct group *group_take(struct hub_mesh *m, const uint8_t *tag)
{
    struct group *g = map_get(&m->groups, tag);
    if (g)
        return g;
    g = memory_new(sizeof *g);
    memcpy(g->tag.bytes, tag, GROUP_TAG_SIZE);
    map_put(&m->groups, tag, g);
    return g;
}

static void join(struct hub_edge *e, const uint8_t *tag)
{
    struct group *g = group_take(e->mesh, tag);
    /* The edge left all groups before, and each new member is put first: so
     * this shows a tag that GROUPS holds twice. */
    if (g->first && g->first->edge == e)
        return;
    struct hub_membership *s = &e->memberships[e->membership_count++];
    *s = (struct hub_membership){.edge = e, .group = g, .next = g->first};
    if (g->first)
        g->first->previous = s;
    g->first = s;
}

static void leave(struct hub_mesh *m, struct hub_membership *s)
{
    struct group *g = s->group;
    *(s->previous ? &s->previous->next : &g->first) = s->next;
    if (s->next)
        s->next->previous = s->previous;
    if (g->first)
        return;
    map_remove(&m->groups, g->tag.bytes);
    free(g);
}

void groups_leave(struct hub_edge *e)
{
    for (size_t i = 0; i < e->membership_count; i++)
        leave(e->mesh, &e->memberships[i]);
    free(e->memberships);
    e->memberships = NULL;
    e->membership_count = 0;
}

void edge_groups(struct hub *h, struct hub_edge *e, struct bytes tags)
{
    size_t count = tags.size / GROUP_TAG_SIZE;
    if (tags.size % GROUP_TAG_SIZE != 0 || count > GROUP_TAGS) {
        h->counters.dropped[REFUSAL_MALFORMED]++;
        return;
    }
    groups_leave(e);
    e->memberships = memory_array(count, sizeof *e->memberships);
    for (size_t i = 0; i < count; i++)
        join(e, tags.data + i * GROUP_TAG_SIZE);
    edge_weigh(h, e);
}

static bool is_spare_list(struct bytes list)
{
    if (list.size == 0 || list.size % SPARE_ENTRY_SIZE != 0)
        return false;
    for (size_t i = 0; i < list.size; i += SPARE_ENTRY_SIZE) {
        if (list.data[i] > 1)
            return false;
    }
    return true;
}

/* The list may name nodes that are not connected, and outlives their
 * connections. */
void edge_spare(struct hub *h, struct hub_edge *e, struct bytes list)
{
    if (!is_spare_list(list)) {
        h->counters.dropped[REFUSAL_MALFORMED]++;
        return;
    }
    for (size_t i = 0; i < list.size; i += SPARE_ENTRY_SIZE) {
        const uint8_t *id = list.data + i + 1;
        if (list.data[i] == 0)
            map_remove(&e->spared, id);
        else if (e->spared.count < HUB_SPARED)
            map_put(&e->spared, id, e);
    }
    edge_weigh(h, e);
}

static void fan_out(struct hub *h, const struct hub_edge *from,
                    const struct group *g, const struct hub_event *event)
{
    struct delivery d = {.event = event, .from = from};
    for (const struct hub_membership *s = g->first; s; s = s->next) {
        struct hub_edge *to = s->edge;
        if (to == from || to->doomed || map_get(&from->spared, to->node.key))
            continue;
        if (edge_deliver(h, to, &d))
            h->counters.copies++;
        else
            h->counters.dropped[REFUSAL_QUEUE_FULL]++;
    }
    shared_packet_release(&d.copy);
}

/* REFUSAL_NONE if the multicast may be fanned out. The sender is not told of
 * other results: the receivers' acknowledgements show it what was lost
 * [P-9.6, P-9.8]. */
static enum refusal examine(struct hub *h, struct hub_edge *e,
                            const struct hub_event *event,
                            struct multicast_packet *m)
{
    static const uint8_t zeros[KEY_SIZE];
    if (event->size > PACKET_SIZE)
        return REFUSAL_TOO_LARGE;
    if (event->size <= FORWARD_HEADER_SIZE ||
        memcmp(event->data + 1, zeros, KEY_SIZE) != 0 ||
        !multicast_decode(bytes_of(event->data + FORWARD_HEADER_SIZE,
                                   event->size - FORWARD_HEADER_SIZE),
                          true, m))
        return REFUSAL_MALFORMED;
    return edge_may_send(h, e, event->size) ? REFUSAL_NONE : REFUSAL_QUEUE_FULL;
}

void edge_multicast(struct hub *h, struct hub_edge *e,
                    const struct hub_event *event)
{
    struct multicast_packet m;
    enum refusal reason = examine(h, e, event, &m);
    if (reason != REFUSAL_NONE) {
        h->counters.dropped[reason]++;
        return;
    }
    h->counters.multicasts++;
    const struct group *g = map_get(&e->mesh->groups, m.tag.bytes);
    if (!g)
        return;
    packet_stamp(event, RELAY_MULTICASTED, e);
    fan_out(h, e, g, event);
}
