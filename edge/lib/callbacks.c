#include "edge/lib/lib_node.h"

#include "common/base/hex.h"
#include "common/base/jtext.h"

#include <string.h>

enum zs_path callbacks_path(enum node_path path)
{
    switch (path) {
    case PATH_TCP:
        return ZS_PATH_TCP;
    case PATH_UDP:
        return ZS_PATH_UDP;
    case PATH_RELAY:
        return ZS_PATH_RELAY;
    case PATH_NONE:
        break;
    }
    return ZS_PATH_NONE;
}

static enum zs_reason reason_of(enum departure reason)
{
    switch (reason) {
    case DEPARTURE_CLOSED:
        return ZS_LEFT_CLOSED;
    case DEPARTURE_REVOKED:
        return ZS_LEFT_REVOKED;
    case DEPARTURE_REFUSED:
        return ZS_LEFT_REFUSED;
    case DEPARTURE_LOST:
    case DEPARTURE_SILENT:
        break;
    }
    return ZS_LEFT_LOST;
}

static const char *put_text(char *room, size_t size, struct bytes text)
{
    size_t length = text.size < size ? text.size : size - 1;

    if (length > 0)
        memcpy(room, text.data, length);
    room[length] = '\0';
    return room;
}

void callbacks_message(struct zs_node *n, const struct node_peer *peer,
                       const struct message *m, struct callback_message *told)
{
    /* The peer may lie about JSON, and programs will rely on it. */
    bool is_json = m->encoding == ENCODING_JSON && jtext_valid(m->data);

    if (!node_id_equal(&n->told_id, &peer->id)) {
        n->told_id = peer->id;
        hex_encode(bytes_of(peer->id.key, KEY_SIZE), n->told_from);
    }
    memcpy(told->request.from, peer->id.key, KEY_SIZE);
    told->request.reference = m->reference;
    told->message = (struct zs_message){
        .node = n,
        .from = n->told_from,
        .name = peer->name,
        .type = put_text(told->type, sizeof told->type, m->type),
        .group = put_text(told->group, sizeof told->group, m->group),
        .data = {m->data.data, m->data.size, is_json ? ZS_JSON : ZS_BYTES},
        .request = m->kind == MESSAGE_REQUEST ? &told->request : NULL,
    };
}

static void on_joined(void *context, const struct node_peer *peer)
{
    struct zs_node *n = context;
    const struct zs_peer *known = directory_put(n, peer);

    n->cached_to[0] = '\0'; /* A prefix may not be unique any more. */
    if (n->on.on_new_node != NULL)
        n->on.on_new_node(n->on.context, n, known);
}

static void on_left(void *context, const struct node_peer *peer,
                    enum departure reason)
{
    struct zs_node *n = context;
    const struct zs_peer *known = directory_get(n, &peer->id);

    n->cached_to[0] = '\0';
    operations_peer_left(&n->operations, &peer->id);
    if (known != NULL && n->on.on_node_close != NULL)
        n->on.on_node_close(n->on.context, n, known, reason_of(reason));
    directory_remove(n, &peer->id);
}

static void on_path(void *context, const struct node_peer *peer,
                    enum node_path was)
{
    struct zs_node *n = context;
    const struct zs_peer *known = directory_put(n, peer);

    if (n->on.on_path != NULL)
        n->on.on_path(n->on.context, n, known, callbacks_path(was));
}

static void on_message(void *context, const struct node_peer *peer,
                       const struct message *m)
{
    struct zs_node *n = context;
    struct callback_message told;

    if (m->kind == MESSAGE_REPLY) {
        operations_replied(&n->operations, peer, m);
        return;
    }
    void (*tell)(void *, const struct zs_message *) =
        m->kind == MESSAGE_EVENT ? n->on.on_event : n->on.on_message;
    if (tell == NULL)
        return;
    if (m->kind == MESSAGE_REQUEST)
        open_requests_add(&n->operations.open, &peer->id, m->reference);
    callbacks_message(n, peer, m, &told);
    tell(n->on.context, &told.message);
}

static void on_report(void *context, struct node_ref ref,
                      enum node_outcome outcome, enum node_path path,
                      struct span rtt)
{
    struct zs_node *n = context;

    operations_reported(&n->operations, ref, outcome, path, rtt);
}

static void on_ready(void *context, const struct node_peer *peer)
{
    struct zs_node *n = context;

    operations_ready(&n->operations, &peer->id);
}

static void on_gap(void *context, const struct node_peer *peer, uint64_t missed)
{
    struct zs_node *n = context;
    const struct zs_peer *known = directory_get(n, &peer->id);

    if (known != NULL && n->on.on_gap != NULL)
        n->on.on_gap(n->on.context, n, known, missed);
}

struct edge_observer callbacks_observer(struct zs_node *n)
{
    return (struct edge_observer){.context = n,
                                  .joined = on_joined,
                                  .left = on_left,
                                  .path = on_path,
                                  .message = on_message,
                                  .report = on_report,
                                  .ready = on_ready,
                                  .gap = on_gap};
}

static void on_line(void *context, enum log_level level, const char *event,
                    const char *details)
{
    const struct zs_node *n = context;
    static const enum zs_level levels[] = {[LOG_ERROR] = ZS_LOG_ERROR,
                                           [LOG_WARN] = ZS_LOG_WARN,
                                           [LOG_INFO] = ZS_LOG_INFO,
                                           [LOG_DEBUG] = ZS_LOG_DEBUG};

    if (n->on.on_log != NULL)
        n->on.on_log(n->on.context, levels[level], event, details);
}

struct log_sink callbacks_log_sink(struct zs_node *n)
{
    struct log_sink sink = {n, LOG_INFO, on_line};

    /* The configuration's check accepted another name. */
    if (!log_level_parse(n->options->conf.log.level, &sink.level))
        sink.level = LOG_INFO;
    return sink;
}
