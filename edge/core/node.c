#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* If a step comes so much after its deadline, this process did not run, and
 * could not hear its peers meanwhile [P-8.6]. */
static const struct span late_from = {200 * 1000};
/* The first beacon is repeated once, in case that it was lost. */
static const struct span repeat_after = {600 * 1000};
/* One step writes no more than about this many packets. */
enum { STEP_PACKETS = 128 };

void node_arm(struct node *n, struct deadline *d, struct instant at)
{
    d->timer.owner = d;
    heap_set(&n->heap, &d->timer, at);
}

/* --- making and unmaking -------------------------------------------------- */

static bool take_identity(struct node *n, const struct node_conf *conf)
{
    if (!certificate_decode(conf->certificate, &n->certificate) ||
        memcmp(conf->secret_key + 32, n->certificate.node.key, KEY_SIZE) != 0)
        return false;
    memcpy(n->secret_key, conf->secret_key, sizeof n->secret_key);
    n->certificate_blob =
        memory_copy(conf->certificate.data, conf->certificate.size);
    n->certificate_size = conf->certificate.size;
    mesh_keys_derive(&n->keys, &conf->mesh_secret);
    curve_pair_of_node(&n->identity, n->secret_key);
    return true;
}

static void take_groups(struct node *n, const char *const *list, size_t count)
{
    n->group_count = 0;
    for (size_t i = 0; i < count && i < ANNOUNCEMENT_GROUPS; i++)
        if (node_group_is_allowed(n, list[i]))
            name_pad(n->groups[n->group_count++], list[i]);
}

static void take_settings(struct node *n, const struct node_conf *conf)
{
    n->epoch = conf->epoch;
    n->multicast = conf->multicast;
    n->tcp = conf->tcp;
    n->use_relays = conf->relay;
    n->share_addresses = conf->share_addresses;
    n->aes = conf->aes;
    n->offers = (uint8_t)((conf->aes ? SESSION_AES : 0) |
                          (conf->udp ? SESSION_UDP : 0));
    n->beacon_interval = conf->beacon_interval;
    n->detector.interval = conf->probe;
    n->detector.lost_after = conf->lost_after;
    evidence_relays_init(&n->evidence, conf->lost_after);
    n->session_limits.window = conf->limits.window;
    n->session_limits.stored = conf->limits.stored;
    n->session_limits.message = conf->limits.message;
    n->peer_limit = conf->limits.peers;
    n->link_limit = conf->limits.links;
    n->info = memory_copy(conf->info.data, conf->info.size);
    n->info_size = conf->info.size;
    take_groups(n, conf->groups, conf->group_count);
    n->relay_count = conf->relay ? conf->relay_count : 0;
    for (size_t i = 0; i < n->relay_count; i++) {
        n->relays[i].key = conf->relay_keys[i];
        n->relays[i].forms = conf->relay_forms[i];
    }
}

static void take_randomness(struct node *n, const struct node_conf *conf)
{
    uint8_t bytes[32];
    entropy_init(&n->entropy, conf->seed);
    entropy_fill(&n->entropy, bytes, sizeof bytes);
    curve_pair_generate(&n->link_pair, bytes);
    sodium_memzero(bytes, sizeof bytes);
    n->cookie = entropy_u64(&n->entropy) | 1;
    entropy_fill(&n->entropy, bytes, 16);
    map_init(&n->peers, KEY_SIZE, bytes);
    map_init(&n->names, NAME_ROOM, bytes);
    map_init(&n->links, sizeof(uint32_t), bytes);
    map_init(&n->pings, sizeof(uint64_t), bytes);
    map_init(&n->refused_nodes, KEY_SIZE, bytes);
    udp_init(n, conf, bytes);
}

struct node *node_new(const struct node_conf *conf, struct instant now)
{
    struct node *n = memory_new(sizeof *n);
    if (!take_identity(n, conf)) {
        free(n);
        return NULL;
    }
    take_settings(n, conf);
    take_randomness(n, conf);
    n->now = now;
    n->next_link = 1;
    n->expected_at = INSTANT_NEVER;
    if (conf->revocations.size > 0) {
        n->revocation_blob =
            memory_copy(conf->revocations.data, conf->revocations.size);
        n->revocation_size = conf->revocations.size;
        if (!revocation_check(bytes_of(n->revocation_blob, n->revocation_size),
                              &n->revocation) ||
            !mesh_id_equal(&n->revocation.mesh, &n->certificate.mesh)) {
            node_free(n);
            return NULL;
        }
    }
    subscriptions_changed(n);
    announce_sign(n);
    n->refused_deadline.kind = DEADLINE_REFUSED_NODES;
    n->refused_looked_at = (struct instant){INT64_MIN / 2};
    n->replaced_at = n->room_looked = (struct instant){INT64_MIN / 2};
    n->beacon_deadline.kind = DEADLINE_BEACON;
    node_arm(n, &n->beacon_deadline, now);
    relays_start(n);
    return n;
}

static void free_values(struct map *m)
{
    size_t cursor = 0;
    void *value;
    while ((value = map_next(m, &cursor)) != NULL)
        free(value);
    map_close(m);
}

static void free_peers(struct node *n)
{
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL) {
        subscriptions_forget(n, p);
        if (p->session != NULL)
            session_close(p->session);
        free(p->session);
        free(p->blob);
    }
    free_values(&n->peers);
}

void node_free(struct node *n)
{
    if (n == NULL)
        return;
    groups_close(n);
    heap_close(&n->heap); /* Writes to the timers, so before they are freed. */
    free_peers(n);
    refused_nodes_close(n);
    udp_end(n);
    slabs_close(&n->slabs);
    free_values(&n->links);
    free_values(&n->pings);
    map_close(&n->names);
    free(n->certificate_blob);
    free(n->info);
    free(n->said_full);
    free(n->said_partial);
    free(n->revocation_blob);
    sodium_memzero(n, sizeof *n);
    free(n);
}

/* --- events --------------------------------------------------------------- */

/* The network changed: forgets failures and probes all links [P-8.8]. */
static void ask_everybody(struct node *n)
{
    size_t cursor = 0;
    struct link *link;
    while ((link = map_next(&n->links, &cursor)) != NULL)
        link_hurry(n, link);
    relays_retry(n);
    cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL) {
        paths_forgive(&p->paths);
        peer_dial_soon(n, p, false);
    }
    if (!n->left)
        node_arm(n, &n->beacon_deadline, n->now);
}

static void take_addresses(struct node *n, const struct node_event *event)
{
    size_t count = event->addresses.count;
    if (count > NODE_ADDRESSES)
        count = NODE_ADDRESSES;
    bool same = count == n->address_count;
    for (size_t i = 0; same && i < count; i++)
        same = address_equal(&n->addresses[i], &event->addresses.list[i]);
    if (same)
        return;
    memcpy(n->addresses, event->addresses.list, count * sizeof n->addresses[0]);
    n->address_count = count;
    announce_changed(n);
    ask_everybody(n);
    udp_network_changed(n);
}

static void take_configured(struct node *n, const struct node_event *event)
{
    size_t count = event->addresses.count;
    if (count > DIALER_ADDRESSES)
        count = DIALER_ADDRESSES;
    memcpy(n->configured, event->addresses.list,
           count * sizeof n->configured[0]);
    n->configured_count = count;
    beacons_to_configured(n);
}

static bool is_session_packet(struct bytes packet)
{
    return packet.size > 0 && packet.data[0] >= PACKET_INIT &&
           packet.data[0] <= PACKET_MULTICAST;
}

static void take_packet(struct node *n, const struct node_event *event)
{
    struct link *link = link_get(n, event->link.id);
    struct bytes packet = event->link.bytes;
    if (link == NULL) {
        n->counters.packets_dropped++;
        return;
    }
    if (link->relay != NULL) {
        relays_take(n, link, packet);
    } else if (is_session_packet(packet) && link->state == LINK_UP) {
        detector_heard(&link->detector, n->now);
        traffic_take(n, link->peer, link, (uint8_t *)(uintptr_t)packet.data,
                     packet.size);
    } else {
        links_take(n, link, packet);
    }
}

static void take_writable(struct node *n, const struct node_event *event)
{
    struct link *link = link_get(n, event->link.id);
    if (link == NULL)
        return;
    if (event->kind == NODE_LINK_BLOCKED)
        link_blocked(link);
    else
        link_writable(n, link);
}

/* Whether the wall clock differs from what the monotonic clock predicts. */
static bool clock_jumped(const struct node *n, uint64_t unix_seconds)
{
    uint64_t expected = node_unix_now(n);
    return expected == 0 || unix_seconds + 2 < expected ||
           expected + 2 < unix_seconds;
}

static void take_clock(struct node *n, uint64_t unix_seconds)
{
    bool jumped = clock_jumped(n, unix_seconds);
    n->unix_base = unix_seconds;
    n->unix_at = n->now;
    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        peer_touch(n, p); /* The time until its certificate ends changed. */
    if (jumped)
        refused_nodes_look_soon(n);
}

static void take_event(struct node *n, const struct node_event *event)
{
    switch (event->kind) {
    case NODE_TICK:
        return;
    case NODE_ADDRESSES_ARE:
        take_addresses(n, event);
        return;
    case NODE_PEERS_ARE:
        take_configured(n, event);
        return;
    case NODE_DATAGRAM:
        beacons_take(n, event);
        return;
    case NODE_LINK_OPENED:
        links_opened(n, event);
        return;
    case NODE_LINK_CLOSED:
        links_closed(n, event);
        return;
    case NODE_LINK_PACKET:
        take_packet(n, event);
        return;
    case NODE_LINK_BLOCKED:
    case NODE_LINK_WRITABLE:
        take_writable(n, event);
        return;
    case NODE_WOKE:
        ask_everybody(n);
        udp_network_changed(n);
        return;
    case NODE_CLOCK:
        take_clock(n, event->unix_seconds);
        return;
    case NODE_PING:
        traffic_ping(n, event);
        return;
    case NODE_SET_GROUPS:
        take_groups(n, event->groups.list, event->groups.count);
        subscriptions_changed(n);
        announce_changed(n);
        return;
    case NODE_REVOCATION:
        revocation_take(n, event->revocation, false);
        return;
    case NODE_UDP_OPENED:
        udp_take_opened(n, event);
        return;
    case NODE_UDP_DATAGRAM:
        udp_take_datagram(n, event);
        return;
    case NODE_STUN_SERVERS_ARE:
        udp_take_servers(n, event);
        return;
    case NODE_PORT_MAPPED:
        udp_take_mapped(n, event);
        return;
    case NODE_FORMS_ARE:
        relays_take_forms(n, event);
        return;
    case NODE_LEAVE:
        leave_begin(n);
        return;
    }
}

/* --- the step ------------------------------------------------------------- */

static void beacon_due(struct node *n)
{
    if (n->left)
        return;
    beacons_multicast(n, BEACON_HERE);
    beacons_to_configured(n);
    struct span pause = n->beacon_interval;
    if (!n->beacon_repeated)
        pause = span_min(pause, repeat_after);
    n->beacon_repeated = true;
    node_arm(n, &n->beacon_deadline, instant_after(n->now, pause));
}

static void handle_due(struct node *n)
{
    struct timer *timer;
    while ((timer = heap_due(&n->heap, n->now)) != NULL) {
        struct deadline *d = timer->owner;
        switch (d->kind) {
        case DEADLINE_BEACON:
            beacon_due(n);
            break;
        case DEADLINE_PEER:
            peer_touch(n, d->subject);
            break;
        case DEADLINE_LINK:
            links_due(n, d->subject);
            break;
        case DEADLINE_RELAY:
            relays_due(n, d->subject);
            break;
        case DEADLINE_PING:
            traffic_ping_lost(n, d->subject);
            break;
        case DEADLINE_LEAVE:
            heap_remove(&n->heap, &d->timer); /* leave_go_on checks leave_by. */
            break;
        case DEADLINE_OUTFLOW:
            groups_due(n, d->subject);
            break;
        case DEADLINE_SUBSCRIPTION:
            subscriptions_due(n, d->subject);
            break;
        case DEADLINE_REFUSED_NODES:
            refused_nodes_due(n);
            break;
        case DEADLINE_UDP:
            udp_due(n);
            break;
        }
    }
}

/* Settles each peer whose state changed. The peers take turns of one packet
 * each, so that a peer with a long queue does not delay the others. */
static void settle(struct node *n)
{
    int packets = 0;
    groups_seal(n);
    n->uploads_wait = true;
    while ((n->dirty != NULL || n->uploads_wait) && packets < STEP_PACKETS) {
        struct peer *round = n->dirty;
        n->dirty = NULL;
        while (round != NULL) {
            struct peer *p = round;
            if (!memory_is_sound())
                return;
            round = p->next_dirty;
            p->next_dirty = NULL;
            p->dirty = false;
            bool more = peer_settle(n, p);
            packets += more;
            if (more)
                peer_wants_write(n, p);
        }
        n->uploads_wait = groups_upload(n);
        packets += n->uploads_wait;
    }
    groups_tell_ready(n);
}

/* This node did not run for `late`: extends by that time all deadlines after
 * which a silent peer or relay is lost. */
static void excuse(struct node *n, struct span late)
{
    size_t cursor = 0;
    struct link *link;
    while ((link = map_next(&n->links, &cursor)) != NULL) {
        detector_excuse(&link->detector, late);
        link->greet_by = instant_after(link->greet_by, late);
    }
    cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        evidence_excuse(&p->evidence, late);
    evidence_relays_excuse(&n->evidence, late);
    for (size_t i = 0; i < n->relay_count; i++)
        n->relays[i].settled_by = instant_after(n->relays[i].settled_by, late);
    groups_excuse(n, late);
}

void node_step(struct node *n, struct instant now,
               const struct node_event *events, size_t count, struct todo *todo)
{
    n->now = now;
    n->todo = todo;
    n->viewed = NULL;
    struct span late = instant_between(n->expected_at, now);
    if (!instant_is_never(n->expected_at) && late.us > late_from.us)
        excuse(n, late);
    if (!instant_is_never(n->expected_at) &&
        late.us > n->detector.lost_after.us)
        ask_everybody(n); /* By now the peers take this node for lost. */
    links_go_on(n);
    peers_go_on(n);
    for (size_t i = 0; i < count && memory_is_sound(); i++)
        take_event(n, &events[i]);
    if (memory_is_sound())
        handle_due(n);
    if (memory_is_sound())
        settle(n);
    if (memory_is_sound())
        leave_go_on(n);
    n->expected_at = heap_deadline(&n->heap);
    n->todo = NULL;
}

bool node_submit(struct node *n, struct instant now, struct node_ref ref,
                 const struct node_id *to, const struct message *m,
                 enum node_outcome *why)
{
    *why = OUTCOME_NOT_DELIVERED;
    n->now = now;
    return !n->leaving && traffic_offer(n, ref, to, m, why);
}

bool node_publish(struct node *n, struct instant now, const struct message *m,
                  uint32_t *peers, enum node_outcome *why)
{
    *why = OUTCOME_NOT_DELIVERED;
    n->now = now;
    return !n->leaving && groups_offer(n, m, peers, why);
}

struct instant node_deadline(const struct node *n)
{
    bool at_once = n->dirty != NULL || n->later != NULL || n->uploads_wait ||
                   n->spent != NULL;
    return at_once ? n->now : heap_deadline(&n->heap);
}
