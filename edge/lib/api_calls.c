#include "edge/lib/lib_node.h"

#include "common/base/jtext.h"
#include "common/base/utf8.h"
#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

/* The arguments of a call, with the data as the node will send it. */
struct ask {
    enum operation_kind kind;
    const char *to;
    const struct zs_request *request;
    const char *type;
    const char *group;
    struct zs_data data;
    struct text escaped; /* of a ZS_STRING; `data` looks into it */
    int timeout_ms;
    zs_delivered *delivered;
    zs_replied *replied;
    void *context;
};

/* ---- Is it right? */

static bool group_is_right(const struct zs_node *n, const char *group)
{
    return name_is_valid(bytes_of_string(group)) &&
           node_group_is_allowed(edge_node(n->edge), group);
}

static bool type_is_right(const char *type)
{
    size_t size = type != NULL ? strlen(type) : 0;

    return size > 0 && size <= MESSAGE_TYPE_SIZE &&
           utf8_valid(bytes_of(type, size));
}

static bool data_is_right(const struct zs_data *d)
{
    if (d->bytes == NULL && d->size > 0)
        return false;
    switch (d->encoding) {
    case ZS_BYTES:
        return true;
    case ZS_JSON:
        return jtext_valid(bytes_of(d->bytes, d->size));
    case ZS_STRING:
        return utf8_valid(bytes_of(d->bytes, d->size));
    }
    return false;
}

/* Makes the text a JSON string. */
static bool escape(struct ask *ask)
{
    struct bytes text = bytes_of(ask->data.bytes, ask->data.size);
    size_t size = text_json_size(text);

    ask->escaped.data = malloc(size);
    if (ask->escaped.data == NULL)
        return false;
    ask->escaped.capacity = size;
    text_add_json(&ask->escaped, text);
    return true;
}

static enum zs_error check(const struct zs_node *n, struct ask *ask)
{
    size_t limit = n->options->conf.limits.message;

    if (!type_is_right(ask->type) ||
        (ask->group != NULL && !group_is_right(n, ask->group)))
        return ZS_BAD_REQUEST;
    if (ask->data.size > limit)
        return ZS_TOO_LARGE;
    if (!data_is_right(&ask->data))
        return ZS_BAD_REQUEST;
    if (ask->data.encoding != ZS_STRING)
        return ZS_OK;
    if (!escape(ask))
        return ZS_NO_MEMORY;
    ask->data = (struct zs_data){ask->escaped.data, ask->escaped.size, ZS_JSON};
    return ask->data.size > limit ? ZS_TOO_LARGE : ZS_OK;
}

/* ---- Into the queue */

static struct bytes keep(uint8_t **at, const void *data, size_t size)
{
    struct bytes kept = bytes_of(*at, size);

    if (size > 0)
        memcpy(*at, data, size);
    *at += size;
    return kept;
}

static const enum message_kind kinds[] = {[OPERATION_SEND] = MESSAGE_SEND,
                                          [OPERATION_REQUEST] = MESSAGE_REQUEST,
                                          [OPERATION_REPLY] = MESSAGE_REPLY,
                                          [OPERATION_PUBLISH] = MESSAGE_EVENT,
                                          [OPERATION_PING] = MESSAGE_SEND};

static struct message message_of(const struct ask *ask, uint8_t *room)
{
    struct message m = {.kind = kinds[ask->kind],
                        .encoding = ask->data.encoding == ZS_JSON
                                        ? ENCODING_JSON
                                        : ENCODING_BYTES};

    m.type = keep(&room, ask->type, strlen(ask->type));
    if (ask->group != NULL)
        m.group = keep(&room, ask->group, strlen(ask->group));
    m.data = keep(&room, ask->data.bytes, ask->data.size);
    return m;
}

static size_t room_of(const struct ask *ask)
{
    return strlen(ask->type) + (ask->group != NULL ? strlen(ask->group) : 0) +
           ask->data.size;
}

static struct span timeout_of(const struct ask *ask)
{
    if (ask->kind != OPERATION_REQUEST && ask->kind != OPERATION_PING)
        return span_us(0);
    return span_ms(ask->timeout_ms > 0 ? ask->timeout_ms : TIMEOUT_MS);
}

static struct op *op_new(const struct ask *ask)
{
    size_t size = sizeof(struct op) + room_of(ask);
    struct op *op = malloc(size);

    if (op == NULL)
        return NULL;
    *op = (struct op){
        .operation = {.kind = ask->kind,
                      .wait = ask->kind != OPERATION_PING,
                      .timeout = timeout_of(ask),
                      .size = size},
        .delivered = ask->delivered,
        .replied = ask->replied,
        .context = ask->context,
    };
    op->operation.message = message_of(ask, op->room);
    if (ask->request != NULL) {
        memcpy(op->operation.to.key, ask->request->from, KEY_SIZE);
        op->operation.message.reference = ask->request->reference;
    } else if (ask->to != NULL) {
        strcpy(op->to, ask->to);
    }
    return op;
}

/* False: the node ends, and the caller still owns the operation. */
static bool post(struct zs_node *n, struct op *op)
{
    pthread_mutex_lock(&n->mutex);
    bool open = !n->stopping;
    if (open) {
        /* With others in the list, the loop was woken already. */
        if (n->posted.first == NULL)
            node_wake(n);
        operation_list_append(&n->posted, &op->operation);
        if (node_is_mine(n))
            n->own_posted++; /* Only this thread uses it. */
    }
    pthread_mutex_unlock(&n->mutex);
    return open;
}

static enum zs_error queue(struct zs_node *n, const struct ask *ask)
{
    struct op *op = op_new(ask);

    if (op == NULL)
        return ZS_NO_MEMORY;
    size_t size = op->operation.size;
    enum zs_error error = queue_quota_take(n, size);
    if (error == ZS_OK) {
        if (post(n, op))
            return ZS_OK;
        (void)queue_quota_give_back(n, size);
        error = node_ending(n);
    }
    free(op);
    return error;
}

/* ---- Or straight to the node */

/* On the loop's thread, with nothing before it that waits. A publication with a
 * callback may not: its result is known at once, but only the loop calls back.
 */
static bool may_go_straight(const struct zs_node *n, const struct ask *ask)
{
    bool may = ask->kind == OPERATION_SEND ||
               (ask->kind == OPERATION_PUBLISH && ask->delivered == NULL);
    return may && node_is_mine(n) && n->stage == STAGE_OPEN && !n->starting &&
           n->own_posted == 0 && !busy_queues_any(&n->operations.busy);
}

static struct message borrowed(const struct ask *ask)
{
    return (struct message){
        .kind = kinds[ask->kind],
        .encoding =
            ask->data.encoding == ZS_JSON ? ENCODING_JSON : ENCODING_BYTES,
        .type = bytes_of_string(ask->type),
        .group = bytes_of_string(ask->group != NULL ? ask->group : ""),
        .data = bytes_of(ask->data.bytes, ask->data.size),
    };
}

/* False: the peer or the group's stream is busy, or there is no such peer. */
static bool hand_over(struct zs_node *n, const struct ask *ask,
                      const struct ticket_note *note)
{
    struct message m = borrowed(ask);
    struct node_id to;
    enum node_outcome why;
    uint32_t peers;

    bool taken = ask->kind == OPERATION_PUBLISH
                     ? edge_publish(n->edge, &m, &peers, &why)
                     : ops_find_peer(n, ask->to, &to) &&
                           operations_send(&n->operations, &to, &m, note);
    if (taken && !node_runs_here(n))
        node_wake(n);
    return taken;
}

/* False: the call must be queued, as an operation handles a busy or unknown
 * peer. */
static bool went_straight(struct zs_node *n, const struct ask *ask,
                          enum zs_error *error)
{
    size_t size = sizeof(struct op) + room_of(ask);
    const struct ticket_note note = {(void (*)(void))ask->delivered,
                                     ask->context, size};

    if (!may_go_straight(n, ask))
        return false;
    if (ask->delivered == NULL) /* The node's own limits suffice. */
        return !n->stopping && hand_over(n, ask, NULL);
    *error = queue_quota_take(n, size);
    if (*error != ZS_OK || hand_over(n, ask, &note))
        return true;
    (void)queue_quota_give_back(n, size);
    return false;
}

static enum zs_error accept_ask(struct zs_node *n, struct ask *ask)
{
    if (node_is_parents(n))
        return ZS_CLOSED;
    enum zs_error error = check(n, ask);
    /* The loop's thread may call between two rounds. */
    struct reserve *before = memory_use(node_is_mine(n) ? n->reserve : NULL);

    if (error == ZS_OK && !went_straight(n, ask, &error))
        error = queue(n, ask);
    memory_use(before);
    text_close(&ask->escaped);
    return error;
}

/* ---- What the header promises */

enum zs_error zs_send(struct zs_node *node, const char *to, const char *type,
                      struct zs_data data, zs_delivered *delivered,
                      void *context)
{
    if (node == NULL || to == NULL || strlen(to) >= TO_SIZE)
        return ZS_BAD_REQUEST;
    return accept_ask(node, &(struct ask){.kind = OPERATION_SEND,
                                          .to = to,
                                          .type = type,
                                          .data = data,
                                          .delivered = delivered,
                                          .context = context});
}

enum zs_error zs_publish(struct zs_node *node, const char *group,
                         const char *type, struct zs_data data,
                         zs_delivered *delivered, void *context)
{
    if (node == NULL)
        return ZS_BAD_REQUEST;
    return accept_ask(node, &(struct ask){.kind = OPERATION_PUBLISH,
                                          .group = group,
                                          .type = type,
                                          .data = data,
                                          .delivered = delivered,
                                          .context = context});
}

enum zs_error zs_request(struct zs_node *node, const char *to, const char *type,
                         struct zs_data data, int timeout_ms,
                         zs_replied *replied, void *context)
{
    if (node == NULL || to == NULL || strlen(to) >= TO_SIZE)
        return ZS_BAD_REQUEST;
    return accept_ask(node, &(struct ask){.kind = OPERATION_REQUEST,
                                          .to = to,
                                          .type = type,
                                          .data = data,
                                          .timeout_ms = timeout_ms,
                                          .replied = replied,
                                          .context = context});
}

/* A ping has no type and no data. */
enum zs_error zs_ping(struct zs_node *node, const char *to, int timeout_ms,
                      zs_delivered *delivered, void *context)
{
    if (node == NULL || to == NULL || strlen(to) >= TO_SIZE)
        return ZS_BAD_REQUEST;
    return accept_ask(node, &(struct ask){.kind = OPERATION_PING,
                                          .to = to,
                                          .type = "ping",
                                          .timeout_ms = timeout_ms,
                                          .delivered = delivered,
                                          .context = context});
}

enum zs_error zs_reply(struct zs_node *node, const struct zs_request *request,
                       const char *type, struct zs_data data,
                       zs_delivered *delivered, void *context)
{
    if (node == NULL || request == NULL)
        return ZS_BAD_REQUEST;
    return accept_ask(node, &(struct ask){.kind = OPERATION_REPLY,
                                          .request = request,
                                          .type = type,
                                          .data = data,
                                          .delivered = delivered,
                                          .context = context});
}

/* ---- Groups */

static size_t find_group(const struct group_names *g, const char *name)
{
    size_t i = 0;

    while (i < g->count && strcmp(g->names[i], name) != 0)
        i++;
    return i;
}

static enum zs_error change_groups(struct zs_node *n, const char *group,
                                   bool in)
{
    struct group_names *g = &n->groups;
    size_t i = find_group(g, group);

    if (n->stopping)
        return node_ending(n);
    if (in == (i < g->count))
        return ZS_OK;
    if (in && g->count == ANNOUNCEMENT_GROUPS)
        return ZS_BAD_REQUEST;
    if (in) {
        strcpy(g->names[g->count++], group);
    } else {
        g->count--;
        memmove(g->names[i], g->names[i + 1],
                (g->count - i) * sizeof g->names[0]);
    }
    n->groups_changed = true;
    node_wake(n);
    return ZS_OK;
}

static enum zs_error set_group(struct zs_node *n, const char *group, bool in)
{
    if (n == NULL || group == NULL || !group_is_right(n, group))
        return ZS_BAD_REQUEST;
    if (node_is_parents(n))
        return ZS_CLOSED;
    pthread_mutex_lock(&n->mutex);
    enum zs_error error = change_groups(n, group, in);
    pthread_mutex_unlock(&n->mutex);
    return error;
}

enum zs_error zs_join(struct zs_node *node, const char *group)
{
    return set_group(node, group, true);
}

enum zs_error zs_leave(struct zs_node *node, const char *group)
{
    return set_group(node, group, false);
}
