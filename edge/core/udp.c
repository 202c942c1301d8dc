#include "edge/core/udp.h"

#include "edge/core/node_private.h"

#include <stdlib.h>
#include <string.h>

/* An answer of a STUN server is as good as new for this time [P-11.2]. */
static const struct span fresh = {20 * 1000 * 1000};

void udp_init(struct node *n, const struct node_conf *conf,
              const uint8_t hash_key[16])
{
    struct udp_paths *u = &n->udp;
    map_init(&u->tags, sizeof((struct udp_peer *)NULL)->tag, hash_key);
    u->deadline.kind = DEADLINE_UDP;
    u->next_socket = 1;
    u->on = conf->udp;
    u->easy_only = conf->udp_easy_only;
    if (u->on)
        u->outside = outside_new(&n->entropy);
}

void udp_end(struct node *n)
{
    struct udp_peer *next;
    for (struct udp_peer *u = n->udp.first; u != NULL; u = next) {
        next = u->next;
        punch_free(&u->punch);
        free(u);
    }
    outside_free(&n->udp.outside);
    map_close(&n->udp.tags);
}

/* --- outside addresses ------------------------------------------------------
 */

void udp_send_from(struct node *n, uint32_t socket, const struct address *to,
                   int ttl, struct bytes bytes)
{
    struct node_todo *item = todo_add(n->todo, NODE_UDP_SEND);
    item->udp.socket = socket;
    item->udp.count = 1;
    item->udp.to = *to;
    item->udp.ttl = ttl;
    item->udp.bytes = arena_copy(&n->todo->arena, bytes);
}

/* `outside` has something to say: at the end of this step, or in the next one,
 * which follows at once. */
static void pump_soon(struct node *n)
{
    node_arm(n, &n->udp.deadline, n->now);
}

/* Sends what `outside` wants to be sent, and tells those that wait for it. */
void udp_due(struct node *n)
{
    struct udp_paths *u = &n->udp;
    struct outside_request r;
    bool news = outside_due(u->outside, n->now);
    while (outside_next(u->outside, &r, n->now))
        udp_send_from(n, r.socket, &r.to, 0, bytes_of(r.bytes, sizeof r.bytes));
    for (struct udp_peer *at = u->first; news && at != NULL; at = at->next)
        udp_look(n, at);
    node_arm(n, &u->deadline,
             instant_max(outside_deadline(u->outside), n->now));
}

void udp_ask(struct node *n, uint32_t socket)
{
    outside_ask(n->udp.outside, socket, fresh, n->now);
    pump_soon(n);
}

void udp_take_servers(struct node *n, const struct node_event *event)
{
    if (!n->udp.on)
        return;
    outside_servers(n->udp.outside, event->addresses.list,
                    event->addresses.count);
    if (n->udp.port != 0)
        pump_soon(n);
}

void udp_take_mapped(struct node *n, const struct node_event *event)
{
    struct udp_paths *u = &n->udp;
    bool same_tcp = address_equal(&u->mapped_tcp, &event->mapped.tcp);
    u->mapped_udp = event->mapped.udp;
    u->mapped_tcp = event->mapped.tcp;
    if (!same_tcp)
        announce_changed(n);
}

void udp_outside_moved(struct node *n)
{
    if (n->udp.mapped_tcp.port != 0)
        announce_changed(n); /* The port is announced at that address. */
}

void udp_network_changed(struct node *n)
{
    struct udp_paths *u = &n->udp;
    if (!u->on)
        return;
    outside_hosts(u->outside, n->addresses, n->address_count);
    for (struct udp_peer *at = u->first; at != NULL; at = at->next)
        udp_peer_moved(n, at->peer);
    if (u->port == 0)
        return;
    outside_network_changed(u->outside, n->now);
    pump_soon(n);
}

/* --- candidates ------------------------------------------------------------
 */

static void add(struct punch_side *side, enum candidate_kind kind,
                const struct address *address, uint16_t port)
{
    struct address a = *address;
    a.port = port;
    a.scope = 0; /* It means nothing to another host. */
    if (side->candidate_count == PUNCH_CANDIDATES || !address_is_usable(&a) ||
        address_is_loopback(&a) || address_is_link_local(&a))
        return;
    for (size_t i = 0; i < side->candidate_count; i++)
        if (address_equal(&side->candidates[i].address, &a))
            return;
    side->candidates[side->candidate_count++] = (struct candidate){kind, a};
}

void udp_side(const struct node *n, const struct peer *p, uint32_t socket,
              uint16_t port, struct punch_side *side)
{
    struct outside_view view;
    *side = (struct punch_side){.mapping = MAPPING_UNKNOWN};
    if (port == 0)
        return; /* It could not be opened. */
    if (outside_get(n->udp.outside, socket, &view)) {
        side->mapping = view.mapping;
        side->step = view.step;
        for (int i = 0; i < view.count; i++)
            add(side, CANDIDATE_STUN, &view.found[i], view.found[i].port);
    }
    if (socket == 0)
        add(side, CANDIDATE_MAPPED, &n->udp.mapped_udp, n->udp.mapped_udp.port);
    for (size_t i = 0; i < n->relay_count; i++)
        if (n->relays[i].state == RELAY_UP)
            add(side, CANDIDATE_RELAY, &n->relays[i].outside, port);
    if (n->share_addresses || p->has_beacon_address)
        for (size_t i = 0; i < n->address_count; i++)
            add(side, CANDIDATE_HOST, &n->addresses[i], port);
}

/* --- sockets and datagrams --------------------------------------------------
 */

void udp_close_sockets(struct node *n, uint32_t first, uint32_t count)
{
    struct node_todo *item = todo_add(n->todo, NODE_UDP_CLOSE);
    item->udp.socket = first;
    item->udp.count = count;
    for (uint32_t i = 0; i < count; i++)
        outside_forget(n->udp.outside, first + i);
}

static void shared_is_open(struct node *n, uint16_t port)
{
    struct udp_paths *u = &n->udp;
    u->port = port;
    if (port == 0)
        return;
    outside_network_changed(u->outside, n->now); /* It may have a new port. */
    pump_soon(n);
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        peer_touch(n, p);
}

void udp_take_opened(struct node *n, const struct node_event *event)
{
    uint32_t first = event->udp.socket;
    if (!n->udp.on)
        return;
    if (first == 0) {
        shared_is_open(n, event->udp.port);
        return;
    }
    for (struct udp_peer *u = n->udp.first; u != NULL; u = u->next)
        udp_opened(n, u, first, event->udp.port);
}

static bool take_probe(struct node *n, const struct node_event *event)
{
    uint8_t tag[8];
    if (!probe_peek(event->udp.bytes, tag))
        return false;
    struct udp_peer *u = map_get(&n->udp.tags, tag);
    if (u == NULL)
        return false;
    bool good = punch_take_probe(u->punch, event->udp.socket, &event->udp.from,
                                 event->udp.bytes, n->now);
    udp_drain(n, u);
    if (good)
        peer_touch(n, u->peer); /* Its deadline is another one. */
    return good;
}

void udp_take_datagram(struct node *n, const struct node_event *event)
{
    struct bytes bytes = event->udp.bytes;
    if (!n->udp.on)
        return;
    bool good = false;
    if (bytes.size > 0 && bytes.data[0] < PROBE_ASKS)
        good = outside_take(n->udp.outside, event->udp.socket, &event->udp.from,
                            bytes, n->now);
    else
        good = take_probe(n, event);
    if (good)
        pump_soon(n);
    else
        n->counters.packets_dropped++;
}
