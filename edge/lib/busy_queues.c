#include "edge/lib/lib_node.h"

#include "common/base/memory.h"

#include <stdlib.h>

/*
 * A lane is there only while its peer (or, under the id zero, whoever
 * publications wait for) is busy.
 */
struct busy_queue {
    struct node_id peer;
    struct op_list waiting;
};

void list_append(struct op_list *list, struct op *op)
{
    op->next = NULL;
    op->previous = list->last;
    if (list->last != NULL)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
}

void list_remove(struct op_list *list, struct op *op)
{
    if (op->previous != NULL)
        op->previous->next = op->next;
    else
        list->first = op->next;
    if (op->next != NULL)
        op->next->previous = op->previous;
    else
        list->last = op->previous;
    op->previous = op->next = NULL;
}

struct op *list_take(struct op_list *list)
{
    struct op *op = list->first;

    if (op != NULL)
        list_remove(list, op);
    return op;
}

/* Back to where it came from. */
static void list_prepend(struct op_list *list, struct op *op)
{
    op->previous = NULL;
    op->next = list->first;
    if (list->first != NULL)
        list->first->previous = op;
    else
        list->last = op;
    list->first = op;
}

static void busy_queue_free(struct zs_node *n, struct busy_queue *l)
{
    map_remove(&n->busy_queues, &l->peer);
    free(l);
}

bool busy_queues_join(struct zs_node *n, struct op *op)
{
    struct busy_queue *l =
        n->busy_queues.count > 0 ? map_get(&n->busy_queues, &op->to_id) : NULL;

    if (l == NULL)
        return false;
    op->place = OP_PEER_BUSY;
    list_append(&l->waiting, op);
    return true;
}

void busy_queues_open(struct zs_node *n, struct op *op)
{
    struct busy_queue *l = memory_new(sizeof *l);

    l->peer = op->to_id;
    map_put(&n->busy_queues, &l->peer, l);
    op->place = OP_PEER_BUSY;
    list_append(&l->waiting, op);
}

void busy_queues_remove(struct zs_node *n, struct op *op)
{
    struct busy_queue *l = map_get(&n->busy_queues, &op->to_id);

    if (l != NULL)
        list_remove(&l->waiting, op);
}

/* As much as the node takes. An operation that ends on the way may end others
 * of the lane, so each is looked for anew. */
static void pump(struct zs_node *n, const struct node_id *peer)
{
    struct busy_queue *l;
    struct op *op;

    while ((l = map_get(&n->busy_queues, peer)) != NULL) {
        op = list_take(&l->waiting);
        if (op == NULL) {
            busy_queue_free(n, l);
        } else if (!ops_submit(n, op)) {
            op->place = OP_PEER_BUSY;
            list_prepend(&l->waiting, op);
            return;
        }
    }
}

void busy_queues_ready(struct zs_node *n, const struct node_id *peer)
{
    const struct node_id all = {{0}};

    pump(n, peer);
    if (!node_id_equal(peer, &all))
        pump(n, &all);
}

static void fail_lane(struct zs_node *n, struct busy_queue *l,
                      enum zs_error error)
{
    struct op_list all = l->waiting;
    struct op *op;

    busy_queue_free(n, l);
    while ((op = list_take(&all)) != NULL) {
        op->place = OP_POSTED;
        ops_fail(n, op, error);
    }
}

void busy_queues_peer_left(struct zs_node *n, const struct node_id *peer)
{
    const struct node_id all = {{0}};
    struct busy_queue *l = map_get(&n->busy_queues, peer);

    if (l != NULL)
        fail_lane(n, l, ZS_NOT_DELIVERED);
    pump(n, &all); /* They need not wait for this peer any more. */
}

void busy_queues_fail(struct zs_node *n, enum zs_error error)
{
    size_t cursor = 0;
    struct busy_queue *l;

    while ((l = map_next(&n->busy_queues, &cursor)) != NULL)
        fail_lane(n, l, error);
}
