#include "edge/shell/event_log.h"

#include "common/io/log.h"

/* The other end of the peer's path: an address, or the relay's URL. */
static const char *endpoint_of(const struct edge *e,
                               const struct node_peer *peer,
                               char text[ADDRESS_TEXT_SIZE])
{
    if (peer->path == PATH_RELAY && peer->relay < edge_relay_count(e))
        return edge_relay_url(e, peer->relay);
    return address_format(&peer->endpoint, text);
}

static bool may_write(struct edge *e, enum log_cause cause, const char *event,
                      const char *reason, struct bytes who)
{
    return log_limit_passes(edge_log_limit(e), edge_now(e), cause, event,
                            reason, who);
}

static const char *event_of(const struct node_todo *item)
{
    return item->kind == NODE_JOINED ? "peer_joined"
           : item->kind == NODE_LEFT ? "peer_left"
                                     : "path_changed";
}

static void write_peer(struct edge *e, const struct node_todo *item)
{
    const struct node_peer *peer = item->peer.peer;
    char text[ADDRESS_TEXT_SIZE];

    if (!may_write(e, LOG_BY_MEMBERS, event_of(item), NULL,
                   bytes_of(peer->id.key, KEY_SIZE)))
        return;
    if (item->kind == NODE_JOINED)
        log_info("peer_joined", "name=%s path=%s endpoint=%s", peer->name,
                 node_path_name(peer->path), endpoint_of(e, peer, text));
    else if (item->kind == NODE_LEFT)
        log_info("peer_left", "name=%s reason=%s", peer->name,
                 departure_name(item->peer.reason));
    else
        log_info("path_changed", "name=%s path=%s was=%s endpoint=%s",
                 peer->name, node_path_name(peer->path),
                 node_path_name(item->peer.was), endpoint_of(e, peer, text));
}

static void write_relay(struct event_log *d, const struct edge *e,
                        uint32_t index)
{
    const char *url = edge_relay_url(e, index);
    struct node_relay relay;

    node_relay_get(edge_node(e), index, &relay);
    switch (relay.state) {
    case RELAY_UP:
        log_info("relay_up", "relay=%s name=%s form=%s", url, relay.name,
                 relay_form_name(relay.form));
        d->relay_failed[index] = false;
        break;
    case RELAY_CONNECTING:
        log_info("relay_connecting", "relay=%s error=%s", url, relay.error);
        break;
    case RELAY_DOWN:
        /* Warn once, not with each attempt. */
        if (!d->relay_failed[index])
            log_warn("relay_down", "relay=%s error=%s", url, relay.error);
        else
            log_debug("relay_down", "relay=%s error=%s", url, relay.error);
        d->relay_failed[index] = true;
        break;
    }
}

static void write_peer_refusal(struct edge *e, const struct node_todo *item,
                               const char *reason)
{
    const char *name = item->refused.name[0] ? item->refused.name : "unknown";
    struct bytes who =
        item->refused.name[0]
            ? bytes_of_string(item->refused.name)
            : bytes_of(item->refused.from.ip, sizeof item->refused.from.ip);
    bool by_peer = item->refused.by_peer;
    const char *event = by_peer ? "refused_by_peer" : "peer_refused";
    char text[ADDRESS_TEXT_SIZE];

    if (may_write(e, LOG_BY_STRANGERS, event, reason, who))
        log_write(by_peer ? LOG_ERROR : LOG_WARN, event,
                  "reason=%s name=%s from=%s", reason, name,
                  address_format(&item->refused.from, text));
}

static void write_refusal(struct edge *e, const struct node_todo *item)
{
    const char *reason = refusal_name(item->refused.reason);

    if (!item->refused.by_peer || item->refused.relay < 0) {
        write_peer_refusal(e, item, reason);
        return;
    }
    const char *url = edge_relay_url(e, (size_t)item->refused.relay);
    if (may_write(e, LOG_BY_STRANGERS, "refused_by_relay", reason,
                  bytes_of_string(url)))
        log_error("refused_by_relay", "reason=%s relay=%s", reason, url);
}

void event_log_write(struct event_log *d, struct edge *e,
                     const struct node_todo *item)
{
    if (item->kind == NODE_JOINED || item->kind == NODE_LEFT ||
        item->kind == NODE_PATH)
        write_peer(e, item);
    else if (item->kind == NODE_RELAY)
        write_relay(d, e, item->relay);
    else if (item->kind == NODE_REFUSED)
        write_refusal(e, item);
    else if (item->kind == NODE_REVOKED &&
             may_write(e, LOG_BY_MEMBERS, "revocation_taken", NULL,
                       (struct bytes){0}))
        log_info("revocation_taken", "bytes=%zu", item->bytes.size);
}
