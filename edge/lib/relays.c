#include "edge/lib/lib_node.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct zs_relays {
    size_t count;
    struct relay_row rows[];
};

/* ---- The loop's side */

static enum zs_relay_state state_of(enum relay_state state)
{
    switch (state) {
    case RELAY_CONNECTING:
        return ZS_RELAY_CONNECTING;
    case RELAY_UP:
        return ZS_RELAY_UP;
    case RELAY_DOWN:
        break;
    }
    return ZS_RELAY_DOWN;
}

static void put_text(char *room, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);

    memcpy(room, text, length);
    room[length] = '\0';
}

static void fill(const struct zs_node *n, size_t index, struct relay_row *row)
{
    struct node_relay relay;

    node_relay_get(edge_node(n->edge), index, &relay);
    row->relay = (struct zs_relay){.state = state_of(relay.state),
                                   .rtt_us = relay.rtt.us};
    put_text(row->url, sizeof row->url, edge_relay_url(n->edge, index));
    put_text(row->name, sizeof row->name, relay.name);
    put_text(row->error, sizeof row->error,
             relay.state == RELAY_UP ? "" : relay.error);
    row->outside[0] = '\0';
    if (relay.outside.family != ADDRESS_NONE)
        address_format(&relay.outside, row->outside);
}

void relays_refresh(struct zs_node *n)
{
    size_t count = edge_relay_count(n->edge);

    pthread_mutex_lock(&n->mutex);
    n->relay_count = count < NODE_RELAYS ? count : NODE_RELAYS;
    for (size_t i = 0; i < n->relay_count; i++)
        fill(n, i, &n->relays[i]);
    pthread_mutex_unlock(&n->mutex);
}

/* ---- Every thread's */

struct zs_relays *zs_relays_get(struct zs_node *node)
{
    size_t size = sizeof(struct relay_row);

    if (node == NULL || node_is_parents(node))
        return calloc(1, sizeof(struct zs_relays));
    pthread_mutex_lock(&node->mutex);
    struct zs_relays *relays =
        calloc(1, sizeof *relays + node->relay_count * size);
    if (relays != NULL) {
        relays->count = node->relay_count;
        memcpy(relays->rows, node->relays, relays->count * size);
    }
    pthread_mutex_unlock(&node->mutex);
    if (relays == NULL)
        return NULL;
    for (size_t i = 0; i < relays->count; i++) {
        struct relay_row *row = &relays->rows[i];
        row->relay.url = row->url;
        row->relay.name = row->name;
        row->relay.error = row->error;
        row->relay.outside = row->outside;
    }
    return relays;
}

size_t zs_relays_count(const struct zs_relays *relays)
{
    return relays != NULL ? relays->count : 0;
}

const struct zs_relay *zs_relays_at(const struct zs_relays *relays,
                                    size_t index)
{
    return index < zs_relays_count(relays) ? &relays->rows[index].relay : NULL;
}

void zs_relays_free(struct zs_relays **self)
{
    if (self == NULL)
        return;
    free(*self);
    *self = NULL;
}
