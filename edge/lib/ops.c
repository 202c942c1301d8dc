#include "edge/lib/lib_node.h"

#include <stdlib.h>
#include <string.h>

/* ---- The end of one */

static enum zs_error error_of(enum operation_result result)
{
    static const enum zs_error errors[] = {
        [OPERATION_DONE] = ZS_OK,
        [OPERATION_UNKNOWN_PEER] = ZS_UNKNOWN_PEER,
        [OPERATION_UNKNOWN_REQUEST] = ZS_UNKNOWN_REQUEST,
        [OPERATION_NOT_DELIVERED] = ZS_NOT_DELIVERED,
        [OPERATION_PEER_RESTARTED] = ZS_PEER_RESTARTED,
        [OPERATION_BUSY] = ZS_BUSY,
        [OPERATION_TOO_LARGE] = ZS_TOO_LARGE,
        [OPERATION_TIMEOUT] = ZS_TIMEOUT,
        [OPERATION_NO_REPLY] = ZS_TIMEOUT,
        [OPERATION_CANCELLED] = ZS_CLOSED, /* Nothing cancels here. */
        [OPERATION_CLOSED] = ZS_CLOSED,
        [OPERATION_NO_MEMORY] = ZS_NO_MEMORY,
    };

    return errors[result];
}

static struct zs_delivery delivery_of(struct zs_node *n,
                                      const struct operation_end *end)
{
    return (struct zs_delivery){.node = n,
                                .error = error_of(end->result),
                                .path = callbacks_path(end->path),
                                .rtt_us = end->rtt.us,
                                .peers = end->peers};
}

/* The queue has room again; refused callers may be told. */
static void give_back(struct zs_node *n, size_t size)
{
    if (queue_quota_give_back(n, size) && n->on.on_ready != NULL)
        n->on.on_ready(n->on.context, n);
}

static void tell(struct zs_node *n, struct op *op,
                 const struct zs_delivery *delivery,
                 const struct zs_message *reply)
{
    if (op->replied != NULL)
        op->replied(op->context, delivery->error, reply);
    else if (op->delivered != NULL)
        op->delivered(op->context, delivery);
    give_back(n, op->operation.size);
    free(op);
}

void ops_fail(struct zs_node *n, struct op *op, enum zs_error error)
{
    tell(n, op, &(struct zs_delivery){.node = n, .error = error, .rtt_us = -1},
         NULL);
}

static void on_ended(void *context, struct operation *op,
                     const struct operation_end *end)
{
    struct zs_node *n = context;
    const struct zs_delivery delivery = delivery_of(n, end);
    struct callback_message told;

    if (end->reply != NULL)
        callbacks_message(n, end->from, end->reply, &told);
    tell(n, (struct op *)op, &delivery,
         end->reply != NULL ? &told.message : NULL);
}

static void on_noted(void *context, const struct ticket_note *note,
                     const struct operation_end *end)
{
    struct zs_node *n = context;
    const struct zs_delivery delivery = delivery_of(n, end);

    ((zs_delivered *)note->callback)(note->context, &delivery);
    give_back(n, note->size);
}

/* ---- The beginning */

void ops_init(struct zs_node *n)
{
    operations_init(&n->operations);
    n->operations.observer = &n->observer;
    n->operations.ended = on_ended;
    n->operations.noted = on_noted;
    n->operations.context = n;
}

bool ops_find_peer(struct zs_node *n, const char *to, struct node_id *id)
{
    struct node_peer peer;

    if (strcmp(to, n->cached_to) != 0) {
        if (!node_peer_find(edge_node(n->edge), to, &peer))
            return false;
        strcpy(n->cached_to, to);
        n->cached_id = peer.id;
    }
    *id = n->cached_id;
    return true;
}

void ops_start(struct zs_node *n, struct op *op)
{
    bool named = op->operation.kind != OPERATION_REPLY &&
                 op->operation.kind != OPERATION_PUBLISH;

    if (!memory_is_sound())
        ops_fail(n, op, ZS_NO_MEMORY);
    else if (named && !ops_find_peer(n, op->to, &op->operation.to))
        ops_fail(n, op, ZS_UNKNOWN_PEER);
    else
        operations_start(&n->operations, &n->pending, &op->operation);
}
