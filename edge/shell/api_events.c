#include "edge/shell/api_internal.h"

#include "common/base/jtext.h"

#include <sodium.h>
#include <string.h>

static const struct {
    const char *name;
    enum api_event event;
} event_names[] = {
    {"join", EVENT_JOIN},   {"leave", EVENT_LEAVE}, {"message", EVENT_MESSAGE},
    {"event", EVENT_EVENT}, {"path", EVENT_PATH},   {"gap", EVENT_GAP},
};

static unsigned event_bit(const char *name)
{
    for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++)
        if (strcmp(event_names[i].name, name) == 0)
            return event_names[i].event;
    return 0;
}

static bool parse_events(struct bytes value, unsigned *events)
{
    struct filter names;

    *events = EVENT_ALL;
    if (value.size == 0)
        return true;
    if (!filter_parse(value, &names))
        return false;
    *events = 0;
    bool known = true;
    for (size_t i = 0; i < names.count; i++) {
        *events |= event_bit(names.names[i]);
        known = known && event_bit(names.names[i]) != 0;
    }
    filter_close(&names);
    return known;
}

static bool are_groups(const struct filter *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (!name_is_valid(bytes_of_string(f->names[i])))
            return false;
    return true;
}

static bool parse_groups(struct bytes value, struct filter *groups)
{
    return value.size == 0 ||
           (filter_parse(value, groups) && are_groups(groups));
}

bool subscription_parse(const struct request *r, struct client_subscription *s,
                        const char **wrong)
{
    *s = (struct client_subscription){.on = true};
    *wrong = "events is a list of join leave message event path gap";
    if (!parse_events(r->events, &s->events))
        return false;
    *wrong = "types is a list of at most 64 names";
    if (r->types.size > 0 && !filter_parse(r->types, &s->types))
        return false;
    *wrong = "groups is a list of at most 64 names of groups";
    bool right = parse_groups(r->groups, &s->groups);
    if (right) {
        *wrong = "member_of is a list of at most 64 names of groups";
        right = parse_groups(r->member_of, &s->member_of);
    }
    if (!right)
        subscription_close(s);
    return right;
}

void subscription_close(struct client_subscription *s)
{
    filter_close(&s->types);
    filter_close(&s->groups);
    filter_close(&s->member_of);
    s->on = false;
}

static bool wants(const struct client *c, enum api_event event)
{
    return c->subscription.on && (c->subscription.events & event) != 0;
}

static bool wants_message(const struct client *c, enum api_event event,
                          const struct message *m)
{
    return wants(c, event) && filter_passes(&c->subscription.types, m->type) &&
           (event != EVENT_EVENT ||
            filter_passes(&c->subscription.groups, m->group));
}

static bool anyone_wants(const struct api *a, enum api_event event,
                         const struct message *m)
{
    for (const struct client *c = a->clients; c; c = c->next)
        if (m ? wants_message(c, event, m) : wants(c, event))
            return true;
    return false;
}

/* Sends the event in a->line to all clients that subscribed to it. */
static void broadcast(struct api *a, enum api_event event,
                      const struct message *m)
{
    text_add_string(&a->line, "}\n");
    for (struct client *c = a->clients; c; c = c->next)
        if (m ? wants_message(c, event, m) : wants(c, event))
            text_add(client_out(c), text_bytes(&a->line));
    if (a->line.capacity > API_READ_SIZE)
        text_close(&a->line);
}

static struct text *event_begin(struct api *a, const char *event)
{
    text_clear(&a->line);
    text_add_string(&a->line, "{\"event\":\"");
    text_add_string(&a->line, event);
    text_add_string(&a->line, "\",");
    return &a->line;
}

static void add_who(struct text *t, const char *key,
                    const struct node_peer *peer)
{
    text_add_char(t, '"');
    text_add_string(t, key);
    text_add_string(t, "\":\"");
    text_add_hex(t, bytes_of(peer->id.key, KEY_SIZE));
    text_add_string(t, "\",\"name\":");
    text_add_json(t, bytes_of_string(peer->name));
}

void events_snapshot(struct client *c)
{
    struct api *a = c->api;
    const struct node *node = edge_node(a->edge);
    struct node_peer peer;
    size_t cursor = 0;

    while (wants(c, EVENT_JOIN) && node_peer_next(node, &cursor, &peer)) {
        struct text *out = client_out(c);
        text_add_string(out, "{\"event\":\"join\",");
        peer_write(out, &peer);
        text_add_string(out, "}\n");
    }
    text_add_string(client_out(c), "{\"event\":\"synced\"}\n");
}

void events_joined(struct api *a, const struct node_peer *peer)
{
    if (!anyone_wants(a, EVENT_JOIN, NULL))
        return;
    peer_write(event_begin(a, "join"), peer);
    broadcast(a, EVENT_JOIN, NULL);
}

void events_left(struct api *a, const struct node_peer *peer,
                 enum departure reason)
{
    if (!anyone_wants(a, EVENT_LEAVE, NULL))
        return;
    struct text *t = event_begin(a, "leave");
    add_who(t, "id", peer);
    text_add_string(t, ",\"reason\":\"");
    text_add_string(t, departure_name(reason));
    text_add_char(t, '"');
    broadcast(a, EVENT_LEAVE, NULL);
}

void events_path(struct api *a, const struct node_peer *peer,
                 enum node_path was)
{
    if (!anyone_wants(a, EVENT_PATH, NULL))
        return;
    struct text *t = event_begin(a, "path");
    add_who(t, "id", peer);
    text_add_string(t, ",\"reachable\":");
    text_add_string(t, peer->path == PATH_NONE ? "false" : "true");
    text_add_string(t, ",\"path\":\"");
    text_add_string(t, node_path_name(peer->path));
    text_add_string(t, "\",\"was\":\"");
    text_add_string(t, node_path_name(was));
    text_add_char(t, '"');
    endpoint_write(a, t, peer);
    broadcast(a, EVENT_PATH, NULL);
}

void events_gap(struct api *a, const struct node_peer *peer, uint64_t missed)
{
    if (!anyone_wants(a, EVENT_GAP, NULL))
        return;
    struct text *t = event_begin(a, "gap");
    add_who(t, "from", peer);
    text_add_string(t, ",\"missed\":");
    text_add_number(t, missed);
    broadcast(a, EVENT_GAP, NULL);
}

static void add_base64(struct text *t, struct bytes data)
{
    const int variant = sodium_base64_VARIANT_ORIGINAL;
    size_t size = sodium_base64_encoded_len(data.size, variant);

    text_add_string(t, ",\"data_b64\":\"");
    sodium_bin2base64(text_room(t, size), size, data.data, data.size, variant);
    text_wrote(t, size - 1);
    text_add_char(t, '"');
}

/* In valid JSON a line break is only between tokens, where it means the same as
 * a space. Here it would end the line. */
static void add_one_line(struct text *t, struct bytes json)
{
    char *at = text_room(t, json.size);

    memcpy(at, json.data, json.size);
    text_wrote(t, json.size);
    char *end = at + json.size;
    for (char *c = at; (c = memchr(c, '\n', (size_t)(end - c)));)
        *c = ' ';
    for (char *c = at; (c = memchr(c, '\r', (size_t)(end - c)));)
        *c = ' ';
}

void text_add_data(struct text *t, const struct message *m)
{
    /* Without this check a peer could forge events. */
    if (m->encoding == ENCODING_JSON && jtext_valid(m->data)) {
        text_add_string(t, ",\"data\":");
        add_one_line(t, m->data);
    } else {
        add_base64(t, m->data);
    }
}

void events_message(struct api *a, const struct node_peer *peer,
                    const struct message *m)
{
    enum api_event event =
        m->kind == MESSAGE_EVENT ? EVENT_EVENT : EVENT_MESSAGE;

    if (!anyone_wants(a, event, m))
        return;
    struct text *t = event_begin(a, event == EVENT_EVENT ? "event" : "message");
    add_who(t, "from", peer);
    text_add_string(t, ",\"type\":");
    text_add_json(t, m->type);
    if (event == EVENT_EVENT) {
        text_add_string(t, ",\"group\":");
        if (m->group.size > 0)
            text_add_json(t, m->group);
        else
            text_add_string(t, "null");
    }
    if (m->kind == MESSAGE_REQUEST) {
        /* As text: 64 bits are more than a JavaScript number holds. */
        text_add_string(t, ",\"request\":\"");
        text_add_number(t, m->reference);
        text_add_char(t, '"');
    }
    text_add_data(t, m);
    broadcast(a, event, m);
    if (m->kind == MESSAGE_REQUEST)
        open_requests_add(&a->operations.open, &peer->id, m->reference);
}
