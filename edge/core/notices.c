/*
 * Notices: over a relay a node tells another one that it refuses it [P-7.8].
 * This file sends notices to refused nodes, and handles those from peers that
 * refuse this node.
 *
 * The refusing node signs a notice, which names both processes and has a
 * counter that grows. So no other node can forge or replay one.
 */
#include "edge/core/node_private.h"

/* The shortest time between two notices to one refused node: unasked, and in
 * answer to its packets. */
static const struct span told_apart = {60 * 1000 * 1000};
static const struct span answers_apart = {1000 * 1000};
/* The rate of notices to all refused nodes together. */
static const struct span notices_apart = {31 * 1000};
enum { NOTICES_BURST = 65 };
/* How often this node sends an INIT to a peer that refuses it. */
static const struct span ask_again = {60 * 1000 * 1000};

static bool may_write(struct node *n)
{
    return token_bucket_takes(&n->notices_pace, n->now, notices_apart,
                              NOTICES_BURST);
}

static void write_notice(struct node *n, const struct node_id *to,
                         struct epoch to_epoch, uint8_t reason,
                         const struct link *link)
{
    uint8_t nonce[24], sealed[SEALED_NOTICE_SIZE];
    struct writer w =
        todo_writer(n, FORWARD_HEADER_SIZE + 1 + SEALED_NOTICE_SIZE);
    struct notice m = {
        .reason = reason,
        .whom = *to,
        .whom_epoch = to_epoch,
        .epoch = n->epoch,
        .counter = ++n->ask_counter,
        .unix_seconds = node_unix_now(n),
    };
    entropy_fill(&n->entropy, nonce, sizeof nonce);
    write_u8(&w, RELAY_FORWARD);
    write_bytes(&w, bytes_of(to->key, KEY_SIZE));
    write_u8(&w, PACKET_NOTICE);
    write_bytes(&w, notice_seal(&m, n->keys.announcement, nonce, n->secret_key,
                                sealed));
    todo_write(n, link, writer_bytes(&w));
}

static const struct link *link_of(const struct node *n,
                                  const struct refused_node *o)
{
    for (size_t i = 0; i < n->relay_count; i++)
        if (o->listed[i] && n->relays[i].state == RELAY_UP)
            return n->relays[i].link;
    return NULL;
}

static bool tell(struct node *n, struct refused_node *o, struct span pause,
                 const struct link *link)
{
    bool paused = instant_is_recent(o->told_at, pause, n->now);
    if (link == NULL || paused || n->left)
        return true; /* Sent recently, or cannot be sent now. */
    if (!may_write(n))
        return false;
    o->told_at = n->now;
    write_notice(n, &o->id, o->epoch, o->reason, link);
    return true;
}

bool notices_tell(struct node *n, struct refused_node *o)
{
    return tell(n, o, told_apart, link_of(n, o));
}

void notices_answer(struct node *n, const struct node_id *id,
                    const struct link *link, uint8_t type)
{
    struct refused_node *o = refused_node_get(n, id);
    if (o == NULL || link->relay == NULL ||
        (type != PACKET_INIT && type != PACKET_SEALED))
        return;
    (void)refusal_say(n, false, o->reason, -1, &o->id, o->name, NULL);
    (void)tell(n, o, answers_apart, link);
}

/* --- notices from peers -----------------------------------------------------
 */

void peer_refuses_us(struct node *n, struct peer *p, uint8_t reason,
                     uint64_t unix_seconds, const struct address *from)
{
    (void)refusal_say(n, true, reason, -1, &p->id, p->name, from);
    p->refuses_us = reason;
    p->refused_at = n->now;
    p->skew = skew_of(n, unix_seconds);
    peer_leave(n, p, DEPARTURE_REFUSED);
    groups_forget(p);
    subscriptions_forget(n, p);
    traffic_end(n, p, SESSION_NOT_DELIVERED);
    peer_drop_links(n, p);
    peer_touch(n, p);
}

void peer_takes_us(struct node *n, struct peer *p)
{
    if (p->refuses_us == REFUSAL_NONE)
        return;
    p->refuses_us = REFUSAL_NONE;
    p->skew = (struct skew){0};
    p->known_since = n->now;
    peer_touch(n, p);
}

static bool is_of_time(uint8_t reason)
{
    return reason == REFUSAL_NOT_YET || reason == REFUSAL_EXPIRED;
}

static bool is_newer(uint64_t *last, uint64_t counter)
{
    if (counter <= *last)
        return false;
    *last = counter;
    return true;
}

static void take_from_peer(struct node *n, struct peer *p, struct link *link,
                           const struct notice *m)
{
    if (!is_newer(&p->taken_counter, m->counter)) {
        n->counters.packets_dropped++;
        return;
    }
    peer_refuses_us(n, p, m->reason, m->unix_seconds, &link->address);
    if (is_of_time(m->reason) && may_write(n))
        write_notice(n, &p->id, p->said.epoch, REFUSAL_NONE, link);
}

void notices_take(struct node *n, const struct node_id *from, struct link *link,
                  struct bytes sealed)
{
    uint8_t room[SEALED_NOTICE_SIZE];
    struct notice m;
    struct bytes opened;
    if (link->relay == NULL ||
        !notice_open(sealed, n->keys.announcement, room, &m, &opened) ||
        !node_id_equal(&m.whom, &n->certificate.node) ||
        m.whom_epoch.value != n->epoch.value ||
        !notice_signed_by(opened, from)) {
        n->counters.packets_dropped++;
        return;
    }
    struct peer *p = peer_get(n, from);
    struct refused_node *o = refused_node_get(n, from);
    if (m.reason != REFUSAL_NONE && p != NULL && p->blob != NULL &&
        m.epoch.value == p->said.epoch.value)
        take_from_peer(n, p, link, &m);
    else if (m.reason == REFUSAL_NONE && o != NULL &&
             m.epoch.value == o->epoch.value &&
             is_newer(&o->counter, m.counter))
        o->skew = skew_of(n, m.unix_seconds);
    else
        n->counters.packets_dropped++;
}

/* --- when a refusal ends ----------------------------------------------------
 */

void notices_ask(struct node *n, struct peer *p)
{
    struct link *link = peer_link(n, p);
    if (!instant_reached(notices_ask_at(p), n->now))
        return;
    p->refused_at = n->now;
    traffic_end(n, p, SESSION_NOT_DELIVERED);
    p->session_until = INSTANT_NEVER; /* The next INIT ends the session. */
    if (link != NULL && link->relay != NULL)
        traffic_ask(n, p, link);
}

struct instant notices_ask_at(const struct peer *p)
{
    return p->refuses_us == REFUSAL_NONE
               ? INSTANT_NEVER
               : instant_after(p->refused_at, ask_again);
}

/* A peer that refused this node accepts it by an authentic handshake: an INIT
 * newer than the refusal, or an ACCEPT for this node's INIT. */
static bool has_relented(struct node *n, struct peer *p, struct bytes packet,
                         struct writer *answer)
{
    if (packet.data[0] == PACKET_ACCEPT)
        return traffic_accept(n, p, packet);
    if (packet.data[0] != PACKET_INIT)
        return false;
    struct session *s = traffic_session(n, p);
    bool good = s != NULL && session_take_init(s, packet, &n->entropy, n->now,
                                               answer) == SESSION_ACCEPTED;
    if (good)
        p->version = s->version;
    else
        traffic_end(n, p, SESSION_NOT_DELIVERED);
    return good;
}

void notices_take_relenting(struct node *n, struct peer *p, struct link *link,
                            struct bytes packet)
{
    uint8_t room[SESSION_ACCEPT_SIZE];
    struct writer answer = writer_of(room, sizeof room);
    if (!has_relented(n, p, packet, &answer))
        return;
    peer_takes_us(n, p);
    (void)peer_try_join(n, p);
    struct bytes bytes = writer_bytes(&answer);
    if (bytes.size == 0)
        return;
    struct writer w = traffic_begin(n, p, link, bytes.size);
    write_bytes(&w, bytes);
    traffic_end_packet(n, p, link, &w);
}

/* An INIT shows the peer that this node does not refuse it any more. */
void notices_relent(struct node *n, struct peer *p)
{
    if (!p->relents || !p->joined || !path_is_relayed(&p->paths.current))
        return;
    struct session *s = traffic_session(n, p);
    if (s == NULL || session_ping(s, ++n->next_token))
        p->relents = false;
}
