#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* What one step writes to a link at the most, but for one packet. */
enum { STEP_BYTES = 256 * 1024 };

static const struct span greet_within = {5 * 1000 * 1000};

/* After a change of the network a link answers within 4 RTTs, at least so
 * much. To connect to a relay anew costs more, and everybody notices. */
static const struct span greet_soon = {1000 * 1000};
static const struct span answer_soon = {200 * 1000};
static const struct span relay_answer = {600 * 1000};

struct link *link_get(struct node *n, uint32_t id)
{
    if (n->recent_link == NULL || n->recent_link->id != id)
        n->recent_link = map_get(&n->links, &id);
    return n->recent_link;
}

/* What links of each transport are; all else of a link follows from this. */
static const struct {
    enum node_path path;
    bool seals, probed;
} transports[] = {
    [NODE_TRANSPORT_TCP] = {.path = PATH_TCP, .seals = true, .probed = true},
    [NODE_TRANSPORT_RELAY] = {.path = PATH_RELAY},
};

static struct link *link_new(struct node *n, uint32_t id,
                             enum node_transport transport, struct relay *relay)
{
    struct link *link = memory_new(sizeof *link);
    link->id = id;
    link->transport = transport;
    link->path = transports[transport].path;
    link->seals = transports[transport].seals;
    link->probed = transports[transport].probed;
    link->relay = relay;
    link->deadline = (struct deadline){
        .kind = DEADLINE_LINK,
        .subject = link,
    };
    link->greet_by = instant_after(n->now, greet_within);
    link->used = n->now;
    detector_init(&link->detector, &n->detector, n->now);
    (void)map_put(&n->links, &id, link);
    n->direct_links += relay == NULL;
    link_rearm(n, link);
    return link;
}

struct link *link_dial(struct node *n, enum node_transport transport,
                       struct relay *relay, const struct curve_key *key)
{
    struct link *link = link_new(n, n->next_link, transport, relay);
    n->next_link += 2;
    link->outgoing = true;
    link->key = *key;
    return link;
}

/* The peers that waited for the link to take packets go on. */
static void wake_waiting(struct node *n, struct link *link)
{
    struct peer *p = link->waiting;
    link->waiting = NULL;
    while (p != NULL) {
        struct peer *next = p->next_waiting;
        p->next_waiting = NULL;
        p->waiting = false;
        peer_touch(n, p);
        p = next;
    }
}

static void forget_spent(struct node *n, const struct link *link)
{
    for (struct link **at = &n->spent; *at != NULL; at = &(*at)->next_spent)
        if (*at == link) {
            *at = link->next_spent;
            break;
        }
}

static void unlink_from_peer(struct link *link)
{
    if (link->peer == NULL)
        return;
    for (struct link **at = &link->peer->links; *at != NULL;
         at = &(*at)->next_of_peer)
        if (*at == link) {
            *at = link->next_of_peer;
            break;
        }
}

void link_drop(struct node *n, struct link *link, bool disconnect)
{
    if (disconnect)
        todo_disconnect(n, link);
    wake_waiting(n, link);
    forget_spent(n, link);
    unlink_from_peer(link);
    heap_remove(&n->heap, &link->deadline.timer);
    (void)map_remove(&n->links, &link->id);
    if (n->recent_link == link)
        n->recent_link = NULL;
    n->direct_links -= link->relay == NULL;
    free(link);
}

void link_rearm(struct node *n, struct link *link)
{
    node_arm(n, &link->deadline,
             link->state == LINK_UP ? detector_deadline(&link->detector)
                                    : link->greet_by);
}

static void attach(struct link *link, struct peer *p)
{
    link->peer = p;
    link->next_of_peer = p->links;
    p->links = link;
}

static struct link *first_up(const struct peer *p)
{
    for (struct link *link = p->links; link != NULL; link = link->next_of_peer)
        if (link->state == LINK_UP)
            return link;
    return NULL;
}

bool peer_is_linked(const struct peer *p)
{
    return first_up(p) != NULL;
}

/* --- writing ------------------------------------------------------------ */

void link_write_token(struct node *n, const struct link *link,
                      enum packet_type type, uint64_t token)
{
    struct writer w = writer_of(arena_take(&n->todo->arena, 9), 9);
    write_u8(&w, (uint8_t)type);
    write_u64(&w, token);
    todo_write(n, link, writer_bytes(&w));
}

static void write_hello(struct node *n, struct link *link)
{
    if (link->version == 0)
        link->version = PROTOCOL_VERSION;
    size_t size = 4 + n->said_full_size;
    struct writer w = writer_of(arena_take(&n->todo->arena, size), size);
    write_u8(&w, LINK_HELLO);
    write_u8(&w, link->version);
    write_u16(&w, (uint16_t)n->said_full_size);
    write_bytes(&w, announce_greeting(n, link));
    todo_write(n, link, writer_bytes(&w));
}

static void write_refuse(struct node *n, const struct link *link,
                         enum refusal why)
{
    struct writer w = writer_of(arena_take(&n->todo->arena, 10), 10);
    write_u8(&w, LINK_REFUSE);
    write_u8(&w, (uint8_t)why);
    if (link->version != 1)
        write_u64(&w, node_unix_now(n));
    todo_write(n, link, writer_bytes(&w));
}

/* --- opening and closing ------------------------------------------------ */

void links_dial(struct node *n, struct peer *p, const struct address *address)
{
    struct link *link =
        link_dial(n, NODE_TRANSPORT_TCP, NULL, &p->said.link_key);
    link->address = *address;
    link->version = p->version;
    attach(link, p);
    todo_connect(n, link);
}

void links_opened(struct node *n, const struct node_event *event)
{
    struct link *link = link_get(n, event->link.id);
    if (link == NULL && event->link.incoming) {
        if (!link_eviction_for_incoming(n, event))
            return;
        link = link_new(n, event->link.id, event->link.transport, NULL);
        link->key = event->link.key;
    }
    if (link == NULL || link->state != LINK_CONNECTING)
        return;
    link->state = LINK_GREETING;
    link->greet_by = instant_after(n->now, greet_within);
    link_rearm(n, link);
    if (event->link.address.family != ADDRESS_NONE)
        link->address = event->link.address;
    if (link->relay != NULL)
        relays_opened(n, link);
    else if (link->outgoing)
        write_hello(n, link);
}

/* How a link came to its end. */
enum link_end {
    LINK_ENDED,     /* its connection did */
    LINK_SILENT,    /* for too long */
    LINK_ABANDONED, /* the network changed, and it was slow to answer */
    LINK_SPARED,    /* to make place: its peer is well */
};

/* The peer's last link is gone; `heard`: when it last spoke on it. */
static void without_links(struct node *n, struct peer *p, enum link_end how,
                          struct instant heard)
{
    bool suspect = false;
    if (p->bye == p->said.epoch.value) {
        peer_departed(n, p, DEPARTURE_CLOSED);
        return;
    }
    beacons_challenge(n, p);
    if (how == LINK_SPARED)
        return; /* See link_eviction.c. */
    if (how == LINK_ABANDONED)
        p->heard_until = instant_after(heard, n->detector.lost_after);
    else
        suspect = peer_suspect(n, p);
    peer_dial_soon(n, p, suspect || how != LINK_SILENT);
}

/* The path is gone. */
static void take_down(struct node *n, struct link *link, enum link_end how,
                      bool disconnect)
{
    struct peer *p = link->peer;
    bool was_up = link->state == LINK_UP;
    bool swallows = was_up && mtu_probe_failed(n, link);
    enum node_path path = link->path;
    uint32_t id = link->id;
    struct instant heard = link->detector.heard;
    link_drop(n, link, disconnect);
    if (p == NULL)
        return;
    if (!was_up)
        peer_unreachable(n, p);
    if (was_up) {
        p->broke = how == LINK_ENDED;
        paths_down(&p->paths, path, id, how == LINK_SILENT, n->now);
        if (first_up(p) == NULL)
            without_links(n, p, how, heard);
        if (swallows) {
            dialer_failed(&p->dialer, n->now);
            todo_add(n->todo, NODE_LARGE_LOST)->peer.peer = todo_peer(n, p);
        }
    }
    peer_touch(n, p);
}

void link_spare(struct node *n, struct link *link)
{
    take_down(n, link, LINK_SPARED, true);
}

void links_closed(struct node *n, const struct node_event *event)
{
    static const enum relay_error errors[] = {
        [LINK_BROKEN] = RELAY_ERROR_LOST,
        [LINK_UNREACHABLE] = RELAY_ERROR_UNREACHABLE,
        [LINK_HANDSHAKE] = RELAY_ERROR_HANDSHAKE,
        [LINK_NAMELESS] = RELAY_ERROR_DNS,
    };
    struct link *link = link_get(n, event->link.id);
    if (link == NULL)
        return;
    struct relay *relay = link->relay;
    if (relay == NULL) {
        take_down(n, link, LINK_ENDED, false);
        return;
    }
    link_drop(n, link, false);
    relay->link = NULL;
    relays_down(n, relay, relay_error_name(errors[event->link.failure]));
}

static void refuse(struct node *n, struct link *link, enum refusal why,
                   const struct certificate *claimed)
{
    (void)refusal_say(n, false, (uint8_t)why, -1, &claimed->node, claimed->name,
                      &link->address);
    write_refuse(n, link, why);
    take_down(n, link, LINK_ENDED, true);
}

/* Who has a link does not dial, so one that was up for a while when its peer
 * dials is one that the peer has lost. */
static bool is_stale(const struct node *n, const struct link *link,
                     const struct link *kept)
{
    return link->state == LINK_UP && !kept->outgoing &&
           instant_reached(instant_after(link->up_since, greet_within), n->now);
}

/* Of two links between the same pair the one that the smaller id opened
 * stays, and its opener closes the other [P-5.5]. */
static void close_doubles(struct node *n, struct peer *p,
                          const struct link *kept)
{
    bool smaller = memcmp(n->certificate.node.key, p->id.key, KEY_SIZE) < 0;
    struct link *link = p->links;
    while (link != NULL) {
        struct link *next = link->next_of_peer;
        bool ours_to_close = link->outgoing && (kept->outgoing || !smaller);
        if (link != kept && (ours_to_close || is_stale(n, link, kept))) {
            if (link->state == LINK_UP)
                paths_down(&p->paths, link->path, link->id, false, n->now);
            link_drop(n, link, true);
        }
        link = next;
    }
}

/* The larger id's own link gives way to one that is there already. */
static bool gives_way(const struct node *n, const struct peer *p,
                      const struct link *link)
{
    const struct link *up = first_up(p);
    return link->outgoing && up != NULL && !up->outgoing &&
           memcmp(n->certificate.node.key, p->id.key, KEY_SIZE) > 0;
}

static void greeted(struct node *n, struct link *link, struct peer *p)
{
    if (!link->outgoing) {
        attach(link, p);
        write_hello(n, link);
    } else if (gives_way(n, p, link)) {
        link_drop(n, link, true);
        return;
    }
    link->state = LINK_UP;
    link->up_since = link->used = n->now;
    mtu_probe_want(link);
    detector_init(&link->detector, &n->detector, n->now);
    link_rearm(n, link);
    p->proved = true;
    p->relents = p->broke = false;
    peer_takes_us(n, p);
    p->version = link->version;
    p->suspect_by = (struct instant){INT64_MIN};
    if (n->revocation.serial > p->said.revocation_serial)
        todo_write(n, link, revocation_packet(n, LINK_REVOCATION));
    announce_news(n, link);
    paths_up(&p->paths, link->path, link->id, link->probed, n->now);
    dialer_stop(&p->dialer);
    close_doubles(n, p, link);
    peer_touch(n, p);
}

/* The connector says what it speaks, and the acceptor what both do [P-1.3]. */
static enum refusal read_hello(struct link *link, struct reader *r,
                               struct bytes *announcement)
{
    uint8_t version = read_u8(r);
    uint8_t own = link->outgoing ? link->version : PROTOCOL_VERSION;
    uint8_t agreed = version_agreed(own, version);
    if (!reader_ok(r))
        return REFUSAL_MALFORMED;
    if (agreed == 0 || (link->outgoing && version > own))
        return REFUSAL_VERSION;
    link->version = agreed;
    *announcement = read_bytes(r, read_u16(r));
    bool good = version_is_later(version) ? reader_ok(r) : reader_done(r);
    return good ? REFUSAL_NONE : REFUSAL_MALFORMED;
}

static void take_hello(struct node *n, struct link *link, struct reader *r)
{
    struct bytes announcement;
    struct certificate claimed = {0};
    enum refusal bad = read_hello(link, r, &announcement);
    if (bad != REFUSAL_NONE) {
        refuse(n, link, bad, &claimed);
        return;
    }
    struct peer *expected = link->peer, *p = NULL;
    enum refusal why;
    uint32_t id = link->id;
    switch (announce_learn(n, announcement, false, &p, &why, &claimed)) {
    case LEARNED_STALE:
    case LEARNED_REFUSED:
        refuse(n, link, why, &claimed);
        return;
    case LEARNED_REPLACED:
        take_down(n, link, LINK_ENDED, true);
        return;
    case LEARNED_GOOD:
        break;
    }
    link = link_get(n, id); /* A restarted peer's links are dropped. */
    if (link == NULL)
        return;
    bool right_node = expected == NULL || expected == p;
    if (!right_node || p->said.partial ||
        memcmp(p->said.link_key.key, link->key.key, KEY_SIZE) != 0) {
        refuse(n, link, REFUSAL_KEY_MISMATCH, &claimed);
        return;
    }
    if (p->departed == p->said.epoch.value) {
        take_down(n, link, LINK_ENDED, true);
        return;
    }
    greeted(n, link, p);
}

/* --- packets ------------------------------------------------------------ */

static void take_announce(struct node *n, struct link *link, struct reader *r)
{
    struct bytes announcement = read_bytes(r, read_u16(r));
    struct certificate claimed;
    struct peer *p = NULL;
    enum refusal why;
    uint32_t id = link->id;
    if (!reader_done(r)) {
        n->counters.packets_dropped++;
        return;
    }
    enum learned learned =
        announce_learn(n, announcement, false, &p, &why, &claimed);
    link = link_get(n, id);
    if (link != NULL && learned == LEARNED_REFUSED)
        refuse(n, link, why, &claimed);
}

/* It may speak the version before, which does not know ours. */
static bool greet_again(struct node *n, struct link *link)
{
    struct peer *p = link->peer;
    if (p == NULL || !link->outgoing || link->state != LINK_GREETING ||
        link->version != PROTOCOL_VERSION)
        return false;
    p->version = PROTOCOL_BEFORE;
    take_down(n, link, LINK_ENDED, true);
    peer_dial_soon(n, p, true);
    return true;
}

static void take_refuse(struct node *n, struct link *link, struct reader *r)
{
    uint8_t reason = read_u8(r);
    uint64_t unix_seconds = reader_left(r) >= 8 ? read_u64(r) : 0;
    if (!reader_ok(r) || reason == REFUSAL_NONE) { /* Later ones say more. */
        n->counters.packets_dropped++;
        return;
    }
    if (reason == REFUSAL_VERSION && greet_again(n, link))
        return;
    struct peer *p = link->peer;
    struct address from = link->address;
    if (p == NULL)
        (void)refusal_say(n, true, reason, -1, NULL, NULL, &from);
    take_down(n, link, LINK_SILENT, true);
    if (p != NULL)
        peer_refuses_us(n, p, reason, unix_seconds, &from);
}

static void take_up_packet(struct node *n, struct link *link,
                           enum packet_type type, struct reader *r)
{
    switch ((unsigned)type) {
    case LINK_PING:
    case LINK_PONG:
        answers_take_token(n, link, type, r);
        return;
    case LINK_BYE:
        if (reader_done(r))
            peer_departed(n, link->peer, DEPARTURE_CLOSED);
        else
            n->counters.packets_dropped++;
        return;
    case LINK_ANNOUNCE:
        take_announce(n, link, r);
        return;
    case LINK_REVOCATION:
        revocation_take(n, bytes_of(r->at, reader_left(r)), true);
        return;
    default:
        n->counters.packets_dropped++;
        return;
    }
}

void links_take(struct node *n, struct link *link, struct bytes packet)
{
    struct reader r = reader_of(packet);
    enum packet_type type = read_u8(&r);
    if (type == LINK_REFUSE) {
        take_refuse(n, link, &r);
    } else if (type == LINK_SPARE) {
        link_eviction_spared(n, link, &r);
    } else if (link->state != LINK_UP) {
        if (type == LINK_HELLO && link->state == LINK_GREETING)
            take_hello(n, link, &r);
        else
            n->counters.packets_dropped++;
    } else {
        detector_heard(&link->detector, n->now);
        if (type == LINK_PROBE || type == LINK_PROBED)
            mtu_probe_take(n, link, packet);
        else
            take_up_packet(n, link, type, &r);
    }
}

/* It was not greeted in time, or fell silent. */
static void give_up(struct node *n, struct link *link)
{
    bool hurried = detector_is_hurried(&link->detector);
    if (link->relay == NULL) {
        take_down(n, link, hurried ? LINK_ABANDONED : LINK_SILENT, true);
        return;
    }
    relays_down(n, link->relay,
                relay_error_name(link->state == LINK_UP ? RELAY_ERROR_SILENT
                                 : link->state == LINK_GREETING
                                     ? RELAY_ERROR_TIMEOUT
                                     : RELAY_ERROR_UNREACHABLE));
    if (hurried)
        relays_retry(n);
}

void link_hurry(struct node *n, struct link *link)
{
    if (link->state != LINK_UP) {
        link->greet_by =
            instant_min(link->greet_by, instant_after(n->now, greet_soon));
        link_rearm(n, link);
        return;
    }
    detector_hurry(&link->detector, n->now,
                   link->relay == NULL ? answer_soon : relay_answer);
    link_rearm(n, link);
}

void links_due(struct node *n, struct link *link)
{
    if (link->state != LINK_UP) {
        if (instant_reached(link->greet_by, n->now))
            give_up(n, link);
        else
            link_rearm(n, link); /* It was excused meanwhile. */
        return;
    }
    switch (detector_due(&link->detector, n->now)) {
    case DETECTOR_WAIT:
        break;
    case DETECTOR_PROBE:
        link_write_token(n, link, link->relay != NULL ? RELAY_PING : LINK_PING,
                         detector_asks(&link->detector, n->now));
        if (!link->blocked) /* An answer may have been lost. */
            mtu_probe_send(n, link);
        break;
    case DETECTOR_DOWN:
        give_up(n, link);
        return;
    }
    link_rearm(n, link);
}

bool link_is_full(const struct node *n, const struct link *link)
{
    return link->blocked ||
           (link->step == n->steps && link->step_bytes >= STEP_BYTES);
}

void link_spend(struct node *n, struct link *link, size_t bytes)
{
    if (link->step != n->steps) {
        link->step = n->steps;
        link->step_bytes = 0;
    }
    bool was_full = link->step_bytes >= STEP_BYTES;
    link->step_bytes += bytes;
    if (!was_full && link->step_bytes >= STEP_BYTES) {
        link->next_spent = n->spent;
        n->spent = link;
    }
}

void links_go_on(struct node *n)
{
    n->steps++;
    while (n->spent != NULL) {
        struct link *link = n->spent;
        n->spent = link->next_spent;
        if (!link->blocked)
            wake_waiting(n, link);
    }
}

void links_writable(struct node *n, struct link *link)
{
    link->blocked = false;
    answers_write(n, link);
    wake_waiting(n, link);
}
