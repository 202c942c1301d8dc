/*
 * One peer's way to a path over UDP: when its rounds are wanted, and what comes
 * of them.
 */
#include "edge/core/udp.h"

#include "common/base/memory.h"
#include "edge/core/node_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* A dial over TCP has this time to succeed before a round begins: in a LAN no
 * round is needed. */
static const struct span head_start = {300 * 1000};
/* And a link that is up to pass its first large packets. */
static const struct span proof_time = {2 * 1000 * 1000};
/* A path over TCP that was in use for so long replaces a link over UDP. A path
 * that was up for so long ends all that was known of earlier rounds. */
static const struct span settled_after = {10 * 1000 * 1000};
/* A link over UDP is older than any record of the round that made it. */
static const struct span round_is_over = {5 * 1000 * 1000};
/* The answers of STUN servers are awaited for this time. */
static const struct span look_time = {1500 * 1000};
/* For each node that is known. */
static const struct span crowd_spread = {40 * 1000};

static struct udp_peer *ensure(struct node *n, struct peer *p)
{
    struct udp_peer *u = p->udp;
    if (u != NULL)
        return u;
    struct punch_conf conf = {
        .self = n->certificate.node,
        .peer = p->id,
        .easy_only = n->udp.easy_only,
        .entropy = &n->entropy,
        .next_socket = &n->udp.next_socket,
    };
    u = p->udp = memory_new(sizeof *u);
    u->peer = p;
    u->punch = punch_new(&conf);
    u->next = n->udp.first;
    u->at = &n->udp.first;
    if (u->next != NULL)
        u->next->at = &u->next;
    n->udp.first = u;
    return u;
}

static void untag(struct node *n, struct udp_peer *u)
{
    if (u->tagged)
        (void)map_remove(&n->udp.tags, u->tag);
    u->tagged = false;
}

void udp_forget(struct node *n, struct peer *p)
{
    struct udp_peer *u = p->udp;
    if (u == NULL)
        return;
    p->udp = NULL;
    untag(n, u);
    if (n->udp.many == u)
        n->udp.many = NULL;
    for (size_t i = 0; i < u->range_count; i++)
        udp_close_sockets(n, u->ranges[i].first, u->ranges[i].count);
    *u->at = u->next;
    if (u->next != NULL)
        u->next->at = u->at;
    punch_free(&u->punch);
    free(u);
}

/* --- sockets ----------------------------------------------------------------
 */

static void add_range(struct node *n, struct udp_peer *u, uint32_t first,
                      uint32_t count, uint16_t port)
{
    if (count == 0)
        return;
    if (u->range_count == UDP_RANGES) { /* A round has three at most. */
        udp_close_sockets(n, first, count);
        return;
    }
    u->ranges[u->range_count++] = (struct udp_range){first, count, port};
}

static struct udp_range *range_of(struct udp_peer *u, uint32_t socket)
{
    for (size_t i = 0; i < u->range_count; i++)
        if (socket - u->ranges[i].first < u->ranges[i].count)
            return &u->ranges[i];
    return NULL;
}

/* They are the peer's no more. False: they were not. */
static bool take_range(struct node *n, struct udp_peer *u, uint32_t first,
                       uint32_t count)
{
    struct udp_range *r = range_of(u, first);
    if (r == NULL || first - r->first + count > r->count)
        return false;
    struct udp_range was = *r;
    *r = u->ranges[--u->range_count];
    add_range(n, u, was.first, first - was.first, was.port);
    add_range(n, u, first + count, was.first + was.count - first - count, 0);
    return true;
}

static void open_sockets(struct node *n, struct udp_peer *u,
                         const struct punch_do *todo)
{
    struct node_todo *item = todo_add(n->todo, NODE_UDP_OPEN);
    item->udp.socket = todo->socket;
    item->udp.count = todo->count;
    add_range(n, u, todo->socket, todo->count, 0);
}

void udp_opened(struct node *n, struct udp_peer *u, uint32_t first,
                uint16_t port)
{
    struct udp_range *r = range_of(u, first);
    if (r == NULL || r->first != first)
        return;
    r->port = port;
    if (port == 0)
        (void)take_range(n, u, first, r->count);
    if (!u->looking || u->look != first)
        return;
    if (port != 0)
        udp_ask(n, first);
    udp_look(n, u);
}

/* --- outside addresses ------------------------------------------------------
 */

/* The port of the socket that is looked at. False: it is not open yet. */
static bool port_of_look(const struct node *n, struct udp_peer *u,
                         uint16_t *port)
{
    const struct udp_range *r = range_of(u, u->look);
    *port = u->look == 0 ? n->udp.port : r != NULL ? r->port : 0;
    return *port != 0 || r == NULL;
}

static bool all_is_known(const struct node *n, const struct udp_peer *u)
{
    struct outside_view view;
    return !outside_get(n->udp.outside, u->look, &view) || view.done;
}

static void allow_many(struct node *n, struct udp_peer *u)
{
    punch_allow_many(u->punch, n->udp.many == NULL || n->udp.many == u);
}

void udp_look(struct node *n, struct udp_peer *u)
{
    uint16_t port;
    struct punch_side side;
    if (!u->looking)
        return;
    bool open = port_of_look(n, u, &port);
    if (!instant_reached(u->look_by, n->now) && (!open || !all_is_known(n, u)))
        return;
    u->looking = false;
    udp_side(n, u->peer, u->look, port, &side);
    allow_many(n, u);
    punch_looked(u->punch, &side, n->now);
    udp_drain(n, u);
    peer_touch(n, u->peer); /* So that the record leaves. */
}

static void begin_look(struct node *n, struct udp_peer *u, uint32_t socket)
{
    uint16_t port;
    u->looking = true;
    u->look = socket;
    u->look_by = instant_after(n->now, look_time);
    if (port_of_look(n, u, &port) && port != 0)
        udp_ask(n, socket);
}

/* --- what punch wants done --------------------------------------------------
 */

static void write_record(struct node *n, struct peer *p, struct bytes record)
{
    struct session *s = traffic_session(n, p);
    if (s != NULL)
        session_punch(s, record);
}

/* The pair won: QUIC connects there. */
static void connect(struct node *n, struct udp_peer *u,
                    const struct punch_do *todo)
{
    static const struct curve_key no_key;
    struct peer *p = u->peer;
    if (n->direct_links >= n->link_limit + n->link_limit / 4) {
        if (todo->socket != 0)
            udp_close_sockets(n, todo->socket, 1);
        punch_not_connected(u->punch, n->now);
        return;
    }
    struct link *old = udp_link(p);
    u->won = 0;
    if (old != NULL)
        link_finish(n, old, LINK_END_ABANDONED);
    struct link *link = link_dial(n, NODE_TRANSPORT_UDP, NULL, &no_key);
    link->socket = todo->socket;
    link->address = todo->to;
    link->version = p->version;
    link->greeted = n->serial;
    link_attach(link, p);
    u->won = link->id;
    todo_connect_udp(n, link, todo->lead, todo->quic);
}

static void carry_out(struct node *n, struct udp_peer *u,
                      const struct punch_do *todo)
{
    switch (todo->action) {
    case PUNCH_LOOK:
        begin_look(n, u, todo->socket);
        return;
    case PUNCH_RECORD:
        write_record(n, u->peer, bytes_of(todo->bytes, todo->size));
        return;
    case PUNCH_OPEN:
        open_sockets(n, u, todo);
        return;
    case PUNCH_CLOSE:
        if (take_range(n, u, todo->socket, todo->count))
            udp_close_sockets(n, todo->socket, todo->count);
        return;
    case PUNCH_SEND:
        udp_send_from(n, todo->socket, &todo->to, todo->ttl,
                      bytes_of(todo->bytes, todo->size));
        return;
    case PUNCH_WON:
        (void)take_range(n, u, todo->socket, 1); /* It is the link's. */
        connect(n, u, todo);
        return;
    case PUNCH_FAILED:
        u->looking = false;
        return;
    }
}

/* Each round has its tag. */
static void retag(struct node *n, struct udp_peer *u)
{
    uint8_t tag[sizeof u->tag];
    bool tagged = punch_tag(u->punch, tag);
    if (tagged == u->tagged &&
        (!tagged || memcmp(tag, u->tag, sizeof tag) == 0))
        return;
    untag(n, u);
    if (!tagged)
        return;
    u->tagged = true;
    memcpy(u->tag, tag, sizeof tag);
    (void)map_put(&n->udp.tags, u->tag, u);
}

void udp_drain(struct node *n, struct udp_peer *u)
{
    struct punch_do todo;
    while (punch_next(u->punch, &todo, n->now))
        carry_out(n, u, &todo);
    sodium_memzero(&todo, sizeof todo);
    retag(n, u);
    if (punch_has_many(u->punch))
        n->udp.many = u;
    else if (n->udp.many == u)
        n->udp.many = NULL;
}

/* --- when rounds are wanted -------------------------------------------------
 */

struct link *udp_link(const struct peer *p)
{
    for (struct link *link = p->links; link != NULL; link = link->next_of_peer)
        if (link->punched)
            return link;
    return NULL;
}

static bool leads(const struct node *n, const struct peer *p)
{
    return memcmp(n->certificate.node.key, p->id.key, KEY_SIZE) < 0;
}

/* Records can be exchanged: the leader makes a session if there is none. */
static bool has_records(const struct node *n, const struct peer *p)
{
    uint8_t offers;
    if (p->session == NULL || !session_peer_offers(p->session, &offers))
        return leads(n, p);
    return (offers & SESSION_UDP) != 0;
}

/* A link over TCP came up, and has yet to pass a large packet. */
static bool is_being_proved(const struct node *n, const struct peer *p)
{
    for (const struct link *l = p->links; l != NULL; l = l->next_of_peer)
        if (l->dialed && l->state == LINK_UP && l->unproved &&
            instant_is_recent(l->up_since, proof_time, n->now))
            return true;
    return false;
}

static bool may_have_link(const struct node *n, const struct peer *p)
{
    const struct link *link = udp_link(p);
    return link == NULL ? n->direct_links < n->link_limit
                        : link->state != LINK_UP;
}

static bool is_wanted(const struct node *n, const struct peer *p)
{
    return n->udp.port != 0 && !n->leaving && p->joined && peer_has_path(p) &&
           !paths_have_direct(&p->paths, n->now) && !is_being_proved(n, p) &&
           may_have_link(n, p) && has_records(n, p);
}

/* Where many nodes meet, their rounds begin one after the other. */
static struct span crowd_delay(const struct node *n, const struct peer *p)
{
    const uint8_t *a = n->certificate.node.key, *b = p->id.key;
    int64_t place = (a[0] ^ b[0]) << 8 | (a[1] ^ b[1]);
    if (n->peers.count <= CROWD)
        return span_us(0);
    return span_us(place * (int64_t)n->peers.count * crowd_spread.us / 65536);
}

/* When no dial over TCP is about to succeed any more. */
static struct instant begin_at(const struct node *n, const struct peer *p)
{
    struct instant at =
        instant_after(p->since, span_us(head_start.us + crowd_delay(n, p).us));
    struct instant dial = dialer_deadline(&p->dialer);
    if (p->dialer.rounds == 0 && !instant_is_never(dial))
        at = instant_max(at, instant_after(dial, head_start));
    for (const struct link *l = p->links; l != NULL; l = l->next_of_peer) {
        if (!l->dialed || l->state == LINK_UP)
            continue;
        at = instant_max(at, l->state == LINK_GREETING
                                 ? l->greet_by
                                 : instant_after(l->used, head_start));
    }
    return at;
}

/* When a path that is good has been in use for a while. */
static struct instant settled_at(const struct node *n, const struct peer *p)
{
    bool good = path_is_direct(&p->paths.current) &&
                paths_have_direct(&p->paths, n->now);
    return good ? instant_after(p->chosen_at, settled_after) : INSTANT_NEVER;
}

/* A path over TCP has replaced the links over UDP [P-11.11]. */
static void close_replaced(struct node *n, struct peer *p)
{
    struct link *link = udp_link(p);
    if (link == NULL || link->state != LINK_UP ||
        !path_is_dialed(&p->paths.current) ||
        !instant_reached(settled_at(n, p), n->now))
        return;
    paths_down(&p->paths, link->path, link->id, false, n->now);
    link_drop(n, link, true);
}

static struct span rtt_of(const struct peer *p)
{
    const struct session *s = p->session;
    if (s == NULL)
        return span_us(-1);
    return s->rtt.us >= 0 ? s->rtt : s->handshake_rtt;
}

static void tell(struct node *n, struct udp_peer *u, bool wanted)
{
    u->wanted = wanted;
    punch_rtt(u->punch, rtt_of(u->peer));
    punch_want(u->punch, wanted, n->now);
    udp_drain(n, u);
}

void udp_peer_settle(struct node *n, struct peer *p)
{
    if (!n->udp.on || !p->joined)
        return;
    close_replaced(n, p);
    struct udp_peer *u = p->udp;
    bool wanted = is_wanted(n, p);
    bool begins = wanted && (u == NULL || !u->wanted);
    if (begins)
        wanted = instant_reached(begin_at(n, p), n->now);
    if (u == NULL && !wanted)
        return;
    if (!wanted && instant_reached(settled_at(n, p), n->now)) {
        udp_forget(n, p);
        return;
    }
    u = ensure(n, p);
    tell(n, u, wanted);
    allow_many(n, u);
    punch_due(u->punch, n->now);
    udp_drain(n, u);
    udp_look(n, u);
}

struct instant udp_peer_deadline(const struct node *n, const struct peer *p)
{
    const struct udp_peer *u = p->udp;
    struct instant at = INSTANT_NEVER;
    if (!n->udp.on || !p->joined)
        return at;
    if (u != NULL || udp_link(p) != NULL)
        at = settled_at(n, p);
    if (instant_reached(at, n->now))
        at = INSTANT_NEVER; /* udp_peer_settle saw to it. */
    if (is_wanted(n, p) && (u == NULL || !u->wanted))
        at = instant_min(at, begin_at(n, p));
    if (u == NULL)
        return at;
    if (u->looking)
        at = instant_min(at, u->look_by);
    return instant_min(at, punch_deadline(u->punch));
}

/* --- events -----------------------------------------------------------------
 */

/* The peer wants a round, so it has lost a link that is up here. */
static void test_link(struct node *n, const struct peer *p)
{
    struct link *link = udp_link(p);
    if (link != NULL && link->state == LINK_UP &&
        !instant_is_recent(link->up_since, round_is_over, n->now))
        link_hurry(n, link);
}

void udp_take_record(struct node *n, struct peer *p, struct bytes record)
{
    if (!n->udp.on)
        return;
    if (record.size > 0 && record.data[0] != PUNCH_ANSWER)
        test_link(n, p);
    if (!is_wanted(n, p)) {
        n->counters.packets_dropped++;
        return;
    }
    struct udp_peer *u = ensure(n, p);
    tell(n, u, true);
    if (!punch_take_record(u->punch, record, n->now))
        n->counters.packets_dropped++;
    udp_drain(n, u);
    peer_touch(n, p);
}

void udp_peer_moved(struct node *n, struct peer *p)
{
    struct udp_peer *u = p->udp;
    if (u == NULL)
        return;
    punch_network_changed(u->punch, n->now);
    udp_drain(n, u);
    peer_touch(n, p);
}

void udp_link_opened(struct node *n, struct link *link)
{
    struct udp_peer *u = link->peer->udp;
    link_enter(n, link, LINK_UP);
    if (u != NULL && u->won == link->id) {
        punch_connected(u->punch, n->now);
        udp_drain(n, u);
    }
    peer_linked(n, link->peer, link);
}

void udp_link_dropped(struct node *n, struct link *link)
{
    struct udp_peer *u = link->peer->udp;
    if (link->socket != 0)
        udp_close_sockets(n, link->socket, 1);
    if (u == NULL)
        return;
    bool was_up = link->state == LINK_UP;
    if (!was_up && link->id == u->won)
        punch_not_connected(u->punch, n->now);
    else if (was_up &&
             !instant_is_recent(link->up_since, settled_after, n->now))
        punch_network_changed(u->punch, n->now);
    udp_drain(n, u);
    peer_touch(n, u->peer);
}
