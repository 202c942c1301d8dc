#include "edge/core/groups.h"

#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/*
 * This node's publications: one channel for each group, and a receiver in it
 * for each peer of the group.
 */

/* How often a channel with unacknowledged packets checks for silent receivers.
 */
static const struct span look_every = {100 * 1000};
/* The shortest time between two repairs that a receiver's GROUP_ACKs cause. */
static const struct span repair_pause = {100 * 1000};

/* --- channels --------------------------------------------------------------
 */

static struct outflow *find(const struct node *n, const struct group_tag *tag)
{
    for (size_t i = 0; i < n->outflow_count; i++)
        if (group_tag_equal(&n->outflows[i]->channel->tag, tag))
            return n->outflows[i];
    return NULL;
}

static void unlink_from_peer(struct receiver *r)
{
    struct receiver **at = &r->peer->receivers;
    while (*at != r)
        at = &(*at)->next_of_peer;
    *at = r->next_of_peer;
}

static void drop_receiver(struct receiver *r)
{
    /* A former receiver must not be able to read later packets [P-9.5]. */
    if (r->state != RECEIVER_AWAITING)
        r->channel->rekey = true;
    unlink_from_peer(r);
    receiver_free(r);
}

static void drop_outflow(struct node *n, size_t place)
{
    struct outflow *o = n->outflows[place];
    n->outflows[place] = n->outflows[--n->outflow_count];
    while (o->channel->receivers != NULL)
        drop_receiver(o->channel->receivers);
    heap_remove(&n->heap, &o->deadline.timer);
    channel_free(o->channel);
    free(o);
}

void groups_close(struct node *n)
{
    while (n->outflow_count > 0)
        drop_outflow(n, n->outflow_count - 1);
}

/* Drops the channel that was not used for the longest time, of those without
 * anything to deliver. False: there is none. */
static bool make_place(struct node *n)
{
    size_t oldest = n->outflow_count;
    for (size_t i = 0; i < n->outflow_count; i++) {
        const struct channel *c = n->outflows[i]->channel;
        if (store_is_empty(&c->store) && c->batch_size == 0 &&
            (oldest == n->outflow_count ||
             c->used_at.us < n->outflows[oldest]->channel->used_at.us))
            oldest = i;
    }
    if (oldest == n->outflow_count)
        return false;
    drop_outflow(n, oldest);
    return true;
}

static bool is_in_group(const struct peer *p, const char *group)
{
    struct bytes name = bytes_of_string(group);
    if (!certificate_allows(&p->certificate, name))
        return false;
    for (size_t i = 0; i < p->said.group_count; i++)
        if (strcmp(group, p->said.groups[i]) == 0)
            return true;
    return group[0] == '\0';
}

int groups_route(const struct peer *p)
{
    const struct path *path = &p->paths.current;
    if (path_is_relayed(path))
        return (int)path->via;
    return path_exists(path) ? ROUTE_DIRECT : ROUTE_NONE;
}

static void add_receiver(struct node *n, struct channel *c, struct peer *p)
{
    struct receiver *r = receiver_new(c, p, n->now);
    r->next_of_peer = p->receivers;
    p->receivers = r;
    receiver_has_aes(r, p->said.aes);
    receiver_route(r, groups_route(p));
}

/* The channel of a group, made with its receivers at the first publication.
 * NULL: GROUP_TAGS other channels are still delivering. */
static struct outflow *take_outflow(struct node *n, const char *group)
{
    struct group_tag tag = group_tag_of(n->keys.group, bytes_of_string(group));
    struct outflow *o = find(n, &tag);
    if (o != NULL)
        return o;
    if (n->outflow_count == GROUP_TAGS && !make_place(n))
        return NULL;
    o = memory_new(sizeof *o);
    o->channel =
        channel_new(group, &tag, n->session_limits.window, &n->entropy);
    o->deadline = (struct deadline){.kind = DEADLINE_OUTFLOW, .subject = o};
    n->outflows[n->outflow_count++] = o;
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        if (p->joined && is_in_group(p, group))
            add_receiver(n, o->channel, p);
    return o;
}

/* --- telling receivers -----------------------------------------------------
 */

/* Sends a START over the session. False: the session has no room; groups_settle
 * tries again when an earlier message is settled. */
static bool MUST_USE tell(struct node *n, struct peer *p, struct session *s,
                          const struct group_start *start, uint64_t ref)
{
    uint8_t room[GROUP_START_SIZE];
    struct writer w = writer_of(room, sizeof room);
    group_start_encode(start, &w);
    ASSERT(writer_ok(&w));
    struct message m = {
        .kind = MESSAGE_START,
        .encoding = ENCODING_BYTES,
        .type = bytes_of_string("start"),
        .data = writer_bytes(&w),
    };
    bool taken = session_submit(s, &m, START_MARK | ref, n->now);
    p->owes_start = p->owes_start || !taken;
    return taken;
}

static void tell_keys(struct node *n, struct receiver *r)
{
    struct group_start key;
    while (receiver_next_key(r, &key)) {
        struct session *s = traffic_session(n, r->peer);
        if (s == NULL || !tell(n, r->peer, s, &key, ++n->next_start))
            return;
        receiver_key_told(r, key.key_id, n->next_start);
    }
}

static void tell_start(struct node *n, struct receiver *r)
{
    struct session *s = traffic_session(n, r->peer);
    if (s == NULL)
        return; /* The peer's key is invalid: no session is possible. */
    struct group_start start = receiver_start(r);
    if (!tell(n, r->peer, s, &start, ++n->next_start))
        return;
    receiver_start_sent(r, n->next_start, n->now);
    receiver_owes_keys(r, start.key_id + 1); /* The later ones. */
    traffic_dial_for(n, r->peer);
    peer_touch(n, r->peer);
}

/* Peers that joined since the last publication receive from this one on. */
static void begin_all(struct node *n, struct channel *c)
{
    if (c->awaiting == 0)
        return;
    for (struct receiver *r = c->receivers; r != NULL; r = r->next)
        if (r->state == RECEIVER_AWAITING && r->present) {
            receiver_begin(r, n->now);
            peer_touch(n, r->peer);
        }
}

static void rekey(struct node *n, struct channel *c)
{
    channel_rekey(c, n->aes, &n->entropy, n->now);
    for (struct receiver *r = c->receivers; r != NULL; r = r->next) {
        if (r->start_ref == 0 && r->state != RECEIVER_TAKING)
            continue; /* Its START will bring the key. */
        receiver_owes_keys(r, c->key_id);
        peer_touch(n, r->peer);
    }
}

/* --- publishing ------------------------------------------------------------
 */

void groups_rearm(struct node *n, struct outflow *o)
{
    struct instant at = channel_patience_ends(o->channel, n->now);
    const struct timer *armed = &o->deadline.timer;
    /* Each publication rearms, and must not postpone the next check. */
    bool looks_soon = armed->place != 0 && !instant_reached(armed->at, n->now);
    if (!store_is_empty(&o->channel->store))
        at = instant_min(at, looks_soon ? armed->at
                                        : instant_after(n->now, look_every));
    node_arm(n, &o->deadline, at);
}

static bool has_room(struct node *n, struct outflow *o, const struct message *m)
{
    struct channel *c = o->channel;
    if (!c->wants_ready && channel_has_room(c, message_size(m)))
        return true;
    c->wants_ready = true;
    groups_rearm(n, o);
    return false;
}

/* The READY comes as soon as any of the channels has delivered enough. */
static void want_any_ready(struct node *n)
{
    for (size_t i = 0; i < n->outflow_count; i++)
        n->outflows[i]->channel->wants_ready = true;
}

static enum node_outcome publish(struct node *n, const struct message *m,
                                 struct outflow **where)
{
    char group[NAME_ROOM] = {0};
    if (m->data.size > n->session_limits.message ||
        m->group.size > NAME_MAX_SIZE)
        return OUTCOME_TOO_LARGE;
    if (m->group.size > 0)
        memcpy(group, m->group.data, m->group.size);
    struct outflow *o = take_outflow(n, group);
    if (o == NULL)
        want_any_ready(n);
    if (o == NULL || !has_room(n, o, m))
        return OUTCOME_BUSY;
    struct channel *c = o->channel;
    if (channel_wants_key(c, n->aes))
        rekey(n, c);
    begin_all(n, c);
    if (!channel_add(c, m, n->now))
        return OUTCOME_BUSY;
    n->counters.published++;
    n->counters.bytes_sent += m->data.size;
    *where = o;
    return OUTCOME_DELIVERED;
}

bool groups_offer(struct node *n, const struct message *m, uint32_t *peers,
                  enum node_outcome *why)
{
    struct outflow *o = NULL;
    *why = publish(n, m, &o);
    *peers = o != NULL ? (uint32_t)o->channel->present : 0;
    n->uploads_wait |= o != NULL;
    return *why == OUTCOME_DELIVERED;
}

void groups_tell_ready(struct node *n)
{
    bool ready = false;
    for (size_t i = 0; i < n->outflow_count; i++) {
        struct channel *c = n->outflows[i]->channel;
        if (!c->wants_ready || !channel_has_room(c, c->store.limit / 2))
            continue;
        c->wants_ready = false;
        ready = true;
    }
    if (ready) {
        struct node_todo *item = todo_add(n->todo, NODE_READY);
        static const struct node_peer nobody = {.name = ""};
        item->peer.peer = &nobody;
    }
}

/* --- receivers -------------------------------------------------------------
 */

static struct receiver *receiver_of(const struct peer *p,
                                    const struct channel *c)
{
    struct receiver *r = p->receivers;
    while (r != NULL && r->channel != c)
        r = r->next_of_peer;
    return r;
}

void groups_changed(struct node *n, struct peer *p)
{
    if (p->said.partial || !p->joined)
        return; /* A partial announcement does not list groups. */
    for (size_t i = 0; i < n->outflow_count; i++) {
        struct channel *c = n->outflows[i]->channel;
        struct receiver *r = receiver_of(p, c);
        bool is_in = is_in_group(p, c->group);
        if (r == NULL && is_in)
            add_receiver(n, c, p);
        if (r != NULL && !is_in)
            drop_receiver(r);
    }
}

void groups_joined(struct node *n, struct peer *p)
{
    for (struct receiver *r = p->receivers; r != NULL; r = r->next_of_peer)
        receiver_is_present(r, true);
    groups_changed(n, p);
    groups_path_changed(n, p);
}

void groups_left(struct peer *p)
{
    for (struct receiver *r = p->receivers; r != NULL; r = r->next_of_peer)
        receiver_is_present(r, false);
}

void groups_forget(struct peer *p)
{
    while (p->receivers != NULL)
        drop_receiver(p->receivers);
}

void groups_path_changed(struct node *n, struct peer *p)
{
    for (struct receiver *r = p->receivers; r != NULL; r = r->next_of_peer)
        receiver_route(r, groups_route(p));
    peer_touch(n, p);
}

void groups_settle(struct node *n, struct peer *p)
{
    p->owes_start = false;
    for (struct receiver *r = p->receivers; r != NULL; r = r->next_of_peer) {
        if (receiver_wants_start(r))
            tell_start(n, r);
        tell_keys(n, r);
    }
    for (size_t i = 0; i < n->relay_count; i++)
        if (n->relays[i].state == RELAY_UP && n->relays[i].spares_told)
            groups_spare(n, &n->relays[i], p);
}

/* --- acknowledgements ------------------------------------------------------
 */

void groups_settled(struct peer *p, uint64_t ref, enum session_settled how,
                    struct instant now)
{
    struct receiver *r = p->receivers;
    while (r != NULL && r->start_ref != ref && r->probe_ref != ref &&
           !receiver_key_settled(r, ref))
        r = r->next_of_peer;
    if (r == NULL || (r->start_ref != ref && r->probe_ref != ref))
        return; /* It was only a key, or the peer left the group. */
    if (r->probe_ref == ref)
        receiver_probe_ended(r, how == SESSION_DELIVERED);
    else if (how == SESSION_DELIVERED)
        receiver_start_acked(r, now);
    else
        receiver_start_lost(r);
}

static void take_ack(struct node *n, struct receiver *r,
                     const struct group_ack *ack)
{
    receiver_acknowledged(r, ack->cumulative, n->now);
    if (receiver_shows_loss(r))
        receiver_repair(r, n->now, span_us(0));
    else if (ack->state == GROUP_ACK_MISSING && !receiver_awaits_unicast(r))
        receiver_repair(r, n->now, repair_pause);
}

void groups_acknowledged(struct node *n, struct peer *p,
                         const struct group_ack *ack)
{
    struct group_tag tag;
    memcpy(tag.bytes, ack->tag, sizeof tag.bytes);
    struct outflow *o = find(n, &tag);
    struct receiver *r = o == NULL ? NULL : receiver_of(p, o->channel);
    if (r == NULL)
        return;
    n->counters.group_acks++;
    bool ours = ack->stream == o->channel->stream;
    if (ours && ack->state != GROUP_ACK_UNKNOWN)
        take_ack(n, r, ack);
    if (ack->state == GROUP_ACK_UNKNOWN && receiver_may_lack(r, n->now)) {
        if (ours && r->state == RECEIVER_TAKING)
            receiver_owes_keys(r, 1);
        else if (!ours)
            receiver_forgot(r);
    }
    peer_touch(n, p);
}

/* --- time ------------------------------------------------------------------
 */

/* Probes a receiver that acknowledges nothing: it may be slow, or packets were
 * lost. A START with a key that it already has is a small packet, and makes it
 * acknowledge. If its answer shows a loss, it is repaired by unicast. */
static void ask(struct node *n, struct receiver *r)
{
    struct group_start key;
    struct session *s = traffic_session(n, r->peer);
    if (r->probe_ref != 0 || s == NULL ||
        !channel_tell_key(r->channel, r->channel->key_id, &key) ||
        !tell(n, r->peer, s, &key, ++n->next_start))
        return;
    receiver_probed(r, n->next_start);
    n->counters.group_asks++;
}

/* The RTT can only make the deadline later. So the first test, without the RTT,
 * rules out nearly all receivers without touching their peer and session. */
static bool is_stalled(const struct node *n, const struct receiver *r)
{
    struct span rtt = span_us(0);
    if (!instant_reached(receiver_stall_at(r, rtt), n->now))
        return false;
    rtt = traffic_rtt(r->peer);
    return instant_reached(receiver_stall_at(r, rtt), n->now);
}

static void look_for_silence(struct node *n, struct channel *c)
{
    for (struct receiver *r = c->receivers; r != NULL; r = r->next) {
        struct peer *p = r->peer;
        if (!is_stalled(n, r))
            continue;
        bool progressed = r->progress_at.us > p->path_suspected_at.us;
        if (progressed || instant_reached(p->path_suspect_not_before, n->now))
            traffic_suspect_path(n, p, progressed);
        if (p->waiting)
            continue; /* The link is full: nothing can be sent now. */
        r->stalls++;
        if (receiver_shows_loss(r))
            receiver_repair(r, n->now, span_us(0));
        else
            ask(n, r);
        peer_touch(n, p);
    }
}

void groups_due(struct node *n, struct outflow *o)
{
    struct channel *c = o->channel;
    if (instant_reached(channel_patience_ends(c, n->now), n->now)) {
        channel_leave_behind(c, n->now);
        for (struct receiver *r = c->receivers; r != NULL; r = r->next)
            if (receiver_wants_start(r))
                peer_touch(n, r->peer);
    }
    look_for_silence(n, c);
    groups_rearm(n, o);
}

void groups_excuse(struct node *n, struct span late)
{
    for (size_t i = 0; i < n->outflow_count; i++)
        channel_excuse(n->outflows[i]->channel, late);
}

bool groups_are_delivering(const struct node *n)
{
    for (size_t i = 0; i < n->outflow_count; i++)
        if (channel_is_delivering(n->outflows[i]->channel))
            return true;
    return false;
}

size_t groups_store_bytes(const struct node *n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n->outflow_count; i++)
        bytes += n->outflows[i]->channel->store.bytes +
                 n->outflows[i]->channel->batch_size;
    return bytes;
}
