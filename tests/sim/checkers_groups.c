/*
 * Publications: each is handed over at most once, in order for each sender and
 * group, only to members; and a receiver is told exactly how many it misses.
 *
 * A process numbers its publications to a group from 1. A receiver's account
 * with a sender begins with the first publication for which it was present and
 * in the group, as the sender knew it. From then on the publications that it
 * skips are its debt, and each gap that it is told reduces the debt: a gap is
 * told before the event after it, and in the end the debt is 0.
 */
#include "tests/sim/checkers_private.h"

#include "tests/sim/hostile.h"

#include <stdio.h>
#include <stdlib.h>

/* A sender may forget a receiver that was away for longer [P-9.5]. */
static const struct span remembered = {55 * 1000 * 1000};

static const char *const names[GROUPS] = {"", "red", "green", "blue"};

const char *accounts_name(int group)
{
    return names[group];
}

int accounts_of_name(struct bytes name)
{
    for (int g = 0; g < GROUPS; g++)
        if (bytes_equal(name, bytes_of_string(names[g])))
            return g;
    return -1;
}

/* So that a view tells which announcement of which process it shows. */
void accounts_version(const struct process *p, char name[GROUP_VERSION_SIZE])
{
    snprintf(name, GROUP_VERSION_SIZE, "v%u-%u", p->serial,
             p->accounts_version);
}

/* --- what the sender knows of a receiver ------------------------------- */

struct view {
    uint32_t groups; /* a bit for each */
    uint32_t serial, version;
};

/* Reads what accounts_version wrote; ignores other names. */
static void read_version(const char *name, struct view *v)
{
    char *dash, *end;

    if (*name != 'v')
        return;
    unsigned long serial = strtoul(name + 1, &dash, 10);
    if (dash == name + 1 || *dash != '-')
        return;
    unsigned long version = strtoul(dash + 1, &end, 10);
    if (end == dash + 1)
        return;
    v->serial = (uint32_t)serial;
    v->version = (uint32_t)version;
}

static bool look(const struct world *w, int from, int to, struct view *v)
{
    struct node_peer peer;
    const struct process *p = w->hosts[from].process;

    *v = (struct view){.groups = 1};
    if (p == NULL || p->node == NULL ||
        !node_peer_get(p->node, &w->hosts[to].identity.id, &peer))
        return false;
    for (size_t i = 0; i < peer.group_count; i++) {
        int g = accounts_of_name(bytes_of_string(peer.groups[i]));

        if (g > 0)
            v->groups |= (uint32_t)1 << g;
        else
            read_version(peer.groups[i], v);
    }
    return true;
}

bool accounts_is_member(const struct process *p, int group)
{
    return group == 0 || (p->groups >> group & 1) != 0;
}

/* The host is in the group now, and the sender knows that it is. */
static bool is_owed(const struct world *w, int from, int to, int group)
{
    const struct process *p = w->hosts[to].process;
    struct view v;

    return p != NULL && accounts_is_member(p, group) && look(w, from, to, &v) &&
           (v.groups >> group & 1) != 0 && v.serial == p->serial &&
           v.version >= p->member_since[group];
}

/* --- accounts ---------------------------------------------------------- */

static struct account *account_of(struct world *w, int to, int from,
                                  uint32_t serial)
{
    struct account *a = &w->checkers->accounts[to][from];

    if (a->serial != serial)
        *a = (struct account){.serial = serial};
    return a;
}

void accounts_submitted(struct world *w, struct sent *s)
{
    struct process *p = w->hosts[s->from].process;

    s->number = ++p->published[s->group];
    for (int to = 0; to < w->host_count; to++) {
        struct account *a;

        if (to == s->from || !is_owed(w, s->from, to, s->group))
            continue;
        s->receivers++;
        a = account_of(w, to, s->from, s->from_serial);
        if (a->streams[s->group].from == 0)
            a->streams[s->group].from = s->number;
    }
}

static void forget(struct world *w, const struct sent *s)
{
    w->hosts[s->from].process->published[s->group]--;
    for (int to = 0; to < w->host_count; to++) {
        struct account_stream *a =
            &w->checkers->accounts[to][s->from].streams[s->group];

        if (w->checkers->accounts[to][s->from].serial == s->from_serial &&
            a->from == s->number)
            a->from = 0;
    }
}

void accounts_reported(struct world *w, struct sent *s)
{
    if (s->outcome != OUTCOME_DELIVERED)
        forget(w, s);
    else if (s->peers < s->receivers && w->hostile == NULL)
        world_fail(w, "delivered", "a publication of %d goes to %u of %u",
                   s->from, s->peers, s->receivers);
}

void accounts_handed(struct world *w, struct process *p, const struct sent *s,
                     uint64_t ref)
{
    struct account *a = account_of(w, p->host, s->from, s->from_serial);
    struct account_stream *stream = &a->streams[s->group];
    uint64_t last = stream->last;

    if (!accounts_is_member(p, s->group))
        world_fail(w, "member", "%d has publication %llu to %s", p->host,
                   (unsigned long long)ref, names[s->group]);
    if (s->number <= stream->seen)
        world_fail(w, "order",
                   "publication %llu to \"%s\" came after a later one to %d",
                   (unsigned long long)ref, names[s->group], p->host);
    if (last == 0)
        last = stream->from > 0 && stream->from < s->number ? stream->from - 1
                                                            : s->number - 1;
    a->debt += (int64_t)(s->number - last - 1);
    stream->last = stream->seen = s->number;
    if (a->debt > 0 && !a->vague && !hostile_is(w, s->from))
        world_fail(w, "gap",
                   "%d has publication %llu of %d to \"%s\" and was not told "
                   "that it misses %lld",
                   p->host, (unsigned long long)ref, s->from, names[s->group],
                   (long long)a->debt);
}

void accounts_gap(struct world *w, struct process *p, int from, uint64_t missed)
{
    struct account *a = &w->checkers->accounts[p->host][from];

    world_say(w, "%d misses %llu of %d", p->host, (unsigned long long)missed,
              from);
    if (!checkers_joined(w, p->host, from))
        world_fail(w, "presence", "%d is told a gap of %d, which did not join",
                   p->host, from);
    if (missed == 0)
        world_fail(w, "gap", "%d is told of a gap of nothing", p->host);
    a->debt -= (int64_t)missed;
}

/* --- what ends or blurs an account -------------------------------------- */

void accounts_started(struct world *w, const struct process *p)
{
    memset(w->checkers->accounts[p->host], 0, sizeof(w->checkers->accounts[0]));
}

static void blur_if_long(struct world *w, int to, int from)
{
    struct account *a = &w->checkers->accounts[to][from];
    struct instant left = w->checkers->pairs[to][from].left_at;
    struct instant lost = w->checkers->pairs[from][to].left_at;

    if (instant_reached(instant_after(left, remembered), w->now) ||
        instant_reached(instant_after(lost, remembered), w->now))
        a->vague = true;
}

/* They joined each other again; after a long absence the account is vague. */
void accounts_joined(struct world *w, int observer, int peer)
{
    if (w->checkers->pairs[observer][peer].leaves == 0)
        return;
    blur_if_long(w, observer, peer);
    blur_if_long(w, peer, observer);
}

/* How many of the sender's publications to the group the receiver still
 * lacks. */
static int64_t lacks(const struct process *sender, const struct account *a,
                     int group)
{
    const struct account_stream *s = &a->streams[group];

    if (s->last == 0 && s->from == 0)
        return 0;
    return (int64_t)(sender->published[group] -
                     (s->last > 0 ? s->last : s->from - 1));
}

static void forget_group(struct world *w, const struct process *p, int from,
                         int group)
{
    const struct process *sender = w->hosts[from].process;
    struct account *a = &w->checkers->accounts[p->host][from];
    struct view v;

    if (sender == NULL || a->serial != sender->serial)
        return;
    /* The receiver may or may not be told of what it lacks now; and the sender
     * may learn of the change only after the receiver is a member again. */
    if (a->debt != 0 || lacks(sender, a, group) != 0 ||
        (accounts_is_member(p, group) && look(w, from, p->host, &v) &&
         (v.groups >> group & 1) != 0))
        a->vague = true;
    a->streams[group].from = a->streams[group].last = 0;
}

void accounts_changed(struct world *w, struct process *p, uint32_t groups)
{
    uint32_t changed = groups ^ p->groups;

    p->groups = groups;
    p->accounts_version++;
    for (int g = 1; g < GROUPS; g++) {
        if ((changed >> g & 1) == 0)
            continue;
        p->member_since[g] = p->accounts_version;
        for (int from = 0; from < w->host_count; from++)
            forget_group(w, p, from, g);
    }
}

/* --- in the end --------------------------------------------------------- */

static int64_t end_of(const struct world *w, int to, int from,
                      const struct account *a)
{
    int64_t debt = a->debt;

    for (int g = 0; g < GROUPS; g++)
        if (accounts_is_member(w->hosts[to].process, g))
            debt += lacks(w->hosts[from].process, a, g);
    return debt;
}

void accounts_settle(struct world *w)
{
    for (int to = 0; to < w->host_count; to++)
        for (int from = 0; from < w->host_count; from++) {
            const struct account *a = &w->checkers->accounts[to][from];
            int64_t debt;

            if (!host_runs(w, from) || !host_runs(w, to) || a->vague ||
                hostile_is(w, from) || hostile_is(w, to) ||
                w->hosts[to].is_relay || w->hosts[from].is_relay ||
                a->serial != w->hosts[from].process->serial ||
                !checkers_joined(w, to, from) ||
                !checkers_joined(w, from, to) ||
                checkers_best_path(w, from, to) == PATH_NONE)
                continue;
            debt = end_of(w, to, from, a);
            if (debt != 0)
                world_fail(w, "gap",
                           "%d lacks %lld publications of %d that it was not "
                           "told of",
                           to, (long long)debt, from);
        }
}
