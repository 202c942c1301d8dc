#include "edge/shell/api_internal.h"

#include "common/base/jtext.h"
#include "edge/shell/findings.h"

#include <string.h>
#include <time.h>

void member_add(struct text *t, const char *key, const char *value)
{
    text_add_char(t, ',');
    text_add_json(t, bytes_of_string(key));
    text_add_char(t, ':');
    text_add_json(t, bytes_of_string(value));
}

static void add_info(struct text *t, struct bytes info)
{
    text_add_string(t, ",\"info\":");
    if (info.size == 0 || !jtext_valid(info) || info.data[0] != '{') {
        text_add_string(t, "{}");
        return;
    }
    size_t start = t->size;
    text_add(t, info);
    for (size_t i = start; i < t->size; i++)
        if (t->data[i] == '\n' || t->data[i] == '\r')
            t->data[i] = ' '; /* A line break is only between tokens; see
                                 api_events.c. */
}

static void add_id(struct text *t, const struct node_id *id, const char *name)
{
    text_add_string(t, "\"id\":\"");
    text_add_hex(t, bytes_of(id->key, KEY_SIZE));
    text_add_char(t, '"');
    member_add(t, "name", name);
}

static void add_rtt(struct text *t, struct span rtt)
{
    text_add_string(t, ",\"rtt_ms\":");
    if (rtt.us >= 0)
        text_add_ms(t, rtt.us);
    else
        text_add_string(t, "null");
}

void peer_write(struct text *t, const struct node_peer *peer)
{
    add_id(t, &peer->id, peer->name);
    add_info(t, peer->info);
    text_add_string(t, ",\"groups\":[");
    for (size_t i = 0; i < peer->group_count; i++) {
        if (i > 0)
            text_add_char(t, ',');
        text_add_json(t, bytes_of_string(peer->groups[i]));
    }
    text_add_char(t, ']');
    text_add_string(t, ",\"reachable\":");
    text_add_string(t, peer->path == PATH_NONE ? "false" : "true");
    member_add(t, "path", node_path_name(peer->path));
}

void endpoint_write(const struct api *a, struct text *t,
                    const struct node_peer *peer)
{
    char text[ADDRESS_TEXT_SIZE] = "";

    if (peer->endpoint.family != ADDRESS_NONE)
        address_format(&peer->endpoint, text);
    else if (peer->path == PATH_RELAY &&
             peer->relay < edge_relay_count(a->edge)) {
        member_add(t, "endpoint", edge_relay_url(a->edge, peer->relay));
        return;
    }
    member_add(t, "endpoint", text);
}

/* Wall-clock time of a monotonic instant, as ISO 8601. */
static void add_since(const struct api *a, struct text *t, struct instant since)
{
    struct span ago = instant_between(since, edge_now(a->edge));
    time_t then = time(NULL) - (time_t)(ago.us / 1000000);
    char text[32] = "";
    struct tm tm;

    if (gmtime_r(&then, &tm))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    member_add(t, "since", text);
}

static void add_count(struct text *t, const char *key, uint64_t value)
{
    if (t->data[t->size - 1] != '{')
        text_add_char(t, ',');
    text_add_json(t, bytes_of_string(key));
    text_add_char(t, ':');
    text_add_number(t, value);
}

static void add_traffic(struct text *t, const struct node_traffic *traffic)
{
    text_add_string(t, ",\"traffic\":{");
    add_count(t, "sent", traffic->sent);
    add_count(t, "received", traffic->received);
    add_count(t, "bytes_sent", traffic->bytes_sent);
    add_count(t, "bytes_received", traffic->bytes_received);
    text_add_char(t, '}');
}

void peers_write(const struct api *a, struct text *t)
{
    const struct node *node = edge_node(a->edge);
    struct node_peer peer;
    size_t cursor = 0;
    bool first = true;

    text_add_string(t, ",\"peers\":[");
    while (node_peer_next(node, &cursor, &peer)) {
        text_add_string(t, first ? "{" : ",{");
        first = false;
        peer_write(t, &peer);
        endpoint_write(a, t, &peer);
        if (peer.path == PATH_RELAY && peer.relay < edge_relay_count(a->edge))
            member_add(t, "relay", edge_relay_url(a->edge, peer.relay));
        if (peer.path == PATH_RELAY)
            member_add(t, "why", node_why_name(peer.why));
        add_rtt(t, peer.rtt);
        add_since(a, t, peer.since);
        add_traffic(t, &peer.traffic);
        text_add_char(t, '}');
    }
    text_add_char(t, ']');
}

static void add_node(const struct api *a, struct text *t, bool by_http)
{
    const struct node *node = edge_node(a->edge);
    struct node_id self = node_self(node);
    struct group_list groups;

    text_add_string(t, ",\"node\":{");
    add_id(t, &self, node_name(node));
    add_info(t, bytes_of_string(a->info));
    groups_collect(a, &groups);
    text_add_string(t, ",\"groups\":[");
    for (size_t i = 0; i < groups.count; i++) {
        if (i > 0)
            text_add_char(t, ',');
        text_add_json(t, bytes_of_string(groups.names[i]));
    }
    text_add_char(t, ']');
    member_add(t, "socket", a->socket);
    member_add(t, "http", a->http_url);
    if (!by_http) /* It holds the token, which pages must not see. */
        member_add(t, "page", a->http_page);
    member_add(t, "token_file", a->http_token);
    text_add_char(t, '}');
}

static const char *relay_state_name(enum relay_state state)
{
    switch (state) {
    case RELAY_DOWN:
        return "down";
    case RELAY_CONNECTING:
        return "connecting";
    case RELAY_UP:
        return "up";
    }
    return "down";
}

static void add_relays(const struct api *a, struct text *t)
{
    text_add_string(t, ",\"relays\":[");
    for (size_t i = 0; i < edge_relay_count(a->edge); i++) {
        char outside[ADDRESS_TEXT_SIZE] = "";
        struct node_relay relay;

        node_relay_get(edge_node(a->edge), i, &relay);
        text_add_string(t, i == 0 ? "{\"url\":" : ",{\"url\":");
        text_add_json(t, bytes_of_string(edge_relay_url(a->edge, i)));
        member_add(t, "name", relay.name);
        member_add(t, "state", relay_state_name(relay.state));
        member_add(t, "transport", relay_form_transport(relay.form));
        member_add(t, "form", relay_form_name(relay.form));
        text_add_string(t, ",\"proxy\":");
        text_add_string(t, relay_form_by_proxy(relay.form) ? "true" : "false");
        add_rtt(t, relay.rtt);
        const char *error = relay.state == RELAY_UP ? "" : relay.error;
        member_add(t, "error", finding_relay_word(error));
        member_add(t, "detail", error);
        if (relay.outside.family != ADDRESS_NONE)
            address_format(&relay.outside, outside);
        member_add(t, "outside", outside);
        text_add_string(t, ",\"traffic\":{");
        add_count(t, "bytes_sent", relay.bytes_sent);
        add_count(t, "bytes_received", relay.bytes_received);
        text_add_string(t, "}}");
    }
    text_add_char(t, ']');
}

const struct api_counter api_counters[] = {
    {"sent", offsetof(struct node_counters, sent)},
    {"delivered", offsetof(struct node_counters, delivered)},
    {"received", offsetof(struct node_counters, received)},
    {"published", offsetof(struct node_counters, published)},
    {"events_received", offsetof(struct node_counters, events_received)},
    {"events_missed", offsetof(struct node_counters, events_missed)},
    {"multicasts", offsetof(struct node_counters, multicasts)},
    {"multicasts_alone", offsetof(struct node_counters, multicasts_alone)},
    {"group_acks", offsetof(struct node_counters, group_acks)},
    {"group_asks", offsetof(struct node_counters, group_asks)},
    {"bytes_sent", offsetof(struct node_counters, bytes_sent)},
    {"bytes_received", offsetof(struct node_counters, bytes_received)},
    {"records_sent", offsetof(struct node_counters, records_sent)},
    {"records_resent", offsetof(struct node_counters, records_resent)},
    {"records_duplicate", offsetof(struct node_counters, records_duplicate)},
    {"packets_sent", offsetof(struct node_counters, packets_sent)},
    {"packets_received", offsetof(struct node_counters, packets_received)},
    {"packets_dropped", offsetof(struct node_counters, packets_dropped)},
    {"beacons_sent", offsetof(struct node_counters, beacons_sent)},
    {"beacons_received", offsetof(struct node_counters, beacons_received)},
    {"beacons_dropped", offsetof(struct node_counters, beacons_dropped)},
    {"handshakes", offsetof(struct node_counters, handshakes)},
    {"handshakes_aes", offsetof(struct node_counters, handshakes_aes)},
    {"refusals", offsetof(struct node_counters, refusals)},
    {"path_changes", offsetof(struct node_counters, path_changes)},
    {"doubts", offsetof(struct node_counters, path_suspicions)},
    {"store_bytes", offsetof(struct node_counters, store_bytes)},
    {NULL, 0},
};

uint64_t api_counter_of(const struct node_counters *values,
                        const struct api_counter *counter)
{
    uint64_t value;

    memcpy(&value, (const char *)values + counter->offset, sizeof(value));
    return value;
}

static void add_counters(const struct api *a, struct text *t)
{
    struct node_counters values = {0};

    node_counters_get(edge_node(a->edge), &values);
    text_add_string(t, ",\"counters\":{");
    add_count(t, "clients", a->client_count);
    add_count(t, "client_bytes", a->held);
    for (const struct api_counter *c = api_counters; c->name; c++)
        add_count(t, c->name, api_counter_of(&values, c));
    text_add_char(t, '}');
}

void status_write(const struct api *a, struct text *t, bool by_http)
{
    struct text what = {0};

    text_add_string(t, ",\"version\":1");
    add_node(a, t, by_http);
    add_relays(a, t);
    peers_write(a, t);
    refusals_write(a, t);
    add_counters(a, t);
    text_add_string(t, ",\"health\":[");
    health_write(a, t, &what);
    text_add_char(t, ']');
    text_close(&what);
}
