#include "tests/sim/checkers_private.h"

#include "tests/sim/hostile.h"
#include "tests/sim/udp_best.h"

#include <stdio.h>

/* --- questions --------------------------------------------------------- */

bool checkers_joined(const struct world *w, int observer, int peer)
{
    return w->checkers->pairs[observer][peer].joined;
}

bool checkers_awaits_ready(const struct world *w, int observer, int peer)
{
    return w->checkers->pairs[observer][peer].awaits_ready;
}

size_t checkers_count(const struct world *w, int from, int to)
{
    return w->checkers->pairs[to][from].count;
}

void checkers_watch_gap(struct world *w, int from, int to)
{
    struct pair *pair = &w->checkers->pairs[to][from];

    pair->handed_at = w->now;
    pair->gap = span_us(0);
}

struct span checkers_gap(const struct world *w, int from, int to)
{
    return w->checkers->pairs[to][from].gap;
}

size_t checkers_leaves(const struct world *w, int observer, int peer)
{
    return w->checkers->pairs[observer][peer].leaves;
}

size_t checkers_refusals(const struct world *w, int observer, bool by_peer,
                         uint8_t reason)
{
    return w->checkers->refusals[observer][by_peer][reason];
}

enum node_path checkers_path(const struct world *w, int observer, int peer)
{
    struct node_peer view;
    const struct process *p = w->hosts[observer].process;

    if (p == NULL ||
        !node_peer_get(p->node, &w->hosts[peer].identity.id, &view))
        return PATH_NONE;
    return view.path;
}

static bool shares_multicast(const struct world *w, const struct host *a,
                             const struct host *b)
{
    for (size_t i = 0; i < a->interface_count; i++)
        for (size_t k = 0; k < b->interface_count; k++)
            if (a->interfaces[i].segment == b->interfaces[k].segment &&
                !a->interfaces[i].down && !b->interfaces[k].down &&
                w->segments[a->interfaces[i].segment].multicast &&
                a->multicast && b->multicast &&
                network_may_open(w, a->index, b->index) &&
                network_may_open(w, b->index, a->index))
                return true;
    return false;
}

static bool is_configured(struct world *w, const struct host *a,
                          const struct host *b)
{
    for (size_t i = 0; i < a->peer_count; i++)
        if (a->peers[i] == b->index && network_reaches(w, a->index, b->index))
            return true;
    return false;
}

static bool shares_relay(struct world *w, const struct host *a,
                         const struct host *b)
{
    for (size_t i = 0; a->relay && i < a->relay_count; i++)
        for (size_t k = 0; b->relay && k < b->relay_count; k++)
            if (a->relays[i] == b->relays[k] && host_runs(w, a->relays[i]) &&
                network_reaches(w, a->index, a->relays[i]) &&
                network_reaches(w, b->index, b->relays[k]))
                return true;
    return false;
}

enum node_path checkers_best_path(struct world *w, int first, int second)
{
    const struct host *a = &w->hosts[first], *b = &w->hosts[second];
    bool relay = shares_relay(w, a, b);
    bool direct = a->tcp && b->tcp &&
                  (network_reaches(w, first, second) ||
                   network_reaches(w, second, first));

    if (a->outcast != b->outcast)
        return PATH_NONE;
    if (direct && (relay || shares_multicast(w, a, b) ||
                   is_configured(w, a, b) || is_configured(w, b, a)))
        return PATH_TCP;
    return relay ? PATH_RELAY : PATH_NONE;
}

/* Of two nodes that are relayed, or have the path `now` instead. */
static enum node_path best_of_udp(const struct world *w, int a, int b,
                                  enum node_path now)
{
    switch (udp_best_of(w, a, b)) {
    case UDP_BEST_DIRECT:
        return PATH_UDP;
    case UDP_BEST_MAYBE:
        return now == PATH_UDP ? PATH_UDP : PATH_RELAY;
    case UDP_BEST_NEVER:
        break;
    }
    return PATH_RELAY;
}

/* --- after healing ----------------------------------------------------- */

static bool pair_is_settled(struct world *w, int a, int b, bool by_any_path,
                            char *why, size_t size)
{
    bool there = checkers_joined(w, a, b);
    enum node_path best, path;

    if (hostile_is(w, a) || hostile_is(w, b) || checkers_relay_lies(w))
        return true;
    if (!host_runs(w, b)) {
        snprintf(why, size, "%d does not run, and is there for %d", b, a);
        return !there;
    }
    best = checkers_best_path(w, a, b);
    path = checkers_path(w, a, b);
    if (best == PATH_RELAY)
        best = best_of_udp(w, a, b, path);
    snprintf(why, size, "%d is %s for %d by %s, and ought to be by %s", b,
             there ? "there" : "not there", a, node_path_name(path),
             node_path_name(best));
    /* If links are limited, a path may open only with the first message. */
    by_any_path = by_any_path || w->limits.links < HOSTS;
    return best == PATH_NONE || (there && (by_any_path || path == best));
}

static bool all_pairs(struct world *w, bool by_any_path, char *why, size_t size)
{
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if (a != b && w->hosts[a].process != NULL && host_runs(w, a) &&
                !w->hosts[b].is_relay &&
                !pair_is_settled(w, a, b, by_any_path, why, size))
                return false;
    return true;
}

bool checkers_is_settled(struct world *w)
{
    char why[200];

    return all_pairs(w, false, why, sizeof(why));
}

void checkers_settle_presence(struct world *w)
{
    char why[200];

    if (!all_pairs(w, true, why, sizeof(why)))
        world_fail(w, "settle", "%s", why);
}

/* A receiver fell silent and may come back, or has no path: the message may
 * wait for at most a minute [P-6.10]. */
static bool may_wait(const struct world *w, const struct sent *s)
{
    static const struct span most = {(60 + 10) * 1000 * 1000};

    /* Time in which the sender's process was stopped does not count [P-8.6]. */
    struct instant from = instant_max(s->at, w->hosts[s->from].disturbed_until);

    if (instant_reached(instant_after(from, most), w->now))
        return false;
    if (w->limits.links < HOSTS)
        return true; /* It waits for a free link. */
    for (int i = 0; i < w->host_count; i++)
        if ((s->to < 0 || s->to == i) && i != s->from &&
            !w->hosts[i].is_relay && checkers_path(w, s->from, i) == PATH_NONE)
            return true;
    return false;
}

static void is_open(struct world *w, const char *checker, size_t i)
{
    static const char *const kinds[] = {"message", "publication", "ping"};
    const struct sent *s = &w->checkers->sent[i];

    world_fail(w, checker, "%s %zu of %d to %d, sent at %.6f s, is open",
               kinds[s->kind], i + 1, s->from, s->to, (double)s->at.us / 1e6);
}

static void check_reports(struct world *w)
{
    for (size_t i = 0; i < w->checkers->sent_count; i++) {
        const struct sent *s = &w->checkers->sent[i];
        const struct process *p = w->hosts[s->from].process;

        if (p != NULL && p->serial == s->from_serial && !s->reported &&
            !may_wait(w, s) && !checkers_relay_lies(w) &&
            !(w->hostile != NULL && s->kind == SENT_PUBLISHED) &&
            !hostile_is(w, s->from) && (s->to < 0 || !hostile_is(w, s->to)))
            is_open(w, "report", i);
    }
}

void checkers_done(struct world *w, const struct process *p)
{
    for (size_t i = 0; i < w->checkers->sent_count && !w->failed; i++) {
        const struct sent *s = &w->checkers->sent[i];

        if (s->from_serial == p->serial && !s->reported && s->kind != SENT_PING)
            is_open(w, "leave", i);
    }
}

static void check_ready(struct world *w)
{
    for (int a = 0; a < w->host_count; a++)
        if (w->hosts[a].process != NULL &&
            w->hosts[a].process->waits_to_publish && !hostile_is(w, a))
            world_fail(w, "ready", "%d waits to publish from %.6f s on", a,
                       (double)w->hosts[a].process->waits_since.us / 1e6);
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            /* A message may wait for a path [P-6.10]. */
            if (w->hosts[a].process != NULL && !hostile_is(w, a) &&
                !hostile_is(w, b) && checkers_awaits_ready(w, a, b) &&
                checkers_path(w, a, b) != PATH_NONE)
                world_fail(w, "ready", "%d was busy towards %d from %.6f s on",
                           a, b,
                           (double)w->checkers->pairs[a][b].busy_at.us / 1e6);
}

void checkers_settle(struct world *w)
{
    char why[200];

    if (!all_pairs(w, false, why, sizeof(why)))
        world_fail(w, "settle", "%s", why);
    check_reports(w);
    if (checkers_relay_lies(w))
        return;
    check_ready(w);
    accounts_settle(w);
    udp_hosts_settle(w);
}
