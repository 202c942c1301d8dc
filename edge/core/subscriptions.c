#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The shortest time between two GROUP_ACK UNKNOWN to a peer. */
static const struct span ignorance_pause = {1000 * 1000};
static const struct span again_after = {10 * 1000};

/* --- this node's groups ----------------------------------------------------
 */

static const char *group_of(const struct node *n, const struct group_tag *tag)
{
    for (size_t i = 0; i < n->group_count; i++)
        if (group_tag_equal(&n->tags[i], tag))
            return n->groups[i];
    return group_tag_equal(&n->tags[n->group_count], tag) ? "" : NULL;
}

void subscriptions_tell(struct node *n, const struct link *relay)
{
    struct writer w = todo_writer(n, 1 + sizeof n->tags);
    write_u8(&w, RELAY_GROUPS);
    for (size_t i = 0; i <= n->group_count; i++)
        write_bytes(&w, bytes_of(n->tags[i].bytes, GROUP_TAG_SIZE));
    todo_write(n, relay, writer_bytes(&w));
}

static struct stream_position *position_of(struct node *n, uint64_t stream)
{
    return &n->positions[stream % STREAM_POSITIONS];
}

static void remember(struct node *n, const struct inflow *in)
{
    *position_of(n, in->stream) = (struct stream_position){
        .stream = in->stream,
        .record = in->next_record,
        .message = in->next_message,
    };
}

/* A START says which position the publisher assumes for this node. If this node
 * remembers a later one, it skips the messages between: it delivered them, and
 * they are no gap. */
static void go_on(struct node *n, struct group_start *start)
{
    const struct stream_position *p = position_of(n, start->stream);
    if (p->stream != start->stream || start->stream == 0)
        return;
    if (start->record < p->record) {
        start->record = p->record;
        start->message = p->message;
    }
    if (start->since < p->message)
        start->since = p->message;
}

static void drop(struct node *n, struct subscription *s)
{
    remember(n, &s->inflow);
    heap_remove(&n->heap, &s->deadline.timer);
    inflow_close(&s->inflow);
    free(s);
}

/* The inflow of a group that this node left stays: if this node rejoins before
 * the sender notices, no message may be delivered twice. */
static void note_left_groups(const struct node *n, struct peer *p)
{
    for (struct subscription *s = p->inflows; s != NULL; s = s->next) {
        s->group = group_of(n, &s->inflow.tag);
        s->inflow.left = s->inflow.left || s->group == NULL;
    }
}

/* At GROUP_TAGS inflows drops the oldest of a group that this node left. */
static void forget_left_group(struct node *n, struct peer *p)
{
    size_t count = 0;
    struct subscription **left = NULL;
    for (struct subscription **at = &p->inflows; *at != NULL;
         at = &(*at)->next) {
        count++;
        if ((*at)->group == NULL)
            left = at;
    }
    if (count < GROUP_TAGS || left == NULL)
        return;
    struct subscription *s = *left;
    *left = s->next;
    drop(n, s);
}

void subscriptions_forget(struct node *n, struct peer *p)
{
    while (p->inflows != NULL) {
        struct subscription *s = p->inflows;
        p->inflows = s->next;
        drop(n, s);
    }
}

void subscriptions_changed(struct node *n)
{
    for (size_t i = 0; i <= n->group_count; i++)
        n->tags[i] = group_tag_of(
            n->keys.group,
            bytes_of_string(i < n->group_count ? n->groups[i] : ""));
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        note_left_groups(n, p);
    for (size_t i = 0; n->todo != NULL && i < n->relay_count; i++)
        if (n->relays[i].state == RELAY_UP)
            subscriptions_tell(n, n->relays[i].link);
}

/* --- streams ---------------------------------------------------------------
 */

struct taking {
    struct node *node;
    struct subscription *subscription;
    struct bytes packet; /* messages in it need no copy */
};

static void on_message(void *context, struct bytes bytes)
{
    struct taking *t = context;
    struct node *n = t->node;
    struct peer *p = t->subscription->peer;
    struct bytes group = bytes_of_string(t->subscription->group);
    bool taken = true;
    if (bytes.data < t->packet.data ||
        bytes.data >= t->packet.data + t->packet.size)
        taken = arena_try_copy(&n->todo->arena, bytes, &bytes);
    struct message message;
    if (!taken)
        return;
    if (!message_decode(bytes, &message) || message.kind != MESSAGE_EVENT ||
        !bytes_equal(message.group, group)) {
        n->counters.packets_dropped++;
        return;
    }
    n->counters.events_received++;
    p->traffic.received++;
    n->counters.bytes_received += message.data.size;
    struct node_todo *item = todo_add(n->todo, NODE_MESSAGE);
    item->peer.peer = todo_peer(n, p);
    item->peer.message = message;
}

static void on_gap(void *context, uint64_t missed)
{
    struct taking *t = context;
    struct peer *p = t->subscription->peer;
    t->node->counters.events_missed += missed;
    struct node_todo *item = todo_add(t->node->todo, NODE_GAP);
    item->peer.peer = todo_peer(t->node, p);
    item->peer.missed = missed;
}

static struct inflow_sink sink_of(struct taking *t)
{
    return (struct inflow_sink){t, on_message, on_gap};
}

static struct subscription *find(const struct peer *p,
                                 const struct group_tag *tag)
{
    struct subscription *s = p->inflows;
    while (s != NULL && !group_tag_equal(&s->inflow.tag, tag))
        s = s->next;
    return s;
}

static void rearm(struct node *n, struct subscription *s)
{
    node_arm(n, &s->deadline, inflow_deadline(&s->inflow));
}

static struct subscription *subscribe(struct node *n, struct peer *p,
                                      const struct group_start *start,
                                      const char *group)
{
    forget_left_group(n, p);
    struct subscription *s = memory_new(sizeof *s);
    struct inflow_conf conf = {
        .message_limit = n->session_limits.message,
        .sender_window = p->session->peer_window,
    };
    inflow_init(&s->inflow, start, &conf);
    s->group = group;
    s->peer = p;
    s->next = p->inflows;
    s->deadline =
        (struct deadline){.kind = DEADLINE_SUBSCRIPTION, .subject = s};
    p->inflows = s;
    return s;
}

static void unsubscribe(struct node *n, struct subscription *s)
{
    struct subscription **at = &s->peer->inflows;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    drop(n, s);
}

void subscriptions_start(struct node *n, struct peer *p, struct bytes bytes)
{
    struct group_start start;
    const char *group = NULL;
    if (group_start_decode(bytes, &start))
        group = group_of(n, &start.tag);
    /* This node must be able to use the key. */
    if (group == NULL || (start.aes && !n->aes) ||
        !certificate_allows(&p->certificate, bytes_of_string(group))) {
        n->counters.packets_dropped++;
        return;
    }
    struct subscription *s = find(p, &start.tag);
    if (s != NULL && s->inflow.stream != start.stream && start.record != 0) {
        unsubscribe(n, s);
        s = NULL;
    }
    if (s == NULL && start.record != 0) {
        go_on(n, &start);
        s = subscribe(n, p, &start, group);
    }
    if (s == NULL || s->inflow.stream != start.stream)
        return; /* Only a key, and of an unknown stream. */
    struct taking t = {.node = n, .subscription = s};
    struct inflow_sink sink = sink_of(&t);
    inflow_start(&s->inflow, &start, n->now, &sink);
    rearm(n, s);
}

void subscriptions_path_changed(struct node *n, struct peer *p)
{
    for (struct subscription *s = p->inflows; s != NULL; s = s->next) {
        inflow_path_changed(&s->inflow, n->now);
        rearm(n, s);
    }
}

static bool acknowledge(struct node *n, struct peer *p,
                        const struct group_ack *ack)
{
    struct session *session = traffic_session(n, p);
    peer_touch(n, p);
    return session != NULL && session_group_ack(session, ack);
}

/* Tells a sender that this node does not know the stream, or the key. */
static void tell_ignorance(struct node *n, struct peer *p,
                           const struct multicast_packet *m, uint64_t stream)
{
    if (instant_is_recent(p->ignorance_told, ignorance_pause, n->now))
        return;
    p->ignorance_told = n->now;
    struct group_ack ack = {.stream = stream, .state = GROUP_ACK_UNKNOWN};
    memcpy(ack.tag, m->tag.bytes, sizeof ack.tag);
    (void)acknowledge(n, p, &ack);
}

static void take(struct node *n, struct subscription *s,
                 const struct multicast_packet *m, struct bytes packet)
{
    struct taking t = {n, s, packet};
    struct inflow_sink sink = sink_of(&t);
    switch (inflow_take(&s->inflow, m, n->now, &sink)) {
    case INFLOW_TAKEN:
        n->counters.packets_received++;
        if (instant_reached(inflow_deadline(&s->inflow), n->now))
            subscriptions_due(n, s);
        else
            rearm(n, s);
        return;
    case INFLOW_NO_KEY:
        tell_ignorance(n, s->peer, m, s->inflow.stream);
        break;
    case INFLOW_FORGED:
        break;
    case INFLOW_VIOLATION:
        unsubscribe(n, s);
        break;
    }
    n->counters.packets_dropped++;
}

void subscriptions_take(struct node *n, struct peer *p, struct link *link,
                        struct bytes packet)
{
    struct multicast_packet m;
    bool is_signed = !link->seals;
    /* Nothing from a peer before its join [P-8.2]. */
    if (!multicast_decode(packet, is_signed, &m) || !peer_try_join(n, p)) {
        n->counters.packets_dropped++;
        return;
    }
    struct subscription *s = find(p, &m.tag);
    if (s == NULL || s->group == NULL) {
        if (group_of(n, &m.tag) != NULL)
            tell_ignorance(n, p, &m, 0);
        n->counters.packets_dropped++;
    } else if (is_signed && !group_signed_by(&m, &p->id)) {
        n->counters.packets_dropped++;
    } else {
        s->via = link->id;
        take(n, s, &m, packet);
    }
}

void subscriptions_due(struct node *n, struct subscription *s)
{
    struct group_ack ack = inflow_acknowledge(&s->inflow, n->now);
    s->peer->ack_via = s->via;
    if (!acknowledge(n, s->peer, &ack)) /* The session queues no more acks. */
        s->inflow.acknowledge_at = instant_after(n->now, again_after);
    rearm(n, s);
}
