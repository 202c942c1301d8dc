#include "edge/core/node_private.h"

#include "common/base/hex.h"

#include <string.h>

struct node_id node_self(const struct node *n)
{
    return n->certificate.node;
}

const char *node_name(const struct node *n)
{
    return n->certificate.name;
}

const struct curve_pair *node_link_keys(const struct node *n)
{
    return &n->link_pair;
}

const struct curve_pair *node_identity_keys(const struct node *n)
{
    return &n->identity;
}

bool node_group_is_allowed(const struct node *n, const char *group)
{
    return certificate_allows(&n->certificate, bytes_of_string(group));
}

size_t node_peer_count(const struct node *n)
{
    return n->joined_count;
}

bool node_peer_next(const struct node *n, size_t *cursor, struct node_peer *p)
{
    const struct peer *peer;
    while ((peer = map_next(&n->peers, cursor)) != NULL)
        if (peer->joined) {
            peer_view(n, peer, p);
            return true;
        }
    return false;
}

bool node_peer_get(const struct node *n, const struct node_id *id,
                   struct node_peer *p)
{
    const struct peer *peer = map_get(&n->peers, id->key);
    if (peer == NULL || !peer->joined)
        return false;
    peer_view(n, peer, p);
    return true;
}

bool node_refusal_next(const struct node *n, struct node_refusals *cursor,
                       struct node_refusal *r)
{
    const struct refused_node *o =
        map_next(&n->refused_nodes, &cursor->refused_nodes);
    if (o != NULL) {
        *r = (struct node_refusal){.id = o->id,
                                   .name = o->name,
                                   .reason = o->reason,
                                   .skew_known = o->skew.known,
                                   .skew_s = o->skew.seconds};
        return true;
    }
    const struct peer *p;
    while ((p = map_next(&n->peers, &cursor->peers)) != NULL) {
        if (p->refuses_us == REFUSAL_NONE)
            continue;
        *r = (struct node_refusal){.id = p->id,
                                   .name = p->name,
                                   .by_peer = true,
                                   .reason = p->refuses_us,
                                   .skew_known = p->skew.known,
                                   .skew_s = p->skew.seconds};
        return true;
    }
    return false;
}

bool node_is_replaced(const struct node *n, struct instant now)
{
    return instant_is_recent(n->replaced_at, span_s(60), now);
}

static bool find_by_name(const struct node *n, const char *name,
                         struct node_peer *p)
{
    char padded[NAME_ROOM];
    if (strlen(name) >= sizeof padded)
        return false;
    name_pad(padded, name);
    const struct peer *peer = map_get(&n->names, padded);
    if (peer == NULL || !peer->joined)
        return false;
    peer_view(n, peer, p);
    return true;
}

bool node_peer_find(const struct node *n, const char *text, struct node_peer *p)
{
    if (find_by_name(n, text, p))
        return true;
    size_t length = strlen(text);
    if (length < 8 || length > 2 * KEY_SIZE)
        return false;
    const struct peer *found = NULL, *peer;
    size_t cursor = 0;
    while ((peer = map_next(&n->peers, &cursor)) != NULL) {
        char hex[2 * KEY_SIZE + 1];
        hex_encode(bytes_of(peer->id.key, KEY_SIZE), hex);
        if (!peer->joined || strncmp(hex, text, length) != 0)
            continue;
        if (found != NULL)
            return false;
        found = peer;
    }
    if (found != NULL)
        peer_view(n, found, p);
    return found != NULL;
}

/* A relay that is not up has the form that would be the best. */
static enum relay_form form_of(const struct relay *relay)
{
    int form = FORM_TCP;
    if (relay->link != NULL)
        return relay->link->form;
    while (!routes_allow(&relay->routes, (enum relay_form)form))
        form++;
    return (enum relay_form)form;
}

void node_relay_get(const struct node *n, size_t index, struct node_relay *r)
{
    *r = (struct node_relay){
        .rtt = span_us(-1), .hello = span_us(-1), .error = "", .name = ""};
    if (index >= n->relay_count)
        return;
    const struct relay *relay = &n->relays[index];
    r->state = relay->state;
    r->hello = relay->hello;
    r->error = relay->error;
    r->form = form_of(relay);
    r->forms = relay->routes.allowed;
    for (int i = 0; i < RELAY_FORMS; i++)
        r->failures[i] = relay->routes.list[i].failure;
    r->name = relay->name;
    r->outside = relay->outside;
    r->unix_seconds = relay->clock;
    r->at = relay->clock_at;
    if (relay->state == RELAY_UP)
        r->tls = relay->tls;
    r->bytes_sent = relay->bytes_sent;
    r->bytes_received = relay->bytes_received;
    if (relay->state == RELAY_UP)
        r->rtt = relay->link->detector.rtt;
}

void node_counters_get(const struct node *n, struct node_counters *c)
{
    *c = n->counters;
    c->records_sent = n->session_counters.records_sent;
    c->records_resent = n->session_counters.records_resent;
    c->records_duplicate = n->session_counters.records_duplicate;
    c->handshakes = n->session_counters.handshakes;
    c->handshakes_aes = n->session_counters.handshakes_aes;
    size_t cursor = 0;
    const struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        if (p->session != NULL)
            c->store_bytes += p->session->outbox.bytes;
    c->store_bytes += groups_store_bytes(n);
}
