/*
 * The host's network: what netcheck wants to know of it, and the parts that
 * the edge cannot use.
 */
#include "edge/shell/edge_private.h"

#include "common/io/log.h"

#include <string.h>

static size_t missing(const struct edge *e, size_t index, const char **name)
{
    const struct conf_list *names = &e->conf->listen.interfaces;
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], "all") == 0 ||
            interfaces_have(network_now(e->network), names->items[i]))
            continue;
        if (count++ == index)
            *name = names->items[i];
    }
    return count;
}

size_t edge_gap(const struct edge *e, enum edge_gap gap, size_t index,
                const char **name)
{
    if (e->stopped)
        return 0;
    switch (gap) {
    case EDGE_GAP_MISSING:
        return missing(e, index, name);
    case EDGE_GAP_UNJOINED:
        return discovery_unjoined(e->discovery, index, name);
    case EDGE_GAP_ADDRESSES:
        return e->addresses_left_out;
    case EDGE_GAP_DEAF:
        return discovery_is_deaf(e->discovery) ? 1 : 0;
    case EDGE_GAP_LARGE:
        *name = e->large_lost;
        return (size_t)e->segment;
    }
    return 0;
}

void edge_netinfo(const struct edge *e, struct edge_netinfo *info)
{
    *info = (struct edge_netinfo){
        .conf = e->conf,
        .interfaces = e->stopped ? NULL : network_now(e->network),
        .relays = e->relays,
        .relay_count = e->relay_count,
        .mapping = e->stopped ? NULL : edge_port_mapping(e),
    };
}

void edge_beacons(const struct edge *e, unsigned interface, uint64_t *sent,
                  uint64_t *heard)
{
    *sent = *heard = 0;
    if (!e->stopped)
        discovery_heard(e->discovery, interface, sent, heard);
}

void edge_tell_missing(const struct edge *e)
{
    const char *name = "";

    for (size_t i = 0; i < missing(e, i, &name); i++)
        log_warn("interface_missing", "name=%s", name);
}
