#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* On a direct link the retransmission of unacknowledged records waits so much
 * longer than on a relay. */
static const struct span direct_patience = {4 * 1000 * 1000};
/* The shortest time between two suspicions of paths to one peer. It doubles
 * with each in a row, as each change of path resends everything. */
static const struct span suspicion_pause = {400 * 1000};
enum { SUSPICIONS_MAX = 3 };

/* --- sessions ------------------------------------------------------------ */

/* NULL: the peer's key is no curve point of full order; an honest node's key
 * always is. */
struct session *traffic_session(struct node *n, struct peer *p)
{
    if (p->session != NULL)
        return p->session;
    if (!p->identity_key_known && !node_curve_key(&p->id, &p->identity_key))
        return NULL;
    p->identity_key_known = true;
    struct session_keys keys = {
        .self = &n->identity,
        .psk = n->keys.psk,
        .self_id = n->certificate.node,
        .peer_id = p->id,
        .peer_key = p->identity_key,
        .self_epoch = n->epoch,
        .peer_epoch = p->said.epoch,
        .ask_counter = &n->ask_counter,
        .taken_counter = &p->taken_counter,
        .version = p->version,
        .offers = n->offers,
    };
    p->session = memory_new(sizeof *p->session);
    session_init(p->session, &keys, &n->session_limits, &n->entropy,
                 &n->session_counters, &n->slabs);
    return p->session;
}

struct sink_context {
    struct node *node;
    struct peer *peer;
    const uint8_t *packet; /* messages in it need no copy */
    size_t size;
};

static void report_message(const struct sink_context *c, struct node_ref ref,
                           enum session_settled how)
{
    static const enum node_outcome outcomes[] = {
        [SESSION_DELIVERED] = OUTCOME_DELIVERED,
        [SESSION_NOT_DELIVERED] = OUTCOME_NOT_DELIVERED,
        [SESSION_PEER_RESTARTED] = OUTCOME_PEER_RESTARTED,
    };
    c->node->counters.delivered += how == SESSION_DELIVERED;
    if (ref.value == 0)
        return;
    todo_report(c->node, ref, outcomes[how], c->peer);
}

static void on_settled(void *context, uint64_t ref, enum session_settled how)
{
    const struct sink_context *c = context;
    if (ref & START_MARK) {
        groups_settled(c->peer, ref & ~START_MARK, how, c->node->now);
        peer_touch(c->node, c->peer);
    } else {
        report_message(c, (struct node_ref){ref}, how);
        if (c->peer->owes_start)
            peer_touch(c->node, c->peer); /* There is room for a START now. */
    }
}

static void on_message(void *context, struct bytes bytes)
{
    struct sink_context *c = context;
    struct node *n = c->node;
    bool taken = true;
    if (bytes.data < c->packet || bytes.data >= c->packet + c->size)
        taken = arena_try_copy(&n->todo->arena, bytes, &bytes);
    struct message message;
    if (!taken)
        return; /* The step ends without an acknowledgement. */
    /* Publications do not come by a session. */
    if (!message_decode(bytes, &message) || message.kind == MESSAGE_EVENT) {
        n->counters.packets_dropped++;
        return;
    }
    if (message.kind == MESSAGE_START) {
        subscriptions_start(n, c->peer, message.data);
        return;
    }
    n->counters.received++;
    c->peer->traffic.received++;
    n->counters.bytes_received += message.data.size;
    struct node_todo *item = todo_add(n->todo, NODE_MESSAGE);
    item->peer.peer = todo_peer(n, c->peer);
    item->peer.message = message;
}

static void on_pong(void *context, uint64_t token)
{
    struct sink_context *c = context;
    pings_answered(c->node, c->peer, token);
}

static void on_group_ack(void *context, const struct group_ack *ack)
{
    const struct sink_context *c = context;
    groups_acknowledged(c->node, c->peer, ack);
}

static void on_punch(void *context, struct bytes punch)
{
    const struct sink_context *c = context;
    udp_take_record(c->node, c->peer, punch);
}

static struct session_sink sink_of(struct sink_context *context)
{
    return (struct session_sink){
        .owner = context,
        .message = on_message,
        .settled = on_settled,
        .pong = on_pong,
        .group_ack = on_group_ack,
        .punch = on_punch,
    };
}

void traffic_end(struct node *n, struct peer *p, enum session_settled how)
{
    if (p->session == NULL)
        return;
    struct sink_context context = {.node = n, .peer = p};
    struct session_sink sink = sink_of(&context);
    session_settle_all(p->session, how, &sink);
    pings_end(n, p);
    session_close(p->session);
    free(p->session);
    p->session = NULL;
    p->session_until = INSTANT_NEVER;
    if (p->joined && !peer_has_path(p))
        p->pathless_since = n->now;
    peer_touch(n, p);
}

/* --- what the owner submits ---------------------------------------------- */

static bool is_too_large(const struct node *n, const struct peer *p,
                         const struct message *m)
{
    return m->data.size > n->session_limits.message ||
           (p->session != NULL && m->data.size > p->session->peer_message);
}

/* After BUSY the node takes no message for the peer before READY: otherwise a
 * small message would overtake the large one that has to wait. */
static bool submit(struct node *n, struct peer *p, struct node_ref ref,
                   const struct message *m)
{
    bool waited = p->session->outbox.count > 0;
    if (p->wants_ready || !session_submit(p->session, m, ref.value, n->now)) {
        p->wants_ready = true;
        return false;
    }
    if (!waited)
        peer_begins_to_wait(n, p);
    return true;
}

void traffic_dial_for(struct node *n, struct peer *p)
{
    if (!peer_has_path(p) && p->links == NULL && p->dialer.rounds == 0)
        peer_dial_soon(n, p, true);
}

static bool is_open(const struct session *s)
{
    return s->outbox.count > 0 || s->ping_count > 0;
}

bool traffic_waits(const struct peer *p)
{
    return (p->session != NULL && is_open(p->session)) || groups_lacks(p);
}

bool traffic_is_idle(const struct peer *p)
{
    const struct session *s = p->session;
    bool owes = s != NULL && (s->handshake != HANDSHAKE_IDLE || s->ack_due ||
                              session_has_output(s) ||
                              (s->inbox.message != NULL && !s->inbox.complete));
    return !owes && !traffic_waits(p);
}

bool traffic_offer(struct node *n, struct node_ref ref,
                   const struct node_id *to, const struct message *m,
                   enum node_outcome *why)
{
    struct peer *p = peer_get(n, to);
    if (p == NULL || !p->joined) {
        *why = OUTCOME_UNKNOWN_PEER;
    } else if (traffic_session(n, p) == NULL) {
        *why = OUTCOME_NOT_DELIVERED;
    } else if (is_too_large(n, p, m)) {
        *why = OUTCOME_TOO_LARGE;
    } else if (!submit(n, p, ref, m)) {
        *why = OUTCOME_BUSY;
    } else {
        traffic_dial_for(n, p);
        n->counters.sent++;
        p->traffic.sent++;
        n->counters.bytes_sent += m->data.size;
        peer_wants_write(n, p);
        return true;
    }
    return false;
}

bool traffic_accept(struct node *n, struct peer *p, struct bytes packet)
{
    struct sink_context context = {.node = n, .peer = p};
    struct session_sink sink = sink_of(&context);
    return p->session != NULL &&
           session_take_accept(p->session, packet, n->now, &sink);
}

/* --- packets in ----------------------------------------------------------- */

static void take_records(struct node *n, struct peer *p, struct link *link,
                         uint8_t *packet, size_t size)
{
    struct sink_context context = {n, p, packet, size};
    struct session_sink sink = sink_of(&context);
    enum session_verdict verdict = SESSION_UNKNOWN;
    if (p->session != NULL)
        verdict = session_take(p->session, packet, size, n->now, &sink);
    if (verdict == SESSION_TAKEN)
        peer_wants_write(n, p);
    else
        peer_touch(n, p);
    switch (verdict) {
    case SESSION_TAKEN:
        if (p->session->ack_due) {
            p->ack_via = link->id;
            p->took_in = n->steps;
        }
        break;
    case SESSION_DROPPED:
        n->counters.packets_dropped++;
        break;
    case SESSION_UNKNOWN:
        n->counters.packets_dropped++;
        if (size >= 5)
            traffic_reset(n, p, link, packet);
        break;
    case SESSION_VIOLATION:
        n->counters.packets_dropped++;
        traffic_end(n, p, SESSION_NOT_DELIVERED);
        break;
    }
}

void traffic_take(struct node *n, struct peer *p, struct link *link,
                  uint8_t *packet, size_t size)
{
    /* Nothing from a peer before its join [P-8.2]. */
    if (size == 0 || !peer_try_join(n, p)) {
        n->counters.packets_dropped++;
        if (size > 0 && p->refuses_us != REFUSAL_NONE)
            notices_take_relenting(n, p, link, bytes_of(packet, size));
        else if (size > 0)
            notices_answer(n, &p->id, link, packet[0]);
        return;
    }
    n->counters.packets_received++;
    p->traffic.bytes_received += size;
    link->used = n->now;
    if (link->resting)
        link_wake(n, link);
    struct bytes bytes = bytes_of(packet, size);
    switch (packet[0]) {
    case PACKET_MULTICAST:
        subscriptions_take(n, p, link, bytes);
        peer_touch(n, p);
        break;
    case PACKET_INIT:
        traffic_take_init(n, p, link, bytes);
        peer_touch(n, p);
        break;
    case PACKET_ACCEPT:
        peer_touch(n, p);
        if (!traffic_accept(n, p, bytes))
            n->counters.packets_dropped++;
        break;
    case PACKET_PLAIN:
        /* Only a link that seals authenticates the sender [P-6.1]. */
        if (link->seals)
            take_records(n, p, link, packet, size);
        else
            n->counters.packets_dropped++;
        break;
    case PACKET_SEALED:
        take_records(n, p, link, packet, size);
        break;
    case PACKET_RESET:
        peer_touch(n, p);
        if (p->session != NULL)
            session_take_reset(p->session, bytes, n->now);
        break;
    default:
        n->counters.packets_dropped++;
        break;
    }
}

/* --- packets out ---------------------------------------------------------- */

static void wait_for(struct link *link, struct peer *p)
{
    if (p->waiting)
        return;
    p->waiting = true;
    p->next_waiting = link->waiting;
    link->waiting = p;
}

static void write_init(struct node *n, struct peer *p, struct link *link)
{
    struct writer w = traffic_begin(n, p, link, SESSION_INIT_SIZE);
    if (session_ask(p->session, &n->entropy, n->now, &w))
        traffic_end_packet(n, p, link, &w);
}

void traffic_ask(struct node *n, struct peer *p, struct link *link)
{
    if (traffic_session(n, p) != NULL)
        write_init(n, p, link);
}

/* Records that came by another path than this node's current one are also
 * acknowledged on that path, which evidently works [P-6.7]. */
static void ack_back(struct node *n, struct peer *p)
{
    struct link *link = link_get(n, p->ack_via);
    p->ack_via = 0;
    if (link != NULL && link->relay != NULL)
        link = link->relay->link; /* Perhaps another form took its place. */
    if (link == NULL || link == peer_link(n, p) || link->state != LINK_UP ||
        link->blocked)
        return;
    struct writer w = traffic_begin(n, p, link, SESSION_ACK_SIZE);
    if (session_write_ack(p->session, !link->seals, &w))
        traffic_end_packet(n, p, link, &w);
}

static void write_session(struct node *n, struct peer *p, struct link *link)
{
    struct session *s = p->session;
    if (session_wants_handshake(s, n->now))
        write_init(n, p, link);
    if (!session_has_output(s) || traffic_lend(n, p, link))
        return;
    struct writer w = traffic_begin(n, p, link, session_write_size(s));
    if (session_write(s, !link->seals, n->now, &w))
        traffic_end_packet(n, p, link, &w);
}

static bool has_output(const struct node *n, const struct peer *p)
{
    const struct session *s = p->session;
    return groups_has_output(p) ||
           (s != NULL &&
            (session_has_output(s) || session_wants_handshake(s, n->now)));
}

/* Whether the acknowledgement should wait for the next step: the owner has not
 * seen this step's messages yet, and its answer can share the packet [P-6.7].
 */
static bool may_answer(const struct node *n, const struct peer *p)
{
    return p->took_in == n->steps && !p->ack_put_off && !n->leaving &&
           session_only_acknowledges(p->session);
}

bool traffic_write(struct node *n, struct peer *p)
{
    struct session *s = p->session;
    struct link *link = peer_link(n, p);
    if (!p->joined)
        return false;
    if (s != NULL && may_answer(n, p)) {
        p->ack_put_off = true;
        peer_put_off(n, p);
        return false;
    }
    p->ack_put_off = false;
    if (s != NULL && p->ack_via != 0)
        ack_back(n, p);
    if (link == NULL || !has_output(n, p))
        return false;
    if (link_is_full(n, link)) {
        wait_for(link, p);
        return false;
    }
    if (s != NULL)
        write_session(n, p, link);
    groups_write(n, p, link);
    return groups_has_output(p) || (s != NULL && session_has_output(s));
}

void traffic_path_changed(struct node *n, struct peer *p)
{
    groups_path_changed(n, p);
    subscriptions_path_changed(n, p);
    if (p->session == NULL)
        return;
    session_path_changed(p->session, n->now);
}

/* When unacknowledged records must be resent. A relay drops packets silently,
 * or restarts. A direct link loses nothing as long as it is open, but the
 * acknowledgement may have been lost on another path. */
static struct instant stall_at(const struct peer *p)
{
    if (p->session == NULL || p->waiting || !peer_has_path(p))
        return INSTANT_NEVER;
    struct instant at = session_stall_at(p->session);
    return path_is_relayed(&p->paths.current)
               ? at
               : instant_after(at, direct_patience);
}

/* On a direct path the link's measurement: the session's may stem from another
 * path, or include a time without connection. */
struct span traffic_rtt(const struct peer *p)
{
    const struct path *path = &p->paths.current;
    bool by_relay = path_is_relayed(path) && p->session != NULL;
    return by_relay ? p->session->rtt : path->rtt;
}

/* When the current path becomes suspected. */
static struct instant suspect_at(const struct peer *p)
{
    if (p->session == NULL)
        return INSTANT_NEVER;
    struct instant at = session_suspect_path_at(p->session, traffic_rtt(p));
    bool progressed = p->session->outbox.base != p->path_suspected_base;
    return progressed ? at : instant_max(at, p->path_suspect_not_before);
}

struct instant traffic_deadline(const struct node *n, const struct peer *p)
{
    (void)n;
    if (p->session == NULL || !peer_has_path(p) || !p->joined)
        return INSTANT_NEVER;
    struct instant at = suspect_at(p);
    if (!p->waiting)
        at = instant_min(
            at, instant_min(stall_at(p), session_deadline(p->session)));
    return at;
}

/* Probes have to prove all direct links again: what cut one of them may have
 * cut the others [P-8.10]. */
static void test_links(struct node *n, struct peer *p,
                       const struct link *suspected)
{
    for (struct link *link = p->links; link != NULL;
         link = link->next_of_peer) {
        if (link->state != LINK_UP || !link->probed)
            continue;
        if (!link->unproved)
            mtu_probe_want(link);
        else if (link != suspected)
            continue; /* A probe is under way. */
        link_wake(n, link);
        mtu_probe_send(n, link);
    }
}

/* Unacknowledged records go over another path as well [P-8.7]. */
void traffic_suspect_path(struct node *n, struct peer *p, bool progressed)
{
    struct link *link = peer_link(n, p);
    uint64_t base = p->session != NULL ? p->session->outbox.base : 0;
    if (progressed || base != p->path_suspected_base)
        p->path_suspicions = 0;
    p->path_suspected_base = base;
    p->path_suspected_at = n->now;
    p->path_suspect_not_before = instant_after(
        n->now, span_times(suspicion_pause, (int64_t)1 << p->path_suspicions));
    p->path_suspicions += p->path_suspicions < SUSPICIONS_MAX;
    if (link == NULL || !paths_suspect(&p->paths, n->now))
        return;
    n->counters.path_suspicions++;
    if (link->relay == NULL)
        test_links(n, p, link);
    peer_touch(n, p);
}

/* READY comes once half the window is free, not for each message. Without a
 * session the peer has left, or the callers may begin again. */
void traffic_tell_ready(struct node *n, struct peer *p)
{
    if (!p->wants_ready ||
        (p->session != NULL &&
         !session_has_room(p->session, p->session->outbox.limit / 2)))
        return;
    p->wants_ready = false;
    if (!p->joined)
        return; /* LEFT was reported. */
    struct node_todo *item = todo_add(n->todo, NODE_READY);
    item->peer.peer = todo_peer(n, p);
}

void traffic_due(struct node *n, struct peer *p)
{
    if (instant_reached(stall_at(p), n->now))
        session_stalled(p->session, n->now);
    if (instant_reached(suspect_at(p), n->now))
        traffic_suspect_path(n, p, false);
}

bool traffic_is_open(const struct node *n)
{
    size_t cursor = 0;
    const struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        if (p->session != NULL && p->session->outbox.count > 0)
            return true;
    return groups_are_delivering(n);
}
