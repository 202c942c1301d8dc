#include "edge/shell/edge_private.h"

#include "common/base/memory.h"
#include "common/io/log.h"

#include <stdio.h>

static void connect_relay(struct edge *e, const struct node_todo *item)
{
    const struct edge_relay *r = &e->relays[item->link.relay];
    const struct relay_way way = {.form = item->link.form, .relay = r};

    relay_links_connect(e->relay_links, item->link.id,
                        node_identity_keys(e->node), &r->url.key, &way);
}

/* Smaller segments on incoming links help, because both ends of the lost link
 * find out and one of them accepts the next one. */
static void large_lost(struct edge *e, const struct node_todo *item)
{
    const struct node_peer *peer = item->peer.peer;

    snprintf(e->large_lost, sizeof e->large_lost, "%s", peer->name);
    if (e->incoming != NULL)
        e->segment = incoming_smaller_segments(e->incoming);
    if (log_limit_passes(&e->events.log, edge_now(e), LOG_BY_MEMBERS,
                         "large_packets_lost", "",
                         bytes_of(peer->id.key, KEY_SIZE)))
        log_warn("large_packets_lost", "name=%s segment_bytes=%d", peer->name,
                 e->segment);
}

static void do_item(struct edge *e, const struct node_todo *item)
{
    switch (item->kind) {
    case NODE_MULTICAST:
        discovery_multicast(e->discovery, item->bytes);
        break;
    case NODE_SEND_TO:
        discovery_send(e->discovery, &item->link.address, item->link.bytes);
        break;
    case NODE_CONNECT:
        outgoing_connect(e->outgoing, item->link.id, node_link_keys(e->node),
                         &item->link.key, &item->link.address);
        break;
    case NODE_CONNECT_RELAY:
        connect_relay(e, item);
        break;
    case NODE_DISCONNECT:
        link_table_drop(&e->links, item->link.id);
        break;
    case NODE_CONNECT_UDP:
    case NODE_UDP_OPEN:
    case NODE_UDP_CLOSE:
    case NODE_UDP_SEND:
        if (e->udp != NULL)
            udp_path_do(e->udp, item);
        break;
    case NODE_REVOKED:
        if (e->options.revoked != NULL)
            e->options.revoked(e->options.context, item->bytes);
        break;
    case NODE_LARGE_LOST:
        large_lost(e, item);
        break;
    case NODE_RELAY:
        edge_note_route(e, item->relay);
        break;
    case NODE_DONE:
        edge_left(e);
        break;
    case NODE_WRITE:
    case NODE_JOINED:
    case NODE_LEFT:
    case NODE_PATH:
    case NODE_MESSAGE:
    case NODE_REPORT:
    case NODE_READY:
    case NODE_GAP:
    case NODE_REFUSED:
        break; /* For write_link, event_log_write or observers. */
    }
}

void edge_do(struct edge *e, const struct todo *todo)
{
    for (size_t i = 0; i < todo->count && memory_is_sound(); i++) {
        const struct node_todo *item = &todo->items[i];
        if (item->kind == NODE_WRITE) { /* Neither logged nor observed. */
            link_table_write(&e->links, item->link.id, item->link.bytes,
                             item->link.block);
            continue;
        }
        do_item(e, item);
        event_log_write(&e->event_log, e, item);
        edge_tell_observers(e, item);
    }
}
