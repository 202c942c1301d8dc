#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct span backoff_first = {250 * 1000};
static const struct span backoff_longest = {2 * 1000 * 1000};
/* The pauses after a relay refused this node, for two kinds of reasons. */
static const struct span after_refusal = {20 * 1000 * 1000};
static const struct span after_replaced = {3 * 1000 * 1000};

static void rearm(struct node *n, struct relay *relay)
{
    struct instant at = INSTANT_NEVER;
    if (relay->state == RELAY_DOWN)
        at = relay->retry_at;
    else if (relay->state == RELAY_UP && relay->synced)
        at = relay->settled_by;
    node_arm(n, &relay->deadline, at);
}

static void tell_state(struct node *n, const struct relay *relay)
{
    todo_add(n->todo, NODE_RELAY)->relay = relay->index;
}

static void connect_now(struct node *n, struct relay *relay)
{
    relay->link = link_dial(n, NODE_TRANSPORT_RELAY, relay, &relay->key);
    relay->state = RELAY_CONNECTING;
    todo_connect(n, relay->link);
    rearm(n, relay);
}

void relays_start(struct node *n)
{
    for (size_t i = 0; i < n->relay_count; i++) {
        struct relay *relay = &n->relays[i];
        relay->index = (uint32_t)i;
        relay->version = PROTOCOL_VERSION;
        relay->hello = span_us(-1);
        relay->backoff = backoff_first;
        relay->retry_at = n->now;
        relay->error = "";
        relay->deadline = (struct deadline){
            .kind = DEADLINE_RELAY,
            .subject = relay,
        };
        rearm(n, relay);
    }
}

/* Between half the backoff and all of it, so that the edges of a relay that
 * restarts do not reconnect all at once. */
static struct span jittered(struct node *n, struct span backoff)
{
    int64_t half = backoff.us / 2;
    return span_us(half +
                   (int64_t)entropy_below(&n->entropy, (uint64_t)half + 1));
}

static void touch_listed(struct node *n, const struct relay *relay)
{
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        if (p->evidence.relays[relay->index].listed)
            peer_touch(n, p);
}

void relays_down(struct node *n, struct relay *relay, const char *error)
{
    bool was_up = relay->state == RELAY_UP;
    if (relay->link != NULL) {
        link_drop(n, relay->link, true);
        relay->link = NULL;
    }
    relay->state = RELAY_DOWN;
    relay->synced = false;
    relay->spares_told = false;
    refused_nodes_relay_down(n, relay);
    if (was_up) {
        evidence_relay_down(&n->evidence, relay->index, n->now);
        relay->backoff = backoff_first;
        size_t cursor = 0;
        struct peer *p;
        while ((p = map_next(&n->peers, &cursor)) != NULL)
            paths_relay_down(&p->paths, relay->index, n->now);
    }
    touch_listed(n, relay);
    relay->retry_at = instant_after(n->now, jittered(n, relay->backoff));
    relay->backoff = span_min(span_times(relay->backoff, 2), backoff_longest);
    bool news =
        was_up || relay->error[0] == '\0' || strcmp(relay->error, error) != 0;
    relay->error = error;
    rearm(n, relay);
    if (news)
        tell_state(n, relay);
}

void relays_retry(struct node *n)
{
    for (size_t i = 0; i < n->relay_count; i++) {
        struct relay *relay = &n->relays[i];
        relay->backoff = backoff_first;
        if (relay->state == RELAY_DOWN) {
            relay->retry_at = n->now;
            rearm(n, relay);
        }
    }
}

/* --- what is said to a relay -------------------------------------------- */

void relays_opened(struct node *n, struct link *link)
{
    struct relay_hello hello = {
        .version = link->relay->version,
        .certificate = bytes_of(n->certificate_blob, n->certificate_size),
        .epoch = n->epoch,
        .lost_after_ms = (uint32_t)(n->detector.lost_after.us / 1000),
        .revocation_serial = n->revocation.serial,
        .sealed = announce_sealed(n),
    };
    link->greeted = n->serial;
    link->relay->greeted = n->now;
    size_t size = 64 + n->certificate_size + hello.sealed.size;
    struct writer w = writer_of(arena_take(&n->todo->arena, size), size);
    relay_hello_encode(&hello, &w);
    todo_write(n, link, writer_bytes(&w));
}

void relays_tell_all(struct node *n, struct bytes packet)
{
    for (size_t i = 0; i < n->relay_count; i++)
        if (n->relays[i].state == RELAY_UP)
            todo_write(n, n->relays[i].link, packet);
}

/* --- what a relay says --------------------------------------------------- */

static void take_welcome(struct node *n, struct relay *relay,
                         struct bytes packet)
{
    struct relay_welcome welcome;
    if (!relay_welcome_decode(packet, &welcome) ||
        welcome.version > relay->version ||
        version_agreed(relay->version, welcome.version) == 0) {
        relays_down(n, relay, refusal_name(REFUSAL_VERSION));
        return;
    }
    struct link *link = relay->link;
    link_enter(n, link, LINK_UP);
    relay->state = RELAY_UP;
    relay->hello = instant_between(relay->greeted, n->now);
    evidence_relay_up(&n->evidence, relay->index);
    relay->roster++;
    relay->synced = false;
    relay->tls = (struct relay_tls){0}; /* The last link may have another. */
    relay->backoff = backoff_first;
    relay->error = "";
    bool moved = !address_equal(&relay->outside, &welcome.outside);
    relay->outside = welcome.outside;
    memcpy(relay->name, welcome.name, sizeof relay->name);
    if (n->revocation.serial > welcome.revocation_serial)
        todo_write(n, link, revocation_packet(n, RELAY_REVOCATION));
    announce_news(n, link);
    subscriptions_tell(n, link);
    tell_state(n, relay);
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
    rearm(n, relay);
}

static void drop_unlisted(struct node *n, struct relay *relay)
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

/* A relay of the version before refuses the HELLO of this one, so the next
 * HELLO offers that. If it is refused too, the one after offers the newest
 * again, as the relay may be updated. */
static bool greet_again(struct node *n, struct relay *relay, uint8_t reason)
{
    bool later = relay->version == PROTOCOL_VERSION;
    if (reason != REFUSAL_VERSION || relay->state == RELAY_UP)
        return false;
    relay->version = later ? PROTOCOL_BEFORE : PROTOCOL_VERSION;
    if (!later)
        return false;
    link_drop(n, relay->link, true);
    connect_now(n, relay);
    return true;
}

static void take_refused(struct node *n, struct relay *relay, struct reader *r)
{
    static const struct node_id nobody;
    struct node_id to;
    uint8_t reason = read_u8(r);
    read_copy(r, to.key, KEY_SIZE);
    if (!reader_done(r)) {
        n->counters.packets_dropped++;
        return;
    }
    if (!node_id_equal(&to, &nobody)) {
        take_refused_packet(n, &to, reason);
        return;
    }
    if (greet_again(n, relay, reason))
        return;
    relays_down(n, relay, refusal_name(reason));
    if (reason == REFUSAL_SHUTDOWN)
        return;
    (void)refusal_say(n, true, reason, (int)relay->index, NULL, relay->name,
                      NULL);
    /* After REPLACED the pause is short: the later process may end soon. */
    relay->retry_at = instant_after(
        n->now, jittered(n, reason == REFUSAL_REPLACED ? after_replaced
                                                       : after_refusal));
    rearm(n, relay);
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

void relays_take(struct node *n, struct link *link, struct bytes packet)
{
    struct relay *relay = link->relay;
    struct reader r = reader_of(packet);
    enum packet_type type = read_u8(&r);
    bool up = link->state == LINK_UP;
    relay->bytes_received += packet.size;
    detector_heard(&link->detector, n->now);
    if (type == RELAY_WELCOME && link->state == LINK_GREETING)
        take_welcome(n, relay, packet);
    else if (type == RELAY_REFUSED)
        take_refused(n, relay, &r);
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

void relays_due(struct node *n, struct relay *relay)
{
    if (relay->state == RELAY_DOWN) {
        if (instant_reached(relay->retry_at, n->now))
            connect_now(n, relay);
    } else if (relay->synced && instant_reached(relay->settled_by, n->now)) {
        relay->synced = false;
        drop_unlisted(n, relay);
    }
    rearm(n, relay);
}
