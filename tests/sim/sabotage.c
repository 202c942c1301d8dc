/*
 * Changes the items of nodes on purpose before the checkers see them.
 */
#include "tests/sim/checkers_private.h"

#include "common/base/memory.h"

#include <stdlib.h>

static const struct {
    const char *name, *found_by;
    enum node_todo_kind at; /* the kind of item that it changes */
    unsigned nth;           /* which item of this kind */
} sabotages[SABOTAGE_COUNT] = {
    [SABOTAGE_NONE] = {"none", "", NODE_MULTICAST, 0},
    [SABOTAGE_DUPLICATE] = {"duplicate", "once", NODE_MESSAGE, 20},
    [SABOTAGE_DROP] = {"drop", "delivered", NODE_MESSAGE, 20},
    [SABOTAGE_REORDER] = {"reorder", "order", NODE_MESSAGE, 20},
    [SABOTAGE_CORRUPT] = {"corrupt", "content", NODE_MESSAGE, 20},
    [SABOTAGE_MISROUTE] = {"misroute", "content", NODE_MESSAGE, 20},
    [SABOTAGE_NO_REPORT] = {"no-report", "report", NODE_REPORT, 20},
    [SABOTAGE_REPORT_TWICE] = {"report-twice", "report", NODE_REPORT, 20},
    [SABOTAGE_LIE] = {"lie", "delivered", NODE_REPORT, 1},
    [SABOTAGE_DENY] = {"deny", "delivered", NODE_REPORT, 20},
    [SABOTAGE_NO_JOIN] = {"no-join", "presence", NODE_JOINED, 3},
    [SABOTAGE_NO_LEAVE] = {"no-leave", "presence", NODE_LEFT, 1},
    [SABOTAGE_JOIN_TWICE] = {"join-twice", "presence", NODE_JOINED, 3},
    [SABOTAGE_FALSE_LEAVE] = {"false-leave", "presence", NODE_MESSAGE, 20},
    [SABOTAGE_NO_DONE] = {"no-done", "leave", NODE_MULTICAST, 0},
    [SABOTAGE_EARLY_DONE] = {"early-done", "leave", NODE_MULTICAST, 0},
    [SABOTAGE_NO_DIRECT] = {"no-direct", "settle", NODE_MULTICAST, 0},
    [SABOTAGE_NO_READY] = {"no-ready", "ready", NODE_READY, 1},
    [SABOTAGE_NO_EVENT] = {"no-event", "gap", NODE_MESSAGE, 2},
    [SABOTAGE_EVENT_TWICE] = {"event-twice", "once", NODE_MESSAGE, 2},
    [SABOTAGE_EVENT_LATE] = {"event-late", "gap", NODE_MESSAGE, 2},
    [SABOTAGE_EVENT_STRANGER] = {"event-stranger", "member", NODE_MESSAGE, 1},
    [SABOTAGE_NO_GAP] = {"no-gap", "gap", NODE_GAP, 1},
    [SABOTAGE_GAP_LESS] = {"gap-less", "gap", NODE_GAP, 1},
    [SABOTAGE_GAP_MORE] = {"gap-more", "gap", NODE_GAP, 1},
    [SABOTAGE_STORE] = {"store", "bounds", NODE_MULTICAST, 0},
    [SABOTAGE_QUEUE] = {"queue", "bounds", NODE_MULTICAST, 0},
    [SABOTAGE_CLOCK] = {"clock", "trace", NODE_MULTICAST, 0},
};

const char *sabotage_name(enum sabotage s)
{
    return sabotages[s].name;
}

const char *sabotage_found_by(enum sabotage s)
{
    return sabotages[s].found_by;
}

static bool is_of_events(enum sabotage s)
{
    return s == SABOTAGE_NO_EVENT || s == SABOTAGE_EVENT_TWICE ||
           s == SABOTAGE_EVENT_LATE || s == SABOTAGE_EVENT_STRANGER;
}

/* A node that knows the sender and is not in the event's group. */
static int stranger_to(const struct world *w, const struct node_todo *t)
{
    int group = accounts_of_name(t->peer.message.group);
    int from = checkers_host_of(w, &t->peer.peer->id);

    for (int i = 0; i < w->host_count; i++)
        if (w->hosts[i].process != NULL && checkers_joined(w, i, from) &&
            !accounts_is_member(w->hosts[i].process, group))
            return i;
    return -1;
}

static bool is_time(struct world *w, const struct node_todo *t)
{
    struct checkers *c = w->checkers;

    if (c->done || sabotages[w->sabotage].nth == 0 ||
        sabotages[w->sabotage].at != t->kind)
        return false;
    if (is_of_events(w->sabotage) && t->peer.message.kind != MESSAGE_EVENT)
        return false;
    if (w->sabotage == SABOTAGE_EVENT_STRANGER)
        c->done = stranger_to(w, t) >= 0;
    else if (w->sabotage == SABOTAGE_LIE)
        c->done = t->report.outcome != OUTCOME_DELIVERED &&
                  t->report.outcome != OUTCOME_BUSY;
    else if (w->sabotage == SABOTAGE_DENY)
        c->done = ++c->opportunities >= sabotages[w->sabotage].nth &&
                  t->report.outcome == OUTCOME_DELIVERED;
    else
        c->done = ++c->opportunities >= sabotages[w->sabotage].nth;
    return c->done;
}

static void mark_late(struct world *w, bool handed)
{
    struct checkers *c = w->checkers;
    struct reader r = reader_of(c->late.message.data);
    struct sent *s = checkers_sent(w, read_u64(&r));

    s->handed_to &= ~((uint64_t)1 << c->late.at->host);
    s->handed_to |= (uint64_t)handed << c->late.at->host;
}

static void keep_back(struct world *w, struct process *p,
                      const struct node_todo *t)
{
    struct checkers *c = w->checkers;
    struct bytes data = t->peer.message.data;

    c->late.full = true;
    c->late.message = t->peer.message;
    c->late.at = p;
    c->late.from = checkers_host_of(w, &t->peer.peer->id);
    c->late.data = memory_copy(data.data, data.size);
    c->late.message.data.data = c->late.data;
    c->late.message.group =
        bytes_of_string(accounts_name(accounts_of_name(t->peer.message.group)));
    mark_late(w, true); /* The node has it, only out of order. */
}

/* True if the item must not be checked any more. */
static bool spoil(struct world *w, struct process *p, const struct node_todo *t)
{
    struct node_todo other = *t;
    struct node_peer stranger;
    uint8_t *copy;

    switch (w->sabotage) {
    case SABOTAGE_DUPLICATE:
    case SABOTAGE_JOIN_TWICE:
    case SABOTAGE_REPORT_TWICE:
    case SABOTAGE_EVENT_TWICE:
        checkers_see(w, p, t);
        return false;
    case SABOTAGE_DROP:
    case SABOTAGE_NO_REPORT:
    case SABOTAGE_NO_JOIN:
    case SABOTAGE_NO_LEAVE:
    case SABOTAGE_NO_READY:
    case SABOTAGE_NO_EVENT:
    case SABOTAGE_NO_GAP:
        return true;
    case SABOTAGE_GAP_LESS:
    case SABOTAGE_GAP_MORE:
        other.peer.missed += w->sabotage == SABOTAGE_GAP_MORE ? 1 : -1ULL;
        if (other.peer.missed > 0)
            checkers_see(w, p, &other);
        return true;
    case SABOTAGE_EVENT_STRANGER:
        checkers_see(w, w->hosts[stranger_to(w, t)].process, t);
        return false;
    case SABOTAGE_REORDER:
    case SABOTAGE_EVENT_LATE:
        keep_back(w, p, t);
        return true;
    case SABOTAGE_CORRUPT:
        copy =
            memory_copy(t->peer.message.data.data, t->peer.message.data.size);
        copy[t->peer.message.data.size - 1] ^= 1;
        other.peer.message.data.data = copy;
        checkers_see(w, p, &other);
        free(copy);
        return true;
    case SABOTAGE_MISROUTE:
        stranger = *t->peer.peer;
        other.peer.peer = &stranger;
        for (int i = 0; i < w->host_count; i++)
            if (w->checkers->pairs[p->host][i].joined &&
                i != checkers_host_of(w, &t->peer.peer->id))
                stranger.id = w->hosts[i].identity.id;
        checkers_see(w, p, &other);
        return true;
    case SABOTAGE_LIE:
        other.report.outcome = OUTCOME_DELIVERED;
        checkers_see(w, p, &other);
        return true;
    case SABOTAGE_DENY:
        other.report.outcome = OUTCOME_NOT_DELIVERED;
        checkers_see(w, p, &other);
        return true;
    case SABOTAGE_FALSE_LEAVE:
        other.kind = NODE_LEFT;
        other.peer.reason = DEPARTURE_LOST;
        checkers_see(w, p, &other);
        return false;
    case SABOTAGE_NONE:
    case SABOTAGE_NO_DONE:
    case SABOTAGE_EARLY_DONE:
    case SABOTAGE_NO_DIRECT:
    case SABOTAGE_STORE:
    case SABOTAGE_QUEUE:
    case SABOTAGE_CLOCK:
    case SABOTAGE_COUNT:
        break;
    }
    return false;
}

/* The message that came before this one is still kept back. */
static bool is_after_late(const struct checkers *c, const struct process *p,
                          int from, const struct message *m)
{
    return c->late.full && c->late.at == p && c->late.from == from &&
           c->late.message.kind == m->kind &&
           bytes_equal(c->late.message.group, m->group);
}

static void hand_over_late(struct world *w, const struct process *p, int from,
                           const struct message *m)
{
    struct checkers *c = w->checkers;

    if (!is_after_late(c, p, from, m))
        return;
    c->late.full = false;
    mark_late(w, false);
    checkers_handed(w, c->late.at, from, &c->late.message);
}

void checkers_observe(struct world *w, struct process *p,
                      const struct node_todo *t)
{
    if (is_time(w, t) && spoil(w, p, t))
        return;
    checkers_see(w, p, t);
    if (t->kind == NODE_MESSAGE)
        hand_over_late(w, p, checkers_host_of(w, &t->peer.peer->id),
                       &t->peer.message);
}
