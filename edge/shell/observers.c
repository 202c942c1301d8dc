#include "edge/shell/observers.h"

/* A ref is the observer's number in the high bits and a count in the lower 40;
 * refs stay below 2^63. */
enum { COUNT_BITS = 40 };
#define NAME_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static int place_of(const struct observers *o,
                    const struct edge_observer *observer)
{
    for (int i = 0; i < OBSERVERS; i++)
        if (o->list[i].observer == observer)
            return i;
    return -1;
}

void observers_add(struct observers *o, const struct edge_observer *observer)
{
    int place = place_of(o, NULL);

    ASSERT(place >= 0);
    o->list[place].observer = observer;
    o->list[place].number = ++o->last_number;
    if (place >= o->used)
        o->used = place + 1;
}

void observers_remove(struct observers *o, const struct edge_observer *observer)
{
    int place = place_of(o, observer);

    if (place >= 0)
        o->list[place].observer = NULL;
    while (o->used > 0 && o->list[o->used - 1].observer == NULL)
        o->used--;
}

struct node_ref observers_ref(const struct observers *o,
                              const struct edge_observer *observer,
                              uint64_t name)
{
    int place = place_of(o, observer);

    ASSERT(place >= 0 && name <= NAME_MASK);
    return (struct node_ref){o->list[place].number << COUNT_BITS | name};
}

uint64_t observers_name(struct node_ref ref)
{
    return ref.value & NAME_MASK;
}

static void tell_report(const struct observers *o, const struct node_todo *item)
{
    for (int i = 0; i < o->used; i++) {
        const struct edge_observer *who = o->list[i].observer;
        if (who != NULL && who->report != NULL &&
            o->list[i].number == item->report.ref.value >> COUNT_BITS)
            who->report(who->context, item->report.ref, item->report.outcome,
                        item->report.path, item->report.rtt);
    }
}

static void tell_one(const struct edge_observer *who,
                     const struct node_todo *item)
{
    const struct node_peer *peer = item->peer.peer;

    if (item->kind == NODE_JOINED && who->joined != NULL)
        who->joined(who->context, peer);
    else if (item->kind == NODE_LEFT && who->left != NULL)
        who->left(who->context, peer, item->peer.reason);
    else if (item->kind == NODE_PATH && who->path != NULL)
        who->path(who->context, peer, item->peer.was);
    else if (item->kind == NODE_MESSAGE && who->message != NULL)
        who->message(who->context, peer, &item->peer.message);
    else if (item->kind == NODE_READY && who->ready != NULL)
        who->ready(who->context, peer);
    else if (item->kind == NODE_GAP && who->gap != NULL)
        who->gap(who->context, peer, item->peer.missed);
}

void observers_tell(const struct observers *o, const struct node_todo *item)
{
    if (item->kind == NODE_REPORT) {
        tell_report(o, item);
        return;
    }
    for (int i = 0; i < o->used; i++)
        if (o->list[i].observer != NULL)
            tell_one(o->list[i].observer, item);
}
