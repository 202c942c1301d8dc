#include "relay/core/hub_private.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"

/* The serial follows the magic and the mesh. */
enum { SERIAL_OFFSET = 4 + KEY_SIZE };

bool mesh_revoked(const struct hub_mesh *m, const struct node_id *node)
{
    return m->list && revocation_has(&m->revocation, node);
}

static struct bytes revocation_packet(struct hub *h, const struct hub_mesh *m)
{
    struct writer w = hub_room(h, 1 + m->list_size);
    write_u8(&w, RELAY_REVOCATION);
    write_bytes(&w, bytes_of(m->list, m->list_size));
    return writer_bytes(&w);
}

void send_revocation(struct hub *h, struct hub_edge *e)
{
    edge_control(h, e, revocation_packet(h, e->mesh));
}

static uint64_t serial_of(struct bytes list)
{
    struct reader r = reader_of(list);
    read_bytes(&r, SERIAL_OFFSET);
    return read_u64(&r);
}

static void keep(struct hub *h, struct hub_mesh *m, struct bytes list)
{
    free(m->list);
    m->list = memory_copy(list.data, list.size);
    m->list_size = list.size;
    bool good = revocation_check(bytes_of(m->list, list.size), &m->revocation);
    ASSERT(good); /* The caller checked the list. */

    struct hub_todo *todo = hub_todos_add(h->todos, HUB_KEEP, 0);
    todo->bytes = arena_copy(&h->todos->arena, list);
    todo->log.mesh = m->id;
}

static void spread(struct hub *h, struct hub_mesh *m,
                   const struct hub_edge *from)
{
    struct bytes packet = revocation_packet(h, m);
    for (struct hub_edge *to = m->first; to; to = to->next) {
        if (to != from)
            edge_control(h, to, packet);
    }
}

static void drop_revoked(struct hub *h, struct hub_mesh *m)
{
    struct hub_edge *next;
    for (struct hub_edge *e = m->first; e; e = next) {
        next = e->next;
        if (mesh_revoked(e->mesh, &e->node))
            edge_refuse(h, e, REFUSAL_REVOKED, DEPARTURE_REVOKED);
    }
}

/* Limits how often a mesh can make the relay write to all its edges by new
 * lists. An edge whose list was dropped sends it again after its next HELLO. */
static bool may_spread(struct hub *h, struct hub_mesh *m,
                       const struct hub_edge *from)
{
    static const struct span each = {HUB_REVOKE_INTERVAL_MS * 1000};
    if (!from ||
        token_bucket_takes(&m->revoking, h->now, each, HUB_REVOKE_BURST))
        return true;
    h->counters.dropped[REFUSAL_QUEUE_FULL]++;
    return false;
}

void revocation_arrived(struct hub *h, struct hub_edge *from, struct bytes list)
{
    struct revocation r;
    if (from && serial_of(list) <= from->mesh->revocation.serial)
        return; /* The usual case; spares the check of a signature. */
    if (!revocation_check(list, &r)) {
        if (from)
            edge_refuse(h, from, REFUSAL_FORGED, DEPARTURE_LOST);
        return;
    }
    if (!hub_serves(h, &r.mesh) ||
        (from && !mesh_id_equal(&r.mesh, &from->mesh->id)))
        return;
    struct hub_mesh *m = mesh_take(h, &r.mesh);
    if (r.serial > m->revocation.serial && may_spread(h, m, from)) {
        keep(h, m, list);
        spread(h, m, from);
    }
    if (m->count > 0)
        drop_revoked(h, m);
    else
        mesh_release(h, m);
}
