#include "relay/core/hub_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

enum { ENTRY_OVERHEAD = KEY_SIZE + 8 + 4 };

struct hub_mesh *mesh_find(const struct hub *h, const struct mesh_id *id)
{
    return map_get(&h->meshes, id->key);
}

struct hub_mesh *mesh_take(struct hub *h, const struct mesh_id *id)
{
    struct hub_mesh *m = mesh_find(h, id);
    if (m)
        return m;
    m = memory_new(sizeof *m);
    m->id = *id;
    map_init(&m->nodes, KEY_SIZE, h->conf.hash_key);
    map_init(&m->names, NAME_KEY_SIZE, h->conf.hash_key);
    map_init(&m->groups, GROUP_TAG_SIZE, h->conf.hash_key);
    map_put(&h->meshes, id->key, m);
    return m;
}

void mesh_free(struct hub_mesh *m)
{
    map_close(&m->nodes);
    map_close(&m->names);
    map_close(&m->groups);
    free(m->list);
    free(m);
}

void mesh_release(struct hub *h, struct hub_mesh *m)
{
    bool keep = m->list && hub_serves(h, &m->id) &&
                (!h->conf.any_mesh || h->meshes.count <= HUB_MESHES_KEPT);
    if (m->count > 0 || keep)
        return;
    map_remove(&h->meshes, m->id.key);
    mesh_free(m);
}

static void write_entry(struct writer *w, const struct hub_edge *e)
{
    roster_entry_encode(
        &(struct roster_entry){e->node, e->epoch,
                               bytes_of(e->sealed, e->sealed_size)},
        w);
}

void roster_present(struct hub *h, struct hub_edge *e)
{
    struct writer w = hub_room(h, 1 + ENTRY_OVERHEAD + e->sealed_size);
    write_u8(&w, RELAY_PRESENT);
    write_entry(&w, e);
    ASSERT(writer_ok(&w));
    for (struct hub_edge *to = e->mesh->first; to; to = to->next) {
        if (to != e)
            edge_control(h, to, writer_bytes(&w));
    }
}

void roster_gone(struct hub *h, struct hub_mesh *m, const struct node_id *node,
                 struct epoch epoch, enum departure reason)
{
    struct writer w = hub_room(h, 1 + KEY_SIZE + 8 + 1);
    write_u8(&w, RELAY_GONE);
    write_bytes(&w, bytes_of(node->key, KEY_SIZE));
    write_u64(&w, epoch.value);
    write_u8(&w, (uint8_t)reason);
    for (struct hub_edge *to = m->first; to; to = to->next)
        edge_control(h, to, writer_bytes(&w));
}

/* Sends one packet of the roster, from e->sync on; returns its size. */
static size_t sync_packet(struct hub *h, struct hub_edge *e)
{
    size_t size = 1;
    struct hub_edge *end = e->sync;
    for (; end != e; end = end->next) {
        size_t more = ENTRY_OVERHEAD + end->sealed_size;
        if (size + more > PACKET_RECORDS_SIZE)
            break;
        size += more;
    }
    struct writer w = hub_room(h, size);
    write_u8(&w, RELAY_PRESENT);
    for (; e->sync != end; e->sync = e->sync->next)
        write_entry(&w, e->sync);
    ASSERT(writer_ok(&w));
    edge_control(h, e, writer_bytes(&w));
    return size;
}

bool roster_sync(struct hub *h, struct hub_edge *e)
{
    size_t handed = 0;
    if (e->synced)
        return true;
    while (e->sync != e && handed < HUB_PORTION)
        handed += sync_packet(h, e);
    if (e->sync != e)
        return false;

    struct writer w = hub_room(h, 1);
    write_u8(&w, RELAY_SYNCED);
    edge_control(h, e, writer_bytes(&w));
    e->synced = true;
    e->mesh->syncing--;
    return true;
}

void edge_announce(struct hub *h, struct hub_edge *e, struct bytes sealed)
{
    if (sealed.size > SEALED_ANNOUNCEMENT_SIZE)
        return;
    free(e->sealed);
    e->sealed = memory_copy(sealed.data, sealed.size);
    e->sealed_size = sealed.size;
    edge_weigh(h, e);

    edge_has_news(h, e);
}

/* An edge that announces or reconnects all the time would make the relay write
 * to all other edges all the time. So after a burst the hub sends only the
 * newest announcement of each interval. */
void edge_has_news(struct hub *h, struct hub_edge *e)
{
    static const struct span each = {HUB_ANNOUNCE_INTERVAL_MS * 1000};
    if (token_bucket_takes(&e->announcing, h->now, each, HUB_ANNOUNCE_BURST)) {
        heap_remove(&h->timers, &e->announce);
        roster_present(h, e);
    } else {
        heap_set(
            &h->timers, &e->announce,
            token_bucket_takes_at(&e->announcing, each, HUB_ANNOUNCE_BURST));
    }
}
