#include "edge/core/relays.h"

#include "edge/core/node_private.h"

#include <string.h>

/* A search for another form takes a second and a handshake. */
enum { RETURNS_WITHIN_MS = 2000 };

void relays_tell_all(struct node *n, struct bytes packet)
{
    for (size_t i = 0; i < n->relay_count; i++)
        if (n->relays[i].state == RELAY_UP)
            todo_write(n, n->relays[i].link, packet);
}

/* --- what a relay says --------------------------------------------------- */

/* A tunnel that is cut is opened anew at once; that is no news for the others
 * [P-14.9]. */
static void say_returns(struct node *n, const struct link *link)
{
    struct writer w = todo_writer(n, 3);
    if (link->form == FORM_TCP)
        return;
    write_u8(&w, RELAY_RETURNS);
    write_u16(&w, RETURNS_WITHIN_MS);
    todo_write(n, link, writer_bytes(&w));
}

static void take_welcome(struct node *n, struct link *link, struct bytes packet)
{
    struct relay *relay = link->relay;
    struct relay_welcome welcome;
    if (!relay_welcome_decode(packet, &welcome) ||
        welcome.version > relay->version ||
        version_agreed(relay->version, welcome.version) == 0) {
        relays_down(n, relay, refusal_name(REFUSAL_VERSION));
        return;
    }
    relays_welcomed(n, link);
    relay->hello = instant_between(relay->greeted, n->now);
    relay->roster++;
    relay->tls = (struct relay_tls){0}; /* The last link may have another. */
    bool moved = !address_equal(&relay->outside, &welcome.outside);
    relay->outside = welcome.outside;
    memcpy(relay->name, welcome.name, sizeof relay->name);
    if (n->revocation.serial > welcome.revocation_serial)
        todo_write(n, link, revocation_packet(n, RELAY_REVOCATION));
    announce_news(n, link);
    subscriptions_tell(n, link);
    say_returns(n, link);
    relays_tell_state(n, relay);
    if (moved)
        udp_outside_moved(n);
}

static void take_entry(struct node *n, struct relay *relay,
                       const struct roster_entry *entry)
{
    struct certificate claimed;
    struct peer *p = NULL;
    enum refusal why;
    uint8_t *room = arena_take(&n->todo->arena, entry->sealed.size + 1);
    struct bytes said =
        announcement_open(entry->sealed, n->keys.announcement, room);
    if (said.size == 0) {
        n->counters.packets_dropped++;
        return;
    }
    switch (announce_learn(n, said, false, &p, &why, &claimed)) {
    case LEARNED_REPLACED:
        return;
    case LEARNED_STALE: /* Perhaps the relay has not noticed its end yet. */
        refused_nodes_listed(n, entry, relay);
        return;
    case LEARNED_REFUSED:
        refused_nodes_listed(n, entry, relay);
        (void)refusal_say(n, false, (uint8_t)why, (int)relay->index,
                          &claimed.node, claimed.name, NULL);
        return;
    case LEARNED_GOOD:
        refused_nodes_listed(n, entry, relay);
        break;
    }
    /* A relay may lie: the entry must name the node and process that signed the
     * announcement. */
    if (!node_id_equal(&p->id, &entry->node) ||
        p->said.epoch.value != entry->epoch.value || p->evidence.departed)
        return;
    evidence_listed(&p->evidence, relay->index, relay->roster);
    if (n->use_relays)
        paths_relay_up(&p->paths, relay->index, n->now);
    peer_dial_soon(n, p, false);
    peer_touch(n, p);
}

static void take_present(struct node *n, struct relay *relay, struct reader *r)
{
    struct roster_entry entry;
    while (roster_entry_next(r, &entry))
        take_entry(n, relay, &entry);
    if (r->failed)
        n->counters.packets_dropped++;
}

static void unlist(struct node *n, struct peer *p, const struct relay *relay)
{
    evidence_unlisted(&p->evidence, relay->index);
    links_unlisted(n, p);
    paths_relay_down(&p->paths, relay->index, n->now);
    peer_touch(n, p);
}

static void take_gone(struct node *n, struct relay *relay, struct reader *r)
{
    struct node_id id;
    read_copy(r, id.key, KEY_SIZE);
    uint64_t epoch = read_u64(r);
    uint8_t reason = read_u8(r);
    bool good = reader_done(r);
    n->counters.packets_dropped += !good;
    if (good)
        refused_nodes_unlisted(n, &id, (struct epoch){epoch}, relay, reason);
    struct peer *p = good ? peer_get(n, &id) : NULL;
    if (p == NULL || p->said.epoch.value != epoch ||
        !p->evidence.relays[relay->index].listed)
        return;
    unlist(n, p, relay);
    /* A relay's word does not end a peer that a direct link reaches. */
    if (reason == DEPARTURE_CLOSED && !peer_is_linked(p)) {
        evidence_gone(&p->evidence, n->now);
        peer_leave(n, p, DEPARTURE_CLOSED);
        traffic_end(n, p, SESSION_NOT_DELIVERED);
    } else {
        evidence_lost(&p->evidence, reason != DEPARTURE_SILENT);
        if (peer_suspect(n, p))
            peer_dial_soon(n, p, true);
    }
}

/* The roster is complete. A peer that only an older roster lists may reconnect
 * to the relay later than this node did, so it is not unlisted yet [P-7.7]. */
static void take_synced(struct node *n, struct relay *relay, struct reader *r)
{
    if (!reader_done(r)) {
        n->counters.packets_dropped++;
        return;
    }
    relay->synced = true;
    relay->settled_by = instant_after(n->now, n->detector.lost_after);
    routes_settled(&relay->routes);
    relays_go_on(n, relay);
}

void relays_settle(struct node *n, struct relay *relay)
{
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        if (evidence_is_outdated(&p->evidence, relay->index, relay->roster))
            unlist(n, p, relay);
}

static void take_forwarded(struct node *n, struct link *link,
                           struct bytes packet)
{
    if (packet.size <= FORWARD_HEADER_SIZE) {
        n->counters.packets_dropped++;
        return;
    }
    struct node_id source;
    memcpy(source.key, packet.data + 1, KEY_SIZE);
    struct peer *p = peer_get(n, &source);
    uint8_t *inner = (uint8_t *)(uintptr_t)packet.data + FORWARD_HEADER_SIZE;
    if (inner[0] == PACKET_NOTICE) {
        notices_take(
            n, &source, link,
            bytes_of(inner + 1, packet.size - FORWARD_HEADER_SIZE - 1));
        return;
    }
    if (p == NULL) {
        notices_answer(n, &source, link, inner[0]);
        n->counters.packets_dropped++;
        return;
    }
    traffic_take(n, p, link, inner, packet.size - FORWARD_HEADER_SIZE);
}

/* The relay refused one packet to a peer: the session resends it a little
 * later. */
static void take_refused_packet(struct node *n, const struct node_id *to,
                                uint8_t reason)
{
    struct peer *p = peer_get(n, to);
    if (p == NULL || p->session == NULL)
        return;
    session_refused(p->session, reason == REFUSAL_QUEUE_FULL, n->now);
    peer_touch(n, p);
}

static void take_refused(struct node *n, struct link *link, struct reader *r)
{
    static const struct node_id nobody;
    struct node_id to;
    uint8_t reason = read_u8(r);
    read_copy(r, to.key, KEY_SIZE);
    if (!reader_done(r))
        n->counters.packets_dropped++;
    else if (!node_id_equal(&to, &nobody))
        take_refused_packet(n, &to, reason);
    else
        relays_refused(n, link, reason);
}

static void take_pong(struct node *n, struct link *link, struct reader *r)
{
    uint64_t token = read_u64(r);
    if (reader_done(r))
        (void)detector_answered(&link->detector, token, n->now);
    else
        n->counters.packets_dropped++;
}

/* [P-7.9] */
static void take_clock(struct node *n, struct relay *relay, struct reader *r)
{
    uint64_t unix_seconds = read_u64(r);
    if (!reader_done(r)) {
        n->counters.packets_dropped++;
        return;
    }
    relay->clock = unix_seconds;
    relay->clock_at = n->now;
}

/* [P-14.4] */
static void take_certificate(struct node *n, struct relay *relay,
                             struct bytes packet)
{
    struct relay_tls tls;
    if (relay_certificate_decode(packet, &tls))
        relay->tls = tls;
    else
        n->counters.packets_dropped++;
}

/* On a link whose place another one took, only data counts: what the relay says
 * of the mesh comes by the other one, and may be newer there. */
static void take_from_replaced(struct node *n, struct link *link,
                               enum packet_type type, struct bytes packet)
{
    struct reader r = reader_of(packet);
    (void)read_u8(&r);
    if (type == RELAY_FORWARDED || type == RELAY_MULTICASTED)
        take_forwarded(n, link, packet);
    else if (type == RELAY_REFUSED)
        take_refused(n, link, &r);
}

static void take_from_relay(struct node *n, struct link *link,
                            enum packet_type type, struct bytes packet)
{
    struct relay *relay = link->relay;
    struct reader r = reader_of(packet);
    (void)read_u8(&r);
    bool up = relay->link == link;
    if (type == RELAY_WELCOME && link_awaits_welcome(link))
        take_welcome(n, link, packet);
    else if (type == RELAY_REFUSED)
        take_refused(n, link, &r);
    else if (type == RELAY_CLOCK)
        take_clock(n, relay, &r);
    else if (!up)
        n->counters.packets_dropped++;
    else if (type == RELAY_FORWARDED || type == RELAY_MULTICASTED)
        take_forwarded(n, link, packet);
    else if (type == RELAY_CERTIFICATE)
        take_certificate(n, relay, packet);
    else if (type == RELAY_PRESENT)
        take_present(n, relay, &r);
    else if (type == RELAY_GONE)
        take_gone(n, relay, &r);
    else if (type == RELAY_SYNCED)
        take_synced(n, relay, &r);
    else if (type == RELAY_PONG)
        take_pong(n, link, &r);
    else if (type == RELAY_REVOCATION)
        revocation_take(n, bytes_of(r.at, reader_left(&r)), true);
    else
        n->counters.packets_dropped++;
}

void relays_take(struct node *n, struct link *link, struct bytes packet)
{
    struct reader r = reader_of(packet);
    enum packet_type type = read_u8(&r);
    link->relay->bytes_received += packet.size;
    relays_heard(n, link);
    if (link->state == LINK_UP && link->relay->link != link)
        take_from_replaced(n, link, type, packet);
    else
        take_from_relay(n, link, type, packet);
}
