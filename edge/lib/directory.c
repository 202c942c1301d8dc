#include "edge/lib/lib_node.h"

#include "common/base/hex.h"
#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct zs_peers {
    size_t count;
    struct zs_peer *items[];
};

/* ---- A peer as one block of memory */

static const char *put_text(char **at, const char *text)
{
    char *kept = *at;
    size_t size = strlen(text) + 1;

    memcpy(kept, text, size);
    *at += size;
    return kept;
}

/* NULL: no memory; never on the loop's thread. */
static struct zs_peer *copy_peer(const struct zs_peer *p, bool loop)
{
    size_t size = sizeof *p + p->group_count * sizeof(char *) + strlen(p->id) +
                  strlen(p->name) + strlen(p->info) + strlen(p->endpoint) + 4;

    for (size_t i = 0; i < p->group_count; i++)
        size += strlen(p->groups[i]) + 1;
    struct zs_peer *copy = loop ? memory_new(size) : calloc(1, size);
    if (copy == NULL)
        return NULL;
    const char **groups = (const char **)(void *)(copy + 1);
    char *at = (char *)(groups + p->group_count);
    *copy = *p;
    copy->groups = groups;
    copy->id = put_text(&at, p->id);
    copy->name = put_text(&at, p->name);
    copy->info = put_text(&at, p->info);
    copy->endpoint = put_text(&at, p->endpoint);
    for (size_t i = 0; i < p->group_count; i++)
        groups[i] = put_text(&at, p->groups[i]);
    return copy;
}

static void write_endpoint(const struct zs_node *n,
                           const struct node_peer *peer,
                           char text[RELAY_URL_SIZE])
{
    _Static_assert((int)ADDRESS_TEXT_SIZE <= (int)RELAY_URL_SIZE, "a room");
    text[0] = '\0';
    if (peer->endpoint.family != ADDRESS_NONE)
        address_format(&peer->endpoint, text);
    else if (peer->path == PATH_RELAY &&
             peer->relay < edge_relay_count(n->edge))
        strcpy(text, edge_relay_url(n->edge, peer->relay));
}

static struct zs_peer *peer_block(const struct zs_node *n,
                                  const struct node_peer *peer)
{
    char id[2 * KEY_SIZE + 1];
    char endpoint[RELAY_URL_SIZE];
    const char *groups[ANNOUNCEMENT_GROUPS];
    char *info = memory_new(peer->info.size + 1);

    hex_encode(bytes_of(peer->id.key, KEY_SIZE), id);
    write_endpoint(n, peer, endpoint);
    if (peer->info.size > 0)
        memcpy(info, peer->info.data, peer->info.size);
    for (size_t i = 0; i < peer->group_count; i++)
        groups[i] = peer->groups[i];
    struct zs_peer *block =
        copy_peer(&(struct zs_peer){.id = id,
                                    .name = peer->name,
                                    .info = info,
                                    .groups = groups,
                                    .group_count = peer->group_count,
                                    .path = callbacks_path(peer->path),
                                    .endpoint = endpoint,
                                    .rtt_us = peer->rtt.us},
                  true);
    free(info);
    return block;
}

/* ---- The loop's side */

const struct zs_peer *directory_put(struct zs_node *n,
                                    const struct node_peer *peer)
{
    struct zs_peer *block = peer_block(n, peer);

    pthread_mutex_lock(&n->mutex);
    struct zs_peer *old = map_put(&n->directory, &peer->id, block);
    pthread_mutex_unlock(&n->mutex);
    free(old);
    return block;
}

const struct zs_peer *directory_get(struct zs_node *n, const struct node_id *id)
{
    return map_get(&n->directory, id);
}

void directory_remove(struct zs_node *n, const struct node_id *id)
{
    pthread_mutex_lock(&n->mutex);
    struct zs_peer *old = map_remove(&n->directory, id);
    pthread_mutex_unlock(&n->mutex);
    free(old);
}

static bool is_same(const struct zs_peer *p, const struct node_peer *peer)
{
    bool same = p->rtt_us == peer->rtt.us &&
                p->path == callbacks_path(peer->path) &&
                p->group_count == peer->group_count &&
                strlen(p->info) == peer->info.size &&
                memcmp(p->info, peer->info.data, peer->info.size) == 0;

    for (size_t i = 0; same && i < p->group_count; i++)
        same = strcmp(p->groups[i], peer->groups[i]) == 0;
    return same;
}

void directory_refresh(struct zs_node *n)
{
    size_t cursor = 0;
    struct node_peer peer;

    while (node_peer_next(edge_node(n->edge), &cursor, &peer)) {
        const struct zs_peer *known = directory_get(n, &peer.id);
        if (known != NULL && !is_same(known, &peer))
            directory_put(n, &peer);
    }
}

void directory_close(struct zs_node *n)
{
    size_t cursor = 0;
    void *block;

    while ((block = map_next(&n->directory, &cursor)) != NULL)
        free(block);
    map_close(&n->directory);
}

/* ---- Every thread's */

/* Fills the list; false: no memory. */
static bool copy_all(const struct map *directory, struct zs_peers *to)
{
    size_t cursor = 0;
    const struct zs_peer *one;

    while ((one = map_next(directory, &cursor)) != NULL) {
        struct zs_peer *copy = copy_peer(one, false);
        if (copy == NULL)
            return false;
        to->items[to->count++] = copy;
    }
    return true;
}

struct zs_peers *zs_peers_get(struct zs_node *node)
{
    if (node == NULL || node_is_parents(node))
        return calloc(1, sizeof(struct zs_peers));
    pthread_mutex_lock(&node->mutex);
    struct zs_peers *peers = calloc(
        1, sizeof *peers + node->directory.count * sizeof peers->items[0]);
    if (peers != NULL && !copy_all(&node->directory, peers))
        zs_peers_free(&peers);
    pthread_mutex_unlock(&node->mutex);
    return peers;
}

size_t zs_peers_count(const struct zs_peers *peers)
{
    return peers != NULL ? peers->count : 0;
}

const struct zs_peer *zs_peers_at(const struct zs_peers *peers, size_t index)
{
    return index < zs_peers_count(peers) ? peers->items[index] : NULL;
}

void zs_peers_free(struct zs_peers **self)
{
    struct zs_peers *peers = self != NULL ? *self : NULL;

    if (peers == NULL)
        return;
    *self = NULL;
    for (size_t i = 0; i < peers->count; i++)
        free(peers->items[i]);
    free(peers);
}

/* ---- Who it is itself */

const char *zs_node_name(const struct zs_node *node)
{
    return node != NULL ? node->name : "";
}

const char *zs_node_id(const struct zs_node *node)
{
    return node != NULL ? node->id : "";
}
