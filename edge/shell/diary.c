#include "edge/shell/diary.h"

#include "common/io/log.h"

static const char *departure_name(enum departure reason)
{
    switch (reason) {
    case DEPARTURE_CLOSED:
        return "closed";
    case DEPARTURE_LOST:
    case DEPARTURE_SILENT:
        return "lost";
    case DEPARTURE_REVOKED:
        return "revoked";
    }
    return "unknown";
}

/* The other end of the peer's path: an address, or the relay's URL. */
static const char *endpoint_of(const struct edge *e,
                               const struct node_peer *peer,
                               char text[ADDRESS_TEXT_SIZE])
{
    if (peer->path == PATH_RELAY && peer->relay < edge_relay_count(e))
        return edge_relay_url(e, peer->relay);
    return address_format(&peer->endpoint, text);
}

static void write_peer(const struct edge *e, const struct node_todo *item)
{
    const struct node_peer *peer = item->peer.peer;
    char text[ADDRESS_TEXT_SIZE];

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

static void write_relay(struct diary *d, const struct edge *e, uint32_t index)
{
    const char *url = edge_relay_url(e, index);
    struct node_relay relay;

    node_relay_get(edge_node(e), index, &relay);
    switch (relay.state) {
    case RELAY_UP:
        log_info("relay_up", "relay=%s name=%s", url, relay.name);
        d->relay_failed[index] = false;
        break;
    case RELAY_CONNECTING:
        log_debug("relay_connecting", "relay=%s", url);
        break;
    case RELAY_DOWN:
        /* Once, not with each attempt. */
        if (!d->relay_failed[index])
            log_warn("relay_down", "relay=%s error=%s", url, relay.error);
        else
            log_debug("relay_down", "relay=%s error=%s", url, relay.error);
        d->relay_failed[index] = true;
        break;
    }
}

/* False beyond so many a minute. */
static bool refusal_counts(struct diary *d, struct instant now)
{
    if (instant_reached(instant_after(d->minute, span_s(60)), now)) {
        if (d->refusals > DIARY_REFUSALS_A_MINUTE)
            log_warn("refusals_not_logged", "count=%u",
                     d->refusals - DIARY_REFUSALS_A_MINUTE);
        d->minute = now;
        d->refusals = 0;
    }
    return ++d->refusals <= DIARY_REFUSALS_A_MINUTE;
}

static void write_refusal(struct diary *d, const struct edge *e,
                          const struct node_todo *item)
{
    const char *reason = refusal_name(item->refused.reason);
    const char *name = item->refused.name[0] ? item->refused.name : "unknown";
    char text[ADDRESS_TEXT_SIZE];

    if (!refusal_counts(d, edge_now(e)))
        return;
    address_format(&item->refused.from, text);
    if (!item->refused.by_peer)
        log_warn("peer_refused", "reason=%s name=%s from=%s", reason, name,
                 text);
    else if (item->refused.relay >= 0)
        log_error("refused_by_relay", "reason=%s relay=%s", reason,
                  edge_relay_url(e, (size_t)item->refused.relay));
    else
        log_error("refused_by_peer", "reason=%s name=%s from=%s", reason, name,
                  text);
}

void diary_write(struct diary *d, const struct edge *e,
                 const struct node_todo *item)
{
    if (item->kind == NODE_JOINED || item->kind == NODE_LEFT ||
        item->kind == NODE_PATH)
        write_peer(e, item);
    else if (item->kind == NODE_RELAY)
        write_relay(d, e, item->relay);
    else if (item->kind == NODE_REFUSED)
        write_refusal(d, e, item);
    else if (item->kind == NODE_REVOKED)
        log_info("revocation_taken", "bytes=%zu", item->bytes.size);
}
