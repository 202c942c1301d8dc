#include "edge/shell/api_internal.h"

#include <stdio.h>
#include <string.h>

static void add_head(struct text *t, const char *name, const char *kind,
                     const char *help)
{
    text_add_string(t, "# HELP zs_edge_");
    text_add_string(t, name);
    text_add_char(t, ' ');
    text_add_string(t, help);
    text_add_string(t, "\n# TYPE zs_edge_");
    text_add_string(t, name);
    text_add_char(t, ' ');
    text_add_string(t, kind);
    text_add_char(t, '\n');
}

static void add_value(struct text *t, const char *name, const char *labels,
                      uint64_t value)
{
    text_add_string(t, "zs_edge_");
    text_add_string(t, name);
    text_add_string(t, labels);
    text_add_char(t, ' ');
    text_add_number(t, value);
    text_add_char(t, '\n');
}

static void add_gauge(struct text *t, const char *name, const char *help,
                      uint64_t value)
{
    add_head(t, name, "gauge", help);
    add_value(t, name, "", value);
}

static void add_peers(const struct api *a, struct text *t)
{
    uint64_t tcp = 0, udp = 0, relay = 0;
    struct node_peer peer;
    size_t cursor = 0;

    while (node_peer_next(edge_node(a->edge), &cursor, &peer)) {
        tcp += peer.path == PATH_TCP;
        udp += peer.path == PATH_UDP;
        relay += peer.path == PATH_RELAY;
    }
    add_head(t, "peers", "gauge", "Peers that are present, by their path.");
    add_value(t, "peers", "{path=\"tcp\"}", tcp);
    add_value(t, "peers", "{path=\"udp\"}", udp);
    add_value(t, "peers", "{path=\"relay\"}", relay);
}

static uint64_t relays_up(const struct api *a)
{
    uint64_t up = 0;

    for (size_t i = 0; i < edge_relay_count(a->edge); i++) {
        struct node_relay relay;
        node_relay_get(edge_node(a->edge), i, &relay);
        up += relay.state == RELAY_UP;
    }
    return up;
}

/* The size of the store is a gauge; all others are counters. */
static void add_counter(struct text *t, const struct api_counter *counter,
                        uint64_t value)
{
    char name[64];

    if (strcmp(counter->name, "store_bytes") == 0) {
        add_gauge(t, counter->name, "As `zs status --json` names it.", value);
        return;
    }
    snprintf(name, sizeof(name), "%s_total", counter->name);
    add_head(t, name, "counter", "As `zs status --json` names it.");
    add_value(t, name, "", value);
}

char *api_metrics(const struct api *a)
{
    struct node_counters values = {0};
    struct text t = {0};

    add_peers(a, &t);
    add_gauge(&t, "relays", "Relays that are configured.",
              edge_relay_count(a->edge));
    add_gauge(&t, "relays_up", "Relays that are connected.", relays_up(a));
    add_gauge(&t, "clients", "Local clients.", a->client_count);
    add_gauge(&t, "client_bytes", "Memory that they hold.", a->held);
    node_counters_get(edge_node(a->edge), &values);
    for (const struct api_counter *c = api_counters; c->name; c++)
        add_counter(&t, c, api_counter_of(&values, c));
    text_string(&t);
    return t.data;
}
