#include "edge/core/node_private.h"

#include <string.h>

/*
 * Sends the packets of this node's publications: uploads for a relay's fan-out,
 * and single packets by unicast.
 */

/* --- peers that a relay leaves out of its fan-out --------------------------
 */

static void write_spare(struct node *n, const struct relay *relay,
                        struct peer *p, bool spare)
{
    uint8_t bit = (uint8_t)(1u << relay->index);
    struct writer w = todo_writer(n, 2 + KEY_SIZE);
    write_u8(&w, RELAY_SPARE);
    write_u8(&w, spare);
    write_bytes(&w, bytes_of(p->id.key, KEY_SIZE));
    todo_write(n, relay->link, writer_bytes(&w));
    p->spared = (uint8_t)(spare ? p->spared | bit : p->spared & ~bit);
}

void groups_spare(struct node *n, const struct relay *relay, struct peer *p)
{
    bool spare = p->joined && p->evidence.relays[relay->index].listed &&
                 groups_route(p) != ROUTE_NONE &&
                 groups_route(p) != (int)relay->index;
    if (spare != ((p->spared >> relay->index & 1) != 0))
        write_spare(n, relay, p, spare);
}

/* Before the first upload of a connection: tells the relay of all peers that it
 * can leave out. */
static void tell_spares(struct node *n, struct relay *relay)
{
    size_t cursor = 0;
    struct peer *p;
    if (relay->spares_told)
        return;
    relay->spares_told = true;
    while ((p = map_next(&n->peers, &cursor)) != NULL) {
        p->spared = (uint8_t)(p->spared & ~(1u << relay->index));
        groups_spare(n, relay, p);
    }
}

/* --- sending ---------------------------------------------------------------
 */

static struct receiver *next_output(const struct peer *p)
{
    struct receiver *r = p->receivers;
    while (r != NULL && !receiver_has_output(r))
        r = r->next_of_peer;
    return r;
}

bool groups_lacks(const struct peer *p)
{
    const struct receiver *r = p->receivers;
    while (r != NULL && !receiver_lacks(r))
        r = r->next_of_peer;
    return r != NULL;
}

bool groups_has_output(const struct peer *p)
{
    return next_output(p) != NULL;
}

void groups_write(struct node *n, struct peer *p, struct link *link)
{
    struct receiver *r = next_output(p);
    if (r == NULL)
        return;
    struct bytes packet = channel_plain(r->channel, r->cursor);
    if (!link->seals) {
        packet = channel_signed(r->channel, r->cursor, n->secret_key);
        packet.data += FORWARD_HEADER_SIZE;
        packet.size -= FORWARD_HEADER_SIZE;
    }
    struct writer w = traffic_begin(n, p, link, packet.size);
    write_bytes(&w, packet);
    traffic_end_packet(n, p, link, &w);
    n->counters.multicasts_alone++;
    receiver_sent(r);
}

/* Receivers by fan-out need no work, so usually this costs nothing. */
static void touch_by_unicast(struct node *n, const struct channel *c)
{
    if (c->fanout_count == c->receiver_count)
        return;
    for (struct receiver *r = c->receivers; r != NULL; r = r->next)
        if (receiver_has_output(r))
            peer_touch(n, r->peer);
}

void groups_seal(struct node *n)
{
    for (size_t i = 0; i < n->outflow_count; i++) {
        struct outflow *o = n->outflows[i];
        if (o->channel->batch_size == 0)
            continue;
        channel_seal(o->channel, n->now);
        groups_rearm(n, o);
        touch_by_unicast(n, o->channel);
    }
}

static void upload(struct node *n, struct channel *c, struct relay *relay)
{
    struct upload *u = &c->uploads[relay->index];
    tell_spares(n, relay);
    struct bytes packet =
        arena_copy(&n->todo->arena, channel_signed(c, u->next, n->secret_key));
    uint8_t *header = (uint8_t *)(uintptr_t)packet.data;
    memset(header, 0, FORWARD_HEADER_SIZE);
    header[0] = RELAY_MULTICAST;
    todo_write(n, relay->link, packet);
    link_spend(n, relay->link, packet.size);
    n->counters.multicasts++;
    u->next++;
}

bool groups_upload(struct node *n)
{
    bool any = false;
    for (size_t i = 0; i < n->outflow_count; i++) {
        struct channel *c = n->outflows[i]->channel;
        for (size_t k = 0; k < n->relay_count; k++) {
            struct relay *relay = &n->relays[k];
            if (relay->state != RELAY_UP || link_is_full(n, relay->link) ||
                !channel_has_upload(c, (int)k, n->now))
                continue;
            upload(n, c, relay);
            any = true;
        }
    }
    return any;
}
