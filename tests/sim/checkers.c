#include "tests/sim/checkers_private.h"

#include "common/base/memory.h"
#include "tests/sim/hostile.h"

#include <stdlib.h>

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

int checkers_host_of(const struct world *w, const struct node_id *id)
{
    for (int i = 0; i < w->host_count; i++)
        if (!w->hosts[i].is_relay &&
            node_id_equal(&w->hosts[i].identity.id, id))
            return i;
    return -1;
}

/* A hostile relay may lie about everything, also about which nodes are
 * present. */
bool checkers_relay_lies(const struct world *w)
{
    for (int i = 0; i < w->host_count; i++)
        if (w->hosts[i].is_relay && hostile_is(w, i))
            return true;
    return false;
}

static bool is_disturbed(const struct world *w, int host)
{
    const struct host *h = &w->hosts[host];
    bool ill = hostile_is(w, host) || checkers_relay_lies(w) ||
               !host_runs(w, host) || h->disturbed_until.us > w->now.us;

    for (int i = 0; !ill && i < w->host_count; i++)
        ill = network_is_ill(w, host, i) || network_is_ill(w, i, host);
    for (size_t i = 0; !ill && i < h->relay_count; i++)
        ill = network_is_ill(w, host, h->relays[i]) ||
              is_disturbed(w, h->relays[i]);
    return ill;
}

/* --- sending ----------------------------------------------------------- */

/* Pseudo-random words made from the ref, from byte 8 on; the last may be
 * cut. */
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
        .to = kind == SENT_PUBLISHED ? -1 : to,
        .group = kind == SENT_PUBLISHED ? to : 0,
        .from_serial = w->hosts[from].process->serial,
        .size = size,
        .at = w->now,
    };
    if (kind == SENT_PUBLISHED)
        accounts_submitted(w, &c->sent[ref - 1]);
    write_u64(&out, ref);
    fill(ref, data, size);
    return ref;
}

struct sent *checkers_sent(const struct world *w, uint64_t ref)
{
    if (ref < 1 || ref > w->checkers->sent_count)
        return NULL;
    return &w->checkers->sent[ref - 1];
}

void checkers_published(struct world *w, uint64_t ref, uint32_t peers)
{
    checkers_sent(w, ref)->peers = peers;
}

bool checkers_reported(const struct world *w, uint64_t ref,
                       enum node_outcome *outcome)
{
    const struct sent *s = checkers_sent(w, ref);

    *outcome = s->outcome;
    return s->reported;
}

bool checkers_handed_over(const struct world *w, uint64_t ref, int to)
{
    return (checkers_sent(w, ref)->handed_to >> to & 1) != 0;
}

/* --- processes --------------------------------------------------------- */

void checkers_started(struct world *w, const struct process *p)
{
    memset(w->checkers->pairs[p->host], 0, sizeof(w->checkers->pairs[0]));
    accounts_started(w, p);
}

void checkers_ended(struct world *w, const struct process *p)
{
    struct checkers *c = w->checkers;

    memset(c->pairs[p->host], 0, sizeof(c->pairs[0]));
    if (c->late.at == p)
        c->late.full = false;
}

/* --- what a node says -------------------------------------------------- */

static void handed_in_order(struct world *w, struct process *p, int from,
                            const struct sent *s, uint64_t ref)
{
    struct pair *pair = &w->checkers->pairs[p->host][from];

    if (pair->last_serial == s->from_serial && ref < pair->last_ref)
        world_fail(w, "order", "message %llu came after %llu to %d",
                   (unsigned long long)ref, (unsigned long long)pair->last_ref,
                   p->host);
    pair->last_serial = s->from_serial;
    pair->last_ref = ref;
}

static bool is_of(const struct sent *s, const struct message *m)
{
    if (s->size != m->data.size)
        return false;
    if (s->kind == SENT_PUBLISHED)
        return m->kind == MESSAGE_EVENT &&
               accounts_of_name(m->group) == s->group;
    return s->kind == SENT_MESSAGE && m->kind == MESSAGE_SEND;
}

void checkers_handed(struct world *w, struct process *p, int from,
                     const struct message *m)
{
    struct pair *pair = &w->checkers->pairs[p->host][from];
    struct reader r = reader_of(m->data);
    uint64_t ref = read_u64(&r);
    struct sent *s = checkers_sent(w, ref);

    world_say(w, "%d has %llu from %d (%zu)", p->host, (unsigned long long)ref,
              from, m->data.size);
    if (!pair->joined)
        world_fail(w, "presence", "%d has a message of %d, which did not join",
                   p->host, from);
    if (hostile_is(w, from) || hostile_is(w, p->host))
        return;
    if (s == NULL || !is_of(s, m)) {
        world_fail(w, "content", "%d has a message that nobody sent", p->host);
        return;
    }
    if (!is_whole(ref, m->data)) {
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
    s->handed_to |= (uint64_t)1 << p->host;
    if (s->kind == SENT_PUBLISHED)
        accounts_handed(w, p, s, ref);
    else
        handed_in_order(w, p, from, s, ref);
    pair->count++;
    pair->gap = span_max(pair->gap, instant_between(pair->handed_at, w->now));
    pair->handed_at = w->now;
}

/* The host leaves, and its second for queued messages is over. */
static bool is_over(const struct world *w, int host)
{
    static const struct span nearly = {900 * 1000};
    const struct process *p = w->hosts[host].process;

    return p != NULL && p->leaving &&
           instant_reached(instant_after(p->leaving_since, nearly), w->now);
}

static bool left_lately(const struct world *w, int observer, int peer)
{
    static const struct span linger = {60 * 1000 * 1000};
    const struct pair *pair = &w->checkers->pairs[observer][peer];

    return pair->leaves > 0 &&
           !instant_reached(instant_after(pair->left_at, linger), w->now);
}

/* One of them saw the other fall silent, the other saw the link break: the
 * first still waits when the second has given up [P-6.10]. */
static bool were_apart(const struct world *w, const struct sent *s)
{
    return left_lately(w, s->from, s->to) || left_lately(w, s->to, s->from);
}

static void check_outcome(struct world *w, const struct sent *s, uint64_t ref)
{
    unsigned long long number = ref;

    /* A hostile node may lie about what it received. */
    if (s->kind != SENT_MESSAGE || hostile_is(w, s->from) ||
        (s->to >= 0 && hostile_is(w, s->to)))
        return;
    switch (s->outcome) {
    case OUTCOME_DELIVERED:
        if (s->handed_to == 0)
            world_fail(w, "delivered", "message %llu is not at %d", number,
                       s->to);
        return;
    case OUTCOME_NOT_DELIVERED:
    case OUTCOME_PEER_RESTARTED:
        /* A peer that only beacons reach is present, but has no path. */
        if (!is_over(w, s->from) && !is_disturbed(w, s->from) &&
            !is_disturbed(w, s->to) && !were_apart(w, s) &&
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
                     enum node_outcome outcome)
{
    struct sent *s = checkers_sent(w, ref);

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
    if (outcome == OUTCOME_BUSY && s->kind == SENT_PUBLISHED) {
        p->waits_to_publish = true;
        p->waits_since = w->now;
    }
    if (s->kind == SENT_PUBLISHED)
        accounts_reported(w, s);
    check_outcome(w, s, ref);
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
    accounts_joined(w, p->host, peer);
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
        !is_disturbed(w, peer) && !w->hosts[p->host].outcast &&
        checkers_best_path(w, p->host, peer) != PATH_NONE)
        world_fail(w, "presence", "%d left %d, and nothing happened", peer,
                   p->host);
    pair->joined = false;
    pair->left_at = w->now;
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
              node_path_name(t->peer.peer->path), node_path_name(t->peer.was));
}

static bool is_nobody(const struct node_id *id)
{
    static const struct node_id nobody;

    return node_id_equal(id, &nobody);
}

void checkers_see(struct world *w, struct process *p, const struct node_todo *t)
{
    int peer = -1;

    if (t->kind == NODE_REPORT) {
        reported(w, p, t->report.ref.value, t->report.outcome);
        return;
    }
    if (t->kind == NODE_READY && is_nobody(&t->peer.peer->id)) {
        p->waits_to_publish = false;
        return;
    }
    peer = checkers_host_of(w, &t->peer.peer->id);
    if (peer < 0) {
        world_fail(w, "presence", "%d speaks of a stranger", p->host);
    } else if (t->kind == NODE_JOINED) {
        joined(w, p, peer);
    } else if (t->kind == NODE_LEFT) {
        left(w, p, peer, t->peer.reason);
    } else if (t->kind == NODE_PATH) {
        path_changed(w, p, peer, t);
    } else if (t->kind == NODE_MESSAGE) {
        checkers_handed(w, p, peer, &t->peer.message);
    } else if (t->kind == NODE_GAP) {
        accounts_gap(w, p, peer, t->peer.missed);
    } else if (t->kind == NODE_READY) {
        of_a_peer(w, p, peer, "READY");
        w->checkers->pairs[p->host][peer].awaits_ready = false;
    }
}

/* --- bounds ------------------------------------------------------------ */

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
        limit = w->limits.message; /* A message may exceed the window. */
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
