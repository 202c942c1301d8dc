#include "tests/sim/checkers.h"

#include "common/base/memory.h"
#include "tests/sim/hostile.h"

#include <stdio.h>
#include <stdlib.h>

struct sent {
    enum sent_kind kind;
    int from, to; /* hosts; to: -1 for PUBLISHED */
    uint32_t from_serial;
    size_t size;
    struct instant at;
    bool reported;
    enum node_outcome outcome;
    uint32_t handed_to; /* a bit for each host */
};

struct pair {
    bool joined;
    struct instant joined_at;
    size_t leaves;
    uint64_t last_ref;    /* handed over last, of the sender's process */
    uint32_t last_serial; /* of that process */
    bool awaits_ready;
    struct instant busy_at;
    size_t count;
    struct instant handed_at; /* the last one */
    struct span gap;          /* the longest between two */
};

struct checkers {
    struct sent *sent; /* by ref - 1 */
    size_t sent_count, sent_capacity;
    struct pair pairs[HOSTS][HOSTS]; /* [observer][peer], of its process */
    size_t refusals[HOSTS][2][32];
    uint64_t opportunities; /* for sabotage */
    bool done;              /* it was done */
    struct {
        bool full;
        struct process *at;
        int from;
        uint8_t *data;
        size_t size;
    } late; /* a message kept back */
};

struct checkers *checkers_new(void)
{
    return memory_new(sizeof(struct checkers));
}

void checkers_free(struct checkers *c)
{
    free(c->sent);
    free(c->late.data);
    free(c);
}

static int host_of(const struct world *w, const struct node_id *id)
{
    for (int i = 0; i < w->host_count; i++)
        if (!w->hosts[i].is_relay &&
            node_id_equal(&w->hosts[i].identity.id, id))
            return i;
    return -1;
}

/* Everything that a relay says may be a lie: about who is there as well. */
static bool relay_lies(const struct world *w)
{
    for (int i = 0; i < w->host_count; i++)
        if (w->hosts[i].is_relay && hostile_is(w, i))
            return true;
    return false;
}

static bool is_disturbed(const struct world *w, int host)
{
    return hostile_is(w, host) || relay_lies(w) ||
           w->hosts[host].disturbed_until.us > w->now.us;
}

/* --- sending ----------------------------------------------------------------
 */

/* Pseudo-random words of the ref, from byte 8 on; the last one may be cut. */
static uint64_t filler(uint64_t ref, size_t at)
{
    return (ref + at) * 0x9e3779b97f4a7c15;
}

static size_t part_at(size_t at, size_t size)
{
    return size - at < 8 ? size - at : 8;
}

static void fill(uint64_t ref, uint8_t *data, size_t size)
{
    for (size_t i = 8; i < size; i += 8) {
        uint64_t word = filler(ref, i);

        memcpy(data + i, &word, part_at(i, size));
    }
}

static bool is_whole(uint64_t ref, struct bytes data)
{
    for (size_t i = 8; i < data.size; i += 8) {
        uint64_t word = filler(ref, i);

        if (memcmp(data.data + i, &word, part_at(i, data.size)) != 0)
            return false;
    }
    return true;
}

uint64_t checkers_submit(struct world *w, enum sent_kind kind, int from, int to,
                         uint8_t *data, size_t size)
{
    struct checkers *c = w->checkers;
    uint64_t ref = c->sent_count + 1;
    struct writer out = writer_of(data, size);

    if (c->sent_count == c->sent_capacity) {
        c->sent_capacity = c->sent_capacity == 0 ? 256 : 2 * c->sent_capacity;
        c->sent = memory_resize(c->sent, c->sent_capacity, sizeof(*c->sent));
    }
    c->sent[c->sent_count++] = (struct sent){
        .kind = kind,
        .from = from,
        .to = to,
        .from_serial = w->hosts[from].process->serial,
        .size = size,
        .at = w->now,
    };
    write_u64(&out, ref);
    fill(ref, data, size);
    return ref;
}

static struct sent *sent_by(const struct world *w, uint64_t ref)
{
    if (ref < 1 || ref > w->checkers->sent_count)
        return NULL;
    return &w->checkers->sent[ref - 1];
}

bool checkers_reported(const struct world *w, uint64_t ref,
                       enum node_outcome *outcome)
{
    const struct sent *s = sent_by(w, ref);

    *outcome = s->outcome;
    return s->reported;
}

bool checkers_handed_over(const struct world *w, uint64_t ref, int to)
{
    return (sent_by(w, ref)->handed_to >> to & 1) != 0;
}

/* --- processes
 * ---------------------------------------------------------------- */

void checkers_started(struct world *w, const struct process *p)
{
    memset(w->checkers->pairs[p->host], 0, sizeof(w->checkers->pairs[0]));
}

void checkers_ended(struct world *w, const struct process *p)
{
    struct checkers *c = w->checkers;

    memset(c->pairs[p->host], 0, sizeof(c->pairs[0]));
    if (c->late.at == p)
        c->late.full = false;
}

/* --- what a node says
 * ------------------------------------------------------------ */

static void handed_over(struct world *w, struct process *p, int from,
                        struct bytes data)
{
    struct pair *pair = &w->checkers->pairs[p->host][from];
    struct reader r = reader_of(data);
    uint64_t ref = read_u64(&r);
    struct sent *s = sent_by(w, ref);

    world_say(w, "%d has %llu from %d (%zu)", p->host, (unsigned long long)ref,
              from, data.size);
    if (!pair->joined)
        world_fail(w, "presence", "%d has a message of %d, which did not join",
                   p->host, from);
    if (hostile_is(w, from) || hostile_is(w, p->host))
        return;
    if (s == NULL || s->size != data.size || s->kind == SENT_PING) {
        world_fail(w, "content", "%d has a message that nobody sent", p->host);
        return;
    }
    if (!is_whole(ref, data)) {
        world_fail(w, "content", "message %llu is damaged at %d",
                   (unsigned long long)ref, p->host);
        return;
    }
    if (s->from != from || (s->to != p->host && s->to != -1))
        world_fail(w, "content", "message %llu of %d to %d: at %d, as from %d",
                   (unsigned long long)ref, s->from, s->to, p->host, from);
    if ((s->handed_to >> p->host & 1) != 0)
        world_fail(w, "once", "message %llu came twice to %d",
                   (unsigned long long)ref, p->host);
    s->handed_to |= (uint32_t)1 << p->host;
    if (pair->last_serial == s->from_serial && ref < pair->last_ref)
        world_fail(w, "order", "message %llu came after %llu to %d",
                   (unsigned long long)ref, (unsigned long long)pair->last_ref,
                   p->host);
    pair->last_serial = s->from_serial;
    pair->last_ref = ref;
    pair->count++;
    pair->gap = span_max(pair->gap, instant_between(pair->handed_at, w->now));
    pair->handed_at = w->now;
}

static uint32_t bits_of(uint32_t mask)
{
    uint32_t count = 0;

    for (; mask != 0; mask &= mask - 1)
        count++;
    return count;
}

static void check_outcome(struct world *w, const struct sent *s, uint64_t ref,
                          uint32_t delivered)
{
    unsigned long long number = ref;

    /* Who lies about what it has cannot be held to it. */
    if (s->kind == SENT_PING || hostile_is(w, s->from) ||
        (s->to >= 0 && hostile_is(w, s->to)))
        return;
    if (s->kind == SENT_PUBLISHED && w->hostile != NULL)
        return;
    if (s->kind == SENT_PUBLISHED) {
        if (delivered > bits_of(s->handed_to))
            world_fail(w, "delivered",
                       "publication %llu: %u reported, %u have it", number,
                       delivered, bits_of(s->handed_to));
        return;
    }
    switch (s->outcome) {
    case OUTCOME_DELIVERED:
        if (s->handed_to == 0)
            world_fail(w, "delivered", "message %llu is not at %d", number,
                       s->to);
        return;
    case OUTCOME_NOT_DELIVERED:
    case OUTCOME_PEER_RESTARTED:
        /* Whom only a beacon reaches is there, yet cannot be sent to. */
        if (!is_disturbed(w, s->from) && !is_disturbed(w, s->to) &&
            checkers_best_path(w, s->from, s->to) != PATH_NONE)
            world_fail(w, "delivered",
                       "message %llu from %d to %d: %s, and nothing happened",
                       number, s->from, s->to, node_outcome_name(s->outcome));
        return;
    case OUTCOME_UNKNOWN_PEER:
    case OUTCOME_BUSY:
    case OUTCOME_TOO_LARGE:
        if (s->handed_to != 0)
            world_fail(w, "delivered", "message %llu: %s, yet it is at %d",
                       number, node_outcome_name(s->outcome), s->to);
        return;
    }
}

static void reported(struct world *w, struct process *p, uint64_t ref,
                     enum node_outcome outcome, uint32_t delivered)
{
    struct sent *s = sent_by(w, ref);

    world_say(w, "%d reports %llu %s", p->host, (unsigned long long)ref,
              node_outcome_name(outcome));
    if (s == NULL || s->from_serial != p->serial) {
        world_fail(w, "report", "%d reports %llu, which it did not send",
                   p->host, (unsigned long long)ref);
        return;
    }
    if (s->reported)
        world_fail(w, "report", "%llu is reported twice: %s, then %s",
                   (unsigned long long)ref, node_outcome_name(s->outcome),
                   node_outcome_name(outcome));
    s->reported = true;
    s->outcome = outcome;
    if (outcome == OUTCOME_BUSY && s->kind == SENT_MESSAGE) {
        struct pair *pair = &w->checkers->pairs[p->host][s->to];

        pair->awaits_ready = true;
        pair->busy_at = w->now;
    }
    check_outcome(w, s, ref, delivered);
}

static void joined(struct world *w, struct process *p, int peer)
{
    struct pair *pair = &w->checkers->pairs[p->host][peer];

    world_say(w, "%d: %d joined, %s", p->host, peer,
              node_path_name(checkers_path(w, p->host, peer)));
    if (pair->joined)
        world_fail(w, "presence", "%d joined twice at %d", peer, p->host);
    if (w->hosts[peer].outcast && !w->hosts[p->host].outcast)
        world_fail(w, "presence", "%d joined at %d, which was to refuse it",
                   peer, p->host);
    if (w->hosts[peer].starts == 0)
        world_fail(w, "presence", "%d joined at %d, and never ran", peer,
                   p->host);
    pair->joined = true;
    pair->joined_at = w->now;
}

static void left(struct world *w, struct process *p, int peer,
                 enum departure reason)
{
    struct pair *pair = &w->checkers->pairs[p->host][peer];

    world_say(w, "%d: %d left, reason %d", p->host, peer, (int)reason);
    if (!pair->joined)
        world_fail(w, "presence", "%d left %d without having joined", peer,
                   p->host);
    if (reason == DEPARTURE_LOST && !is_disturbed(w, p->host) &&
        !is_disturbed(w, peer) &&
        checkers_best_path(w, p->host, peer) != PATH_NONE)
        world_fail(w, "presence", "%d left %d, and nothing happened", peer,
                   p->host);
    pair->joined = false;
    pair->awaits_ready = false;
    pair->leaves++;
}

static void of_a_peer(struct world *w, struct process *p, int peer,
                      const char *what)
{
    if (!w->checkers->pairs[p->host][peer].joined)
        world_fail(w, "presence", "%d is told %s of %d, which did not join",
                   p->host, what, peer);
}

static void path_changed(struct world *w, struct process *p, int peer,
                         const struct node_todo *t)
{
    of_a_peer(w, p, peer, "a path");
    world_say(w, "%d: %d by %s, was %s", p->host, peer,
              node_path_name(t->peer.peer.path), node_path_name(t->peer.was));
}

static void observe(struct world *w, struct process *p,
                    const struct node_todo *t)
{
    int peer = -1;

    if (t->kind == NODE_REPORT) {
        reported(w, p, t->report.ref.value, t->report.outcome,
                 t->report.delivered);
        return;
    }
    peer = host_of(w, &t->peer.peer.id);
    if (peer < 0) {
        world_fail(w, "presence", "%d speaks of a stranger", p->host);
    } else if (t->kind == NODE_JOINED) {
        joined(w, p, peer);
    } else if (t->kind == NODE_LEFT) {
        left(w, p, peer, t->peer.reason);
    } else if (t->kind == NODE_PATH) {
        path_changed(w, p, peer, t);
    } else if (t->kind == NODE_MESSAGE) {
        handed_over(w, p, peer, t->peer.message.data);
    } else if (t->kind == NODE_READY) {
        of_a_peer(w, p, peer, "READY");
        w->checkers->pairs[p->host][peer].awaits_ready = false;
    }
}

/* --- sabotage
 * ---------------------------------------------------------------------- */

static const struct {
    const char *name, *found_by;
    enum node_todo_kind at; /* the kind of item that it spoils */
    unsigned nth;           /* which one of these */
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
    [SABOTAGE_NO_DIRECT] = {"no-direct", "settle", NODE_MULTICAST, 0},
    [SABOTAGE_NO_READY] = {"no-ready", "ready", NODE_READY, 1},
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

static bool is_time(struct world *w, const struct node_todo *t)
{
    struct checkers *c = w->checkers;

    if (c->done || sabotages[w->sabotage].nth == 0 ||
        sabotages[w->sabotage].at != t->kind)
        return false;
    if (w->sabotage == SABOTAGE_LIE)
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
    struct reader r = reader_of(bytes_of(c->late.data, c->late.size));
    struct sent *s = sent_by(w, read_u64(&r));

    s->handed_to &= ~((uint32_t)1 << c->late.at->host);
    s->handed_to |= (uint32_t)handed << c->late.at->host;
}

static void keep_back(struct world *w, struct process *p,
                      const struct node_todo *t)
{
    struct checkers *c = w->checkers;
    struct bytes data = t->peer.message.data;

    c->late.full = true;
    c->late.at = p;
    c->late.from = host_of(w, &t->peer.peer.id);
    c->late.data = memory_copy(data.data, data.size);
    c->late.size = data.size;
    mark_late(w, true); /* It is at its node, only not in its turn. */
}

/* True if the item was dealt with. */
static bool spoil(struct world *w, struct process *p, const struct node_todo *t)
{
    struct node_todo other = *t;
    uint8_t *copy;

    switch (w->sabotage) {
    case SABOTAGE_DUPLICATE:
    case SABOTAGE_JOIN_TWICE:
    case SABOTAGE_REPORT_TWICE:
        observe(w, p, t);
        return false;
    case SABOTAGE_DROP:
    case SABOTAGE_NO_REPORT:
    case SABOTAGE_NO_JOIN:
    case SABOTAGE_NO_LEAVE:
    case SABOTAGE_NO_READY:
        return true;
    case SABOTAGE_REORDER:
        keep_back(w, p, t);
        return true;
    case SABOTAGE_CORRUPT:
        copy =
            memory_copy(t->peer.message.data.data, t->peer.message.data.size);
        copy[t->peer.message.data.size - 1] ^= 1;
        other.peer.message.data.data = copy;
        observe(w, p, &other);
        free(copy);
        return true;
    case SABOTAGE_MISROUTE:
        for (int i = 0; i < w->host_count; i++)
            if (w->checkers->pairs[p->host][i].joined &&
                i != host_of(w, &t->peer.peer.id))
                other.peer.peer.id = w->hosts[i].identity.id;
        observe(w, p, &other);
        return true;
    case SABOTAGE_LIE:
        other.report.outcome = OUTCOME_DELIVERED;
        observe(w, p, &other);
        return true;
    case SABOTAGE_DENY:
        other.report.outcome = OUTCOME_NOT_DELIVERED;
        observe(w, p, &other);
        return true;
    case SABOTAGE_FALSE_LEAVE:
        other.kind = NODE_LEFT;
        other.peer.reason = DEPARTURE_LOST;
        observe(w, p, &other);
        return false;
    case SABOTAGE_NONE:
    case SABOTAGE_NO_DIRECT:
    case SABOTAGE_STORE:
    case SABOTAGE_QUEUE:
    case SABOTAGE_CLOCK:
    case SABOTAGE_COUNT:
        break;
    }
    return false;
}

static void hand_over_late(struct world *w, const struct process *p, int from)
{
    struct checkers *c = w->checkers;

    if (!c->late.full || c->late.at != p || c->late.from != from)
        return;
    c->late.full = false;
    mark_late(w, false);
    handed_over(w, c->late.at, from, bytes_of(c->late.data, c->late.size));
}

void checkers_observe(struct world *w, struct process *p,
                      const struct node_todo *t)
{
    if (is_time(w, t) && spoil(w, p, t))
        return;
    observe(w, p, t);
    if (t->kind == NODE_MESSAGE)
        hand_over_late(w, p, host_of(w, &t->peer.peer.id));
}

/* --- bounds
 * ---------------------------------------------------------------------------
 */

void checkers_note(struct world *w, struct process *p,
                   const struct node_todo *t)
{
    if (t->kind == NODE_REFUSED && t->refused.reason < 32) {
        w->checkers->refusals[p->host][t->refused.by_peer][t->refused.reason]++;
        world_say(w, "%d: %s refused %s: %s", p->host,
                  t->refused.by_peer ? "was" : "has", t->refused.name,
                  refusal_name(t->refused.reason));
    }
}

void checkers_after_step(struct world *w, struct process *p)
{
    struct node_counters counters;
    uint64_t limit = w->limits.window + MESSAGE_HEADER_SIZE;

    if (w->steps % 16 != 0)
        return;
    node_counters_get(p->node, &counters);
    if (limit < w->limits.message)
        limit = w->limits.message; /* One may be larger than the window. */
    limit *= (uint64_t)w->host_count;
    if (w->sabotage == SABOTAGE_STORE)
        counters.store_bytes += limit;
    if (counters.store_bytes > limit)
        world_fail(w, "bounds", "%d stores %llu bytes, more than %llu", p->host,
                   (unsigned long long)counters.store_bytes,
                   (unsigned long long)limit);
}

void checkers_after_hub_step(struct world *w, struct hub_process *p)
{
    struct hub_counters counters;
    /* Control packets have a queue of their own. */
    uint64_t limit = 2 * (w->limits.hub_queue + 512 * 1024);

    if (w->steps % 16 != 0)
        return;
    hub_counters_get(p->hub, &counters);
    limit *= counters.edges + 1;
    if (w->sabotage == SABOTAGE_QUEUE)
        counters.queue_bytes += limit;
    if (counters.queue_bytes > limit)
        world_fail(w, "bounds", "relay %d queues %llu bytes, more than %llu",
                   p->host, (unsigned long long)counters.queue_bytes,
                   (unsigned long long)limit);
}

/* --- questions
 * ----------------------------------------------------------------------------
 */

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

/* --- after healing
 * ---------------------------------------------------------------------------
 */

static bool pair_is_settled(struct world *w, int a, int b, char *why,
                            size_t size)
{
    bool there = checkers_joined(w, a, b);
    enum node_path best, path;

    if (hostile_is(w, a) || hostile_is(w, b) || relay_lies(w))
        return true;
    if (!host_runs(w, b)) {
        snprintf(why, size, "%d does not run, and is there for %d", b, a);
        return !there;
    }
    best = checkers_best_path(w, a, b);
    path = checkers_path(w, a, b);
    snprintf(why, size, "%d is %s for %d by %s, and ought to be by %s", b,
             there ? "there" : "not there", a, node_path_name(path),
             node_path_name(best));
    return best == PATH_NONE || (there && path == best);
}

static bool all_pairs(struct world *w, char *why, size_t size)
{
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if (a != b && w->hosts[a].process != NULL && host_runs(w, a) &&
                !w->hosts[b].is_relay && !pair_is_settled(w, a, b, why, size))
                return false;
    return true;
}

bool checkers_is_settled(struct world *w)
{
    char why[200];

    return all_pairs(w, why, sizeof(why));
}

static void check_reports(struct world *w)
{
    static const char *const kinds[] = {"message", "publication", "ping"};

    for (size_t i = 0; i < w->checkers->sent_count; i++) {
        const struct sent *s = &w->checkers->sent[i];
        const struct process *p = w->hosts[s->from].process;

        if (p != NULL && p->serial == s->from_serial && !s->reported &&
            !relay_lies(w) &&
            !(w->hostile != NULL && s->kind == SENT_PUBLISHED) &&
            !hostile_is(w, s->from) && (s->to < 0 || !hostile_is(w, s->to)))
            world_fail(
                w, "report", "%s %zu of %d to %d, sent at %.6f s, is open",
                kinds[s->kind], i + 1, s->from, s->to, (double)s->at.us / 1e6);
    }
}

static void check_ready(struct world *w)
{
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if (w->hosts[a].process != NULL && !hostile_is(w, a) &&
                !hostile_is(w, b) && checkers_awaits_ready(w, a, b))
                world_fail(w, "ready", "%d was busy towards %d from %.6f s on",
                           a, b,
                           (double)w->checkers->pairs[a][b].busy_at.us / 1e6);
}

void checkers_settle(struct world *w)
{
    char why[200];

    if (!all_pairs(w, why, sizeof(why)))
        world_fail(w, "settle", "%s", why);
    check_reports(w);
    if (!relay_lies(w))
        check_ready(w);
}
