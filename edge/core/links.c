#include "edge/core/links.h"

#include "common/base/assert.h"
#include "common/base/memory.h"
#include "edge/core/node_private.h"

#include <stdlib.h>

static const struct span greet_within = {5 * 1000 * 1000};

/* After a change of the network the other end has 4 round trips to answer, and
 * at least this time. A relay has more time: every peer there notices when this
 * node reconnects. */
static const struct span greet_soon = {1000 * 1000};
static const struct span answer_soon = {200 * 1000};
static const struct span relay_answer = {600 * 1000};

struct link *link_get(struct node *n, uint32_t id)
{
    if (n->recent_link == NULL || n->recent_link->id != id)
        n->recent_link = map_get(&n->links, &id);
    return n->recent_link;
}

/* What a link is, by its transport. A new transport needs a row here. */
static const struct {
    enum node_path path;
    bool dialed, punched, seals, probed, greets, rests;
} transports[] = {
    [NODE_TRANSPORT_TCP] = {.path = PATH_TCP,
                            .dialed = true,
                            .seals = true,
                            .probed = true,
                            .greets = true},
    [NODE_TRANSPORT_RELAY] = {.path = PATH_RELAY, .greets = true},
    [NODE_TRANSPORT_UDP] = {.path = PATH_UDP,
                            .punched = true,
                            .seals = true,
                            .probed = true,
                            .rests = true},
};

static struct link *link_new(struct node *n, uint32_t id,
                             enum node_transport transport, struct relay *relay)
{
    struct link *link = memory_new(sizeof *link);
    link->id = id;
    link->transport = transport;
    link->path = transports[transport].path;
    link->dialed = transports[transport].dialed;
    link->punched = transports[transport].punched;
    link->seals = transports[transport].seals;
    link->probed = transports[transport].probed;
    link->greets = transports[transport].greets;
    link->rests = transports[transport].rests;
    link->woke_at = (struct instant){INT64_MIN};
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

void link_enter(struct node *n, struct link *link, enum link_state state)
{
    ASSERT((link->state == LINK_CONNECTING && state == LINK_GREETING) ||
           (link->state == LINK_GREETING && state == LINK_UP));
    link->state = state;
    if (state == LINK_GREETING) {
        link->greet_by = instant_after(n->now, greet_within);
    } else {
        link->up_since = link->used = n->now;
        mtu_probe_want(link);
        detector_init(&link->detector, &n->detector, n->now);
    }
    link_rearm(n, link);
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
    if (link->punched)
        udp_link_dropped(n, link);
    link_flow_end(n, link);
    unlink_from_peer(link);
    if (link->peer != NULL && link->state == LINK_UP && !link->resting)
        evidence_unlinked(&link->peer->evidence);
    heap_remove(&n->heap, &link->deadline.timer);
    (void)map_remove(&n->links, &link->id);
    if (n->recent_link == link)
        n->recent_link = NULL;
    n->direct_links -= link->relay == NULL;
    free(link);
}

void link_rearm(struct node *n, struct link *link)
{
    struct instant at = link->greet_by;
    if (link->resting)
        at = INSTANT_NEVER;
    else if (link->state == LINK_UP)
        at = detector_deadline(&link->detector);
    if (link->state == LINK_UP && link->relay != NULL)
        at = instant_min(at, relays_doubt_at(n, link));
    node_arm(n, &link->deadline, at);
}

void link_attach(struct link *link, struct peer *p)
{
    link->peer = p;
    link->next_of_peer = p->links;
    p->links = link;
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

/* --- opening and closing ------------------------------------------------ */

void links_dial(struct node *n, struct peer *p, const struct address *address)
{
    struct link *link =
        link_dial(n, NODE_TRANSPORT_TCP, NULL, &p->said.link_key);
    link->address = *address;
    link->version = p->version;
    link_attach(link, p);
    todo_connect(n, link);
}

void links_opened(struct node *n, const struct node_event *event)
{
    struct link *link = link_get(n, event->link.id);
    if (link == NULL && event->link.incoming &&
        transports[event->link.transport].greets) {
        if (!link_eviction_for_incoming(n, event))
            return;
        link = link_new(n, event->link.id, event->link.transport, NULL);
        link->key = event->link.key;
    }
    if (link == NULL || link->state != LINK_CONNECTING)
        return;
    link_enter(n, link, LINK_GREETING);
    if (event->link.address.family != ADDRESS_NONE)
        link->address = event->link.address;
    if (link->relay != NULL)
        relays_opened(n, link);
    else if (!link->greets)
        udp_link_opened(n, link);
    else if (link->outgoing)
        link_greeting_begin(n, link);
}

static struct link_end end_of(const struct node *n, const struct link *link,
                              enum link_ending how)
{
    bool was_up = link->state == LINK_UP;
    return (struct link_end){
        .peer = link->peer,
        .how = how,
        .was_up = was_up,
        .id = link->id,
        .path = link->path,
        .dialed = link->dialed,
        .heard = link_heard(link),
        .swallowed = was_up && mtu_probe_failed(n, link),
        .from = link->address,
    };
}

static void finish(struct node *n, struct link *link,
                   const struct link_end *end)
{
    if (end->how != LINK_END_BYE) /* Else peer_departed drops it. */
        link_drop(n, link, end->how != LINK_END_CLOSED);
    if (end->peer != NULL)
        peer_link_ended(n, end);
}

void link_finish(struct node *n, struct link *link, enum link_ending how)
{
    struct link_end end = end_of(n, link, how);
    finish(n, link, &end);
}

void link_finish_refused(struct node *n, struct link *link, uint8_t reason,
                         uint64_t unix_seconds)
{
    struct link_end end = end_of(n, link, LINK_END_REFUSED);
    end.reason = reason;
    end.unix_seconds = unix_seconds;
    finish(n, link, &end);
}

void links_closed(struct node *n, const struct node_event *event)
{
    struct link *link = link_get(n, event->link.id);
    if (link == NULL)
        return;
    if (link->relay == NULL)
        link_finish(n, link, LINK_END_CLOSED);
    else
        relays_closed(n, link, event->link.failure);
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
        link_refuse(n, link, why, &claimed);
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
            link_finish(n, link, LINK_END_BYE);
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
        link_greeting_refused(n, link, &r);
    } else if (type == LINK_SPARE) {
        link_eviction_spared(n, link, &r);
    } else if (link->state != LINK_UP) {
        if (type == LINK_HELLO && link->state == LINK_GREETING)
            link_greeting_take(n, link, &r);
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

/* No HELLO came in time, or the other end fell silent. */
static void give_up(struct node *n, struct link *link)
{
    bool hurried = detector_is_hurried(&link->detector);
    if (link->relay == NULL) {
        link_finish(n, link, hurried ? LINK_END_ABANDONED : LINK_END_SILENT);
        return;
    }
    relays_silent(n, link);
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
    link_wake(n, link);
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
            link_rearm(n, link); /* The host slept: greet_by was moved. */
        return;
    }
    if (link_rest(n, link))
        return;
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
    if (link->relay != NULL &&
        instant_reached(relays_doubt_at(n, link), n->now))
        relays_doubt(n, link);
    link_rearm(n, link);
}

void links_tell_all(struct node *n, struct bytes packet)
{
    size_t cursor = 0;
    struct link *link;
    while ((link = map_next(&n->links, &cursor)) != NULL)
        if (link->relay == NULL && link->state == LINK_UP)
            todo_write(n, link, packet);
}
