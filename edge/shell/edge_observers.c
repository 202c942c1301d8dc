#include "edge/shell/edge_private.h"

/* A ref is the observer's number in the high bits and a count in the lower 40;
 * refs stay below 2^63. */
enum { COUNT_BITS = 40 };
#define NAME_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static int slot_of(const struct observers *o,
                   const struct edge_observer *observer)
{
    for (int i = 0; i < OBSERVERS; i++)
        if (o->list[i].observer == observer)
            return i;
    return -1;
}

void edge_observe(struct edge *e, const struct edge_observer *observer)
{
    struct observers *o = &e->observers;
    int slot = slot_of(o, NULL);

    ASSERT(slot >= 0);
    o->list[slot].observer = observer;
    o->list[slot].number = ++o->last_number;
    if (slot >= o->used)
        o->used = slot + 1;
}

void edge_unobserve(struct edge *e, const struct edge_observer *observer)
{
    struct observers *o = &e->observers;
    int slot = slot_of(o, observer);

    if (slot >= 0)
        o->list[slot].observer = NULL;
    while (o->used > 0 && o->list[o->used - 1].observer == NULL)
        o->used--;
}

struct node_ref edge_ref(const struct edge *e,
                         const struct edge_observer *observer, uint64_t name)
{
    int slot = slot_of(&e->observers, observer);

    ASSERT(slot >= 0 && name <= NAME_MASK);
    return (struct node_ref){e->observers.list[slot].number << COUNT_BITS |
                             name};
}

uint64_t edge_ref_name(struct node_ref ref)
{
    return ref.value & NAME_MASK;
}

static void report(const struct observers *o, const struct node_todo *item)
{
    for (int i = 0; i < o->used; i++) {
        const struct edge_observer *to = o->list[i].observer;
        if (to != NULL && to->report != NULL &&
            o->list[i].number == item->report.ref.value >> COUNT_BITS)
            to->report(to->context, item->report.ref, item->report.outcome,
                       item->report.path, item->report.rtt);
    }
}

static void tell_one(const struct edge_observer *to,
                     const struct node_todo *item)
{
    const struct node_peer *peer = item->peer.peer;

    if (item->kind == NODE_JOINED && to->joined != NULL)
        to->joined(to->context, peer);
    else if (item->kind == NODE_LEFT && to->left != NULL)
        to->left(to->context, peer, item->peer.reason);
    else if (item->kind == NODE_PATH && to->path != NULL)
        to->path(to->context, peer, item->peer.was);
    else if (item->kind == NODE_MESSAGE && to->message != NULL)
        to->message(to->context, peer, &item->peer.message);
    else if (item->kind == NODE_READY && to->ready != NULL)
        to->ready(to->context, peer);
    else if (item->kind == NODE_GAP && to->gap != NULL)
        to->gap(to->context, peer, item->peer.missed);
}

void edge_tell_observers(const struct edge *e, const struct node_todo *item)
{
    const struct observers *o = &e->observers;

    if (item->kind == NODE_REPORT) {
        report(o, item);
        return;
    }
    for (int i = 0; i < o->used; i++)
        if (o->list[i].observer != NULL)
            tell_one(o->list[i].observer, item);
}
