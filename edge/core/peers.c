#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* A peer that is present joins without a path after this time. */
static const struct span join_grace = {250 * 1000};
/* Unacknowledged messages wait this long for a lost peer to come back, and for
 * a path to a peer that is present. */
static const struct span session_linger = {10 * 1000 * 1000};
/* And this long for a peer that fell silent: no connection of it was closed, so
 * its process probably still runs. */
static const struct span silent_linger = {60 * 1000 * 1000};
/* The least time between two searches of a full table for a peer to remove. */
static const struct span room_pause = {200 * 1000};

struct peer *peer_get(struct node *n, const struct node_id *id)
{
    if (n->recent == NULL || !node_id_equal(&n->recent->id, id))
        n->recent = map_get(&n->peers, id->key);
    return n->recent;
}

struct peer *peer_new(struct node *n, const struct node_id *id)
{
    struct peer *p = memory_new(sizeof *p);
    p->id = *id;
    p->known_since = n->now;
    p->answered_at = (struct instant){INT64_MIN};
    evidence_init(&p->evidence);
    p->pathless_since = p->unreached_since = n->now;
    p->path_suspect_not_before = (struct instant){INT64_MIN};
    p->session_until = INSTANT_NEVER;
    p->ignorance_told = (struct instant){INT64_MIN};
    p->deadline = (struct deadline){.kind = DEADLINE_PEER, .subject = p};
    paths_init(&p->paths);
    dialer_init(&p->dialer);
    (void)map_put(&n->peers, id->key, p);
    return p;
}

static void remember_counter(struct node *n, const struct peer *p)
{
    if (p->taken_counter > 0)
        n->removed_peers[p->id.key[0]] =
            (struct removed_peer){p->id, p->said.epoch, p->taken_counter};
}

void peer_free(struct node *n, struct peer *p)
{
    ASSERT(!p->dirty && !p->waiting);
    remember_counter(n, p);
    udp_forget(n, p);
    peer_drop_links(n, p);
    ASSERT(!p->dirty && p->session == NULL);
    groups_forget(p);
    subscriptions_forget(n, p);
    if (p->name[0] != '\0' && map_get(&n->names, p->name) == p)
        (void)map_remove(&n->names, p->name);
    heap_remove(&n->heap, &p->deadline.timer);
    (void)map_remove(&n->peers, p->id.key);
    if (n->recent == p)
        n->recent = NULL;
    if (n->viewed == p)
        n->viewed = NULL;
    free(p->blob);
    free(p);
}

/* Into the list, unless the peer is in one of the two already. */
static void add_dirty(struct peer **list, struct peer *p)
{
    if (p->dirty)
        return;
    p->dirty = true;
    p->next_dirty = *list;
    *list = p;
}

void peer_touch(struct node *n, struct peer *p)
{
    p->changed = true;
    add_dirty(&n->dirty, p);
}

void peer_wants_write(struct node *n, struct peer *p)
{
    add_dirty(&n->dirty, p);
}

void peer_put_off(struct node *n, struct peer *p)
{
    add_dirty(&n->later, p);
}

void peers_go_on(struct node *n)
{
    while (n->later != NULL) {
        struct peer *p = n->later;
        n->later = p->next_dirty;
        p->next_dirty = n->dirty;
        n->dirty = p;
    }
}

/* --- who is there ----------------------------------------------------------
 */

static void view_todo(struct node *n, struct peer *p, struct node_todo *item)
{
    /* A copy: the peer may change or be freed before the owner reads it. */
    struct arena *arena = &n->todo->arena;
    struct node_peer *view = arena_take(arena, sizeof *view);
    peer_view(n, p, view);
    view->name =
        (const char *)arena_copy(arena, bytes_of(p->name, sizeof p->name)).data;
    view->info = arena_copy(arena, view->info);
    size_t size = view->group_count * sizeof p->said.groups[0];
    char(*groups)[NAME_MAX_SIZE + 1] = arena_take(arena, size + 1);
    memcpy(groups, p->said.groups, size);
    view->groups = (const char(*)[NAME_MAX_SIZE + 1]) groups;
    item->peer.peer = view;
    n->viewed = NULL; /* The name may have changed. */
}

void peer_choose_path(struct node *n, struct peer *p)
{
    enum node_path was = p->paths.current.kind;
    if (!paths_choose(&p->paths, n->now))
        return;
    enum node_path path = p->paths.current.kind;
    if (!peer_has_path(p))
        p->pathless_since = p->unreached_since = n->now;
    else
        p->pathless_since = p->unreached_since = INSTANT_NEVER;
    p->chosen_at = n->now;
    traffic_path_changed(n, p);
    if (path == was || !p->joined)
        return;
    n->counters.path_changes++;
    struct node_todo *item = todo_add(n->todo, NODE_PATH);
    view_todo(n, p, item);
    item->peer.was = was;
}

/* Two nodes with one name announced themselves while neither was present. The
 * one that joins first keeps the name. */
static bool name_is_anothers(struct node *n, struct peer *p)
{
    const struct peer *owner = map_get(&n->names, p->name);
    if (owner == p || owner == NULL || !owner->joined)
        return false;
    struct refused_node *o = refused_nodes_keep_peer(n, p, REFUSAL_NAME_TAKEN);
    (void)refusal_say(n, false, REFUSAL_NAME_TAKEN, -1, &p->id, p->name,
                      p->has_beacon_address ? &p->beacon_address : NULL);
    if (o != NULL)
        (void)notices_tell(n, o);
    return true;
}

struct evidence_verdict peer_evidence(const struct node *n,
                                      const struct peer *p)
{
    return evidence_until(&p->evidence, &n->evidence, p->joined);
}

bool peer_is_evident(const struct node *n, const struct peer *p)
{
    return evidence_holds(peer_evidence(n, p), n->now);
}

bool peer_is_present(const struct node *n, const struct peer *p)
{
    return p->refuses_us == REFUSAL_NONE && peer_is_evident(n, p);
}

struct instant peer_join_at(const struct peer *p)
{
    return instant_after(p->known_since, join_grace);
}

bool peer_try_join(struct node *n, struct peer *p)
{
    if (p->joined)
        return true;
    if (n->left || !peer_is_present(n, p) || p->said.partial)
        return false;
    peer_choose_path(n, p);
    bool waited =
        n->peers.count > CROWD || instant_reached(peer_join_at(p), n->now);
    if (!peer_has_path(p) && !waited)
        return false;
    if (name_is_anothers(n, p))
        return false;
    (void)map_put(&n->names, p->name, p);
    p->joined = true;
    evidence_joined(&p->evidence);
    p->since = n->now;
    p->session_until = INSTANT_NEVER;
    if (!peer_has_path(p))
        p->pathless_since =
            n->now; /* The time limit of waiting messages starts. */
    n->joined_count++;
    view_todo(n, p, todo_add(n->todo, NODE_JOINED));
    /* Dials that failed while the peer was absent do not count. */
    peer_dial_soon(n, p, false);
    groups_joined(n, p);
    peer_touch(n, p);
    return true;
}

void peer_leave(struct node *n, struct peer *p, enum departure reason)
{
    if (!p->joined)
        return;
    struct node_todo *item = todo_add(n->todo, NODE_LEFT);
    view_todo(n, p, item);
    item->peer.reason = reason;
    p->joined = false;
    udp_forget(n, p);
    evidence_left(&p->evidence);
    p->known_since = n->now;
    p->session_until = instant_after(n->now, p->evidence.broke ? session_linger
                                                               : silent_linger);
    /* A peer that comes and goes without a path must not keep the messages
     * waiting for ever. */
    if (p->needs_link)
        p->session_until = instant_min(
            p->session_until, instant_after(p->unreached_since, silent_linger));
    n->joined_count--;
    groups_left(p);
    refused_nodes_look_soon(n);
    peer_touch(n, p);
}

void peer_departed(struct node *n, struct peer *p, enum departure reason)
{
    evidence_departed(&p->evidence);
    peer_leave(n, p, reason);
    groups_forget(p);
    subscriptions_forget(n, p);
    traffic_end(n, p, SESSION_NOT_DELIVERED);
    peer_drop_links(n, p);
    for (size_t i = 0; i < n->relay_count; i++)
        paths_relay_down(&p->paths, (uint32_t)i, n->now);
    dialer_stop(&p->dialer);
    refused_nodes_look_soon(n);
    peer_touch(n, p);
}

/* A peer of any version can read this node's version from an INIT. */
static void tell_version(struct node *n, struct peer *p, struct link *link)
{
    struct session *s = traffic_session(n, p);
    if (s == NULL)
        return;
    struct writer w = traffic_begin(n, p, link, SESSION_INIT_SIZE);
    if (session_ask(s, &n->entropy, n->now, &w))
        traffic_end_packet(n, p, link, &w);
}

void peer_unspoken(struct node *n, struct peer *p, struct link *link)
{
    int relay = link->relay != NULL ? (int)link->relay->index : -1;
    (void)refusal_say(n, false, REFUSAL_VERSION, relay, &p->id, p->name,
                      relay < 0 ? &link->address : NULL);
    tell_version(n, p, link);
    peer_departed(n, p, DEPARTURE_LOST);
}

bool peer_has_departed(const struct peer *p)
{
    return !p->joined && (p->evidence.departed || p->evidence.gone);
}

void peer_said_bye(struct node *n, struct peer *p)
{
    for (struct link *l = p->links; l != NULL; l = l->next_of_peer)
        link_wake(n, l); /* Its end is noticed. */
    evidence_bye(&p->evidence);
    if (!peer_is_linked(p))
        peer_departed(n, p, DEPARTURE_CLOSED);
}

void peer_restarted(struct node *n, struct peer *p)
{
    traffic_end(n, p, SESSION_PEER_RESTARTED);
    peer_departed(n, p, DEPARTURE_LOST);
    evidence_restarted(&p->evidence);
    p->taken_counter = 0;
    p->version = 0;
    p->refuses_us = REFUSAL_NONE;
    p->skew = (struct skew){0};
    p->relents = false;
    p->beacon_counters[0] = p->beacon_counters[1] = 0;
    p->cookie = 0;
    p->challenge = 0;
    p->known_since = n->now;
    p->answered_at = (struct instant){INT64_MIN};
}

/* --- settling ------------------------------------------------------------ */

struct link *peer_link(struct node *n, const struct peer *p)
{
    const struct path *path = &p->paths.current;
    if (path_is_relayed(path))
        return n->relays[path->via].link;
    return path_exists(path) ? link_get(n, path->via) : NULL;
}

void peer_awaits_place(struct node *n, struct peer *p)
{
    if (!peer_has_path(p) &&
        !instant_reached(instant_after(p->unreached_since, silent_linger),
                         n->now))
        p->pathless_since = n->now;
}

void peer_begins_to_wait(struct node *n, struct peer *p)
{
    if (!peer_has_path(p))
        p->pathless_since = p->unreached_since = n->now;
}

struct instant peer_session_end_at(const struct peer *p)
{
    if (p->session == NULL)
        return INSTANT_NEVER;
    if (!p->joined)
        return p->session_until;
    if (p->session->outbox.count == 0)
        return INSTANT_NEVER;
    return instant_after(p->pathless_since, session_linger);
}

/* Removes a peer that is absent and has no unacknowledged messages. The search
 * looks at all peers, so it is made only once in a while. */
bool peers_make_room(struct node *n)
{
    size_t cursor = 0;
    struct peer *p;
    if (n->peers.count < n->peer_limit)
        return true;
    if (n->peers.count == n->joined_count ||
        !instant_reached(instant_after(n->room_looked, room_pause), n->now))
        return false;
    while ((p = map_next(&n->peers, &cursor)) != NULL) {
        bool idle = p->session == NULL || p->session->outbox.count == 0;
        if (p->joined || p->dirty || p->waiting || !idle || peer_is_linked(p) ||
            peer_is_evident(n, p))
            continue;
        if (p->session == NULL) {
            peer_free(n, p);
            return true;
        }
        traffic_end(n, p,
                    SESSION_NOT_DELIVERED); /* It is freed in the next step. */
    }
    n->room_looked = n->now;
    refused_nodes_look_soon(n);
    return false;
}

void peer_view(const struct node *n, const struct peer *p,
               struct node_peer *view)
{
    const struct path *path = &p->paths.current;
    *view = (struct node_peer){
        .id = p->id,
        .name = p->name,
        .info = p->said.info,
        .group_count = p->said.group_count,
        .groups = p->said.groups,
        .path = path->kind,
        .rtt = span_us(-1),
        .since = p->since,
        .traffic = p->traffic,
        .why = udp_why(n, p),
    };
    if (p->udp != NULL) {
        view->mapping = punch_mapping(p->udp->punch);
        view->peer_mapping = punch_peer_mapping(p->udp->punch);
    }
    const struct link *link = NULL;
    if (path_is_direct(path))
        link = map_get(&n->links, &path->via);
    if (path_is_relayed(path)) {
        link = n->relays[path->via].link;
        view->relay = path->via;
    }
    if (link != NULL)
        view->endpoint = link->address;
    if (path_is_direct(path) && link != NULL)
        view->rtt = link->detector.rtt;
    else if (p->session != NULL)
        view->rtt = p->session->rtt;
}
