/*
 * Refused nodes: this node keeps the announcements of nodes that it refused for
 * a reason that may pass. It judges them again when the table of peers has
 * room, when the clock jumps, when another process of a node or a revocation
 * list comes or goes, and every 30 s [P-3.7].
 */
#include "edge/core/refused_nodes.h"

#include "common/base/memory.h"
#include "edge/core/node_private.h"

#include <stdlib.h>

/* Limits of the table; beyond them the oldest refused node is dropped. */
enum { REFUSED_NODES = 1024, REFUSED_NODES_BYTES = 4 * 1024 * 1024 };
/* How many announcements one step verifies. */
enum { LOOKS = 32 };

static const struct span from_time_to_time = {30 * 1000 * 1000};
/* From a change to the next look, so that the change is complete by then. */
static const struct span soon = {20 * 1000};
static const struct span looks_apart = {250 * 1000};
/* A refused node that no relay lists is there if a beacon came this recently;
 * nodes send one beacon a second. */
static const struct span still_there = {5 * 1000 * 1000};
/* After so long without a beacon such a node is dropped. */
static const struct span remembered = {11 * (int64_t)60 * 1000 * 1000};

static void unchain(struct node *n, struct refused_node *o)
{
    *(o->older != NULL ? &o->older->newer : &n->oldest_refused) = o->newer;
    *(o->newer != NULL ? &o->newer->older : &n->newest_refused) = o->older;
}

static void chain(struct node *n, struct refused_node *o)
{
    o->older = n->newest_refused;
    o->newer = NULL;
    *(o->older != NULL ? &o->older->newer : &n->oldest_refused) = o;
    n->newest_refused = o;
}

static void drop(struct node *n, struct refused_node *o)
{
    unchain(n, o);
    (void)map_remove(&n->refused_nodes, o->id.key);
    n->refused_bytes -= o->blob_size;
    free(o->blob);
    free(o);
}

void refused_nodes_close(struct node *n)
{
    while (n->oldest_refused != NULL)
        drop(n, n->oldest_refused);
    map_close(&n->refused_nodes);
}

struct refused_node *refused_node_get(const struct node *n,
                                      const struct node_id *id)
{
    return n->refused_nodes.count > 0 ? map_get(&n->refused_nodes, id->key)
                                      : NULL;
}

static bool is_listed(const struct node *n, const struct refused_node *o)
{
    for (size_t i = 0; i < n->relay_count; i++)
        if (o->listed[i])
            return true;
    return false;
}

/* --- refused nodes come and go ------------------------------------------- */

static bool may_pass(enum refusal why)
{
    return why == REFUSAL_FULL || why == REFUSAL_NOT_YET ||
           why == REFUSAL_EXPIRED || why == REFUSAL_REVOKED ||
           why == REFUSAL_NAME_TAKEN || why == REFUSAL_REPLACED;
}

static struct refused_node *take_in(struct node *n, const struct node_id *id,
                                    struct bytes said)
{
    struct refused_node *o = refused_node_get(n, id);
    if (o == NULL) {
        o = memory_new(sizeof *o);
        o->id = *id;
        o->since = n->now;
        o->told_at = (struct instant){INT64_MIN};
        (void)map_put(&n->refused_nodes, o->id.key, o);
        chain(n, o);
    }
    n->refused_bytes += said.size - o->blob_size;
    uint8_t *blob = memory_copy(said.data, said.size);
    free(o->blob);
    o->blob = blob;
    o->blob_size = said.size;
    while (n->oldest_refused != o && (n->refused_nodes.count > REFUSED_NODES ||
                                      n->refused_bytes > REFUSED_NODES_BYTES))
        drop(n, n->oldest_refused);
    return o;
}

struct refused_node *refused_nodes_keep(struct node *n,
                                        struct bytes announcement,
                                        const struct announcement *said,
                                        const struct certificate *c,
                                        enum refusal why, bool is_signed)
{
    struct refused_node *o = refused_node_get(n, &c->node);
    if (!may_pass(why) || node_id_equal(&c->node, &n->certificate.node))
        return NULL;
    if (o != NULL && said->epoch.value < o->epoch.value)
        return NULL;
    bool same =
        o != NULL && bytes_equal(announcement, bytes_of(o->blob, o->blob_size));
    /* Without a signature anybody could have another node refused. */
    if (!same && !is_signed && !announcement_signed_by(announcement, &c->node))
        return NULL;
    if (!same)
        o = take_in(n, &c->node, announcement);
    if (o->epoch.value != said->epoch.value) {
        o->told_at = (struct instant){INT64_MIN};
        o->counter = 0;
        o->skew = (struct skew){0};
        memset(o->listed, 0, sizeof o->listed);
    }
    o->epoch = said->epoch;
    o->not_before = c->not_before;
    o->not_after = c->not_after;
    name_pad(o->name, c->name);
    o->reason = (uint8_t)why;
    o->heard = n->now;
    if (n->refused_deadline.timer.place == 0)
        node_arm(n, &n->refused_deadline,
                 instant_after(n->now, from_time_to_time));
    return o;
}

struct refused_node *refused_nodes_keep_peer(struct node *n, struct peer *p,
                                             enum refusal why)
{
    struct refused_node *o =
        refused_nodes_keep(n, bytes_of(p->blob, p->blob_size), &p->said,
                           &p->certificate, why, true);
    for (size_t i = 0; o != NULL && i < n->relay_count; i++)
        o->listed[i] = p->evidence.relays[i].listed;
    return o;
}

void refused_nodes_keep_replaced(struct node *n, struct peer *p)
{
    bool listed = false;
    for (size_t i = 0; i < n->relay_count; i++)
        listed |= p->evidence.relays[i].listed;
    struct refused_node *o =
        listed ? refused_nodes_keep_peer(n, p, REFUSAL_REPLACED) : NULL;
    if (o == NULL)
        return;
    o->heard = (struct instant){INT64_MIN / 2};
    refused_nodes_look_soon(n); /* Sends a notice, unless the relay drops it. */
}

void refused_nodes_listed(struct node *n, const struct roster_entry *entry,
                          const struct relay *relay)
{
    struct refused_node *o = refused_node_get(n, &entry->node);
    if (o == NULL)
        return;
    o->listed[relay->index] = o->epoch.value == entry->epoch.value;
    if (o->listed[relay->index])
        (void)notices_tell(n, o);
}

void refused_nodes_unlisted(struct node *n, const struct node_id *id,
                            struct epoch epoch, const struct relay *relay,
                            enum departure how)
{
    struct refused_node *o = refused_node_get(n, id);
    if (o == NULL || o->epoch.value != epoch.value)
        return;
    o->listed[relay->index] = false;
    if (how == DEPARTURE_CLOSED || !is_listed(n, o))
        drop(n, o);
}

void refused_nodes_said_bye(struct node *n, const struct node_id *id,
                            struct epoch epoch)
{
    struct refused_node *o = refused_node_get(n, id);
    if (o != NULL && o->epoch.value == epoch.value)
        drop(n, o);
}

/* The relay's next connection begins with a complete roster. */
void refused_nodes_relay_down(struct node *n, const struct relay *relay)
{
    for (struct refused_node *o = n->oldest_refused; o != NULL; o = o->newer)
        o->listed[relay->index] = false;
}

/* --- refused nodes that become peers ------------------------------------- */

void refused_nodes_admit(struct node *n, struct peer *p)
{
    struct refused_node *o = refused_node_get(n, &p->id);
    if (o == NULL || o->epoch.value != p->said.epoch.value)
        return;
    evidence_admitted(&p->evidence);
    for (size_t i = 0; i < n->relay_count; i++) {
        struct relay *relay = &n->relays[i];
        if (!o->listed[i] || relay->state != RELAY_UP)
            continue;
        evidence_listed(&p->evidence, relay->index, relay->roster);
        if (n->use_relays)
            paths_relay_up(&p->paths, relay->index, n->now);
    }
    p->relents = o->told_at.us != INT64_MIN;
    drop(n, o);
    peer_dial_soon(n, p, false);
    peer_touch(n, p);
}

static bool name_is_free(const struct node *n, const struct refused_node *o)
{
    const struct peer *owner = map_get(&n->names, o->name);
    return owner == NULL || !owner->joined || node_id_equal(&owner->id, &o->id);
}

/* Whether there is current evidence that this process is running. */
static bool shows_itself(const struct node *n, const struct refused_node *o)
{
    return is_listed(n, o) || instant_is_recent(o->heard, still_there, n->now);
}

/* The reasons that can be checked without verifying a signature. */
static enum refusal seen_at_once(struct node *n, const struct refused_node *o)
{
    uint64_t now = node_unix_now(n);
    const struct peer *known = map_get(&n->peers, o->id.key);
    if (now != 0 && now < o->not_before)
        return REFUSAL_NOT_YET;
    if (now != 0 && now >= o->not_after)
        return REFUSAL_EXPIRED;
    if (node_is_revoked(n, &o->id))
        return REFUSAL_REVOKED;
    if (!name_is_free(n, o) || strcmp(o->name, n->certificate.name) == 0)
        return REFUSAL_NAME_TAKEN;
    if (known != NULL && o->epoch.value < known->said.epoch.value &&
        (!peer_has_departed(known) || !shows_itself(n, o)))
        return REFUSAL_REPLACED;
    if (known == NULL && !peers_make_room(n))
        return REFUSAL_FULL;
    return REFUSAL_NONE;
}

bool refused_node_stays_out(struct node *n, const struct refused_node *o)
{
    return seen_at_once(n, o) != REFUSAL_NONE;
}

/* Drops the refused node from the table, or changes its reason. */
static void judge(struct node *n, struct refused_node *o)
{
    struct bytes said =
        arena_copy(&n->todo->arena, bytes_of(o->blob, o->blob_size));
    struct certificate claimed;
    struct peer *p = NULL;
    enum refusal why;
    (void)announce_learn(n, said, true, &p, &why, &claimed);
}

static bool is_forgotten(const struct node *n, const struct refused_node *o)
{
    return !is_listed(n, o) && !instant_is_recent(o->heard, remembered, n->now);
}

/* When to judge it again: peers that left may soon make room in the table, or
 * the certificate becomes valid within a minute. */
static struct instant next_look(const struct node *n,
                                const struct refused_node *o)
{
    if (o->reason == REFUSAL_FULL && n->peers.count > n->joined_count)
        return instant_after(n->now, span_s(1));
    uint64_t now = node_unix_now(n);
    bool near = now != 0 && o->not_before > now && o->not_before - now < 60;
    return near ? instant_after(n->now, span_s((int64_t)(o->not_before - now)))
                : INSTANT_NEVER;
}

/* A superseded process has usually ended, and its relay will soon notice: send
 * no notice within the first second. */
static bool tell_now(struct node *n, struct refused_node *o)
{
    bool early = o->reason == REFUSAL_REPLACED &&
                 instant_is_recent(o->since, span_s(1), n->now);
    return !early && notices_tell(n, o);
}

void refused_nodes_due(struct node *n)
{
    struct instant again = instant_after(n->now, from_time_to_time);
    struct refused_node *next = NULL;
    int looks = 0;
    n->refused_looked_at = n->now;
    for (struct refused_node *o = n->oldest_refused; o != NULL; o = next) {
        next = o->newer;
        if (is_forgotten(n, o)) {
            drop(n, o);
            continue;
        }
        enum refusal why = seen_at_once(n, o);
        if (why != REFUSAL_NONE) {
            o->reason = (uint8_t)why;
            again = instant_min(again, next_look(n, o));
            if (o->told_at.us == INT64_MIN && !tell_now(n, o))
                again = instant_min(again, instant_after(n->now, span_s(1)));
        } else if (looks++ < LOOKS) {
            judge(n, o);
        } else {
            again = instant_min(again, instant_after(n->now, looks_apart));
        }
    }
    node_arm(n, &n->refused_deadline,
             n->refused_nodes.count > 0 ? again : INSTANT_NEVER);
}

void refused_nodes_look_soon(struct node *n)
{
    struct instant at =
        instant_max(instant_after(n->now, soon),
                    instant_after(n->refused_looked_at, looks_apart));
    const struct timer *armed = &n->refused_deadline.timer;
    if (n->refused_nodes.count > 0 &&
        (armed->place == 0 || at.us < armed->at.us))
        node_arm(n, &n->refused_deadline, at);
}

struct skew skew_of(const struct node *n, uint64_t their_seconds)
{
    uint64_t own = node_unix_now(n);
    if (own == 0 || their_seconds == 0 || own > INT64_MAX ||
        their_seconds > INT64_MAX)
        return (struct skew){0};
    return (struct skew){true, (int64_t)their_seconds - (int64_t)own};
}
