#include "edge/lib/lib_node.h"

#include "common/base/memory.h"

#include <stdlib.h>

/*
 * A lane is there only while its peer (or, under the id zero, whoever
 * publications wait for) is busy.
 */
struct lane {
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

static void lane_free(struct zs_node *n, struct lane *l)
{
    map_remove(&n->lanes, &l->peer);
    free(l);
}

bool lanes_join(struct zs_node *n, struct op *op)
{
    struct lane *l = n->lanes.count > 0 ? map_get(&n->lanes, &op->to_id) : NULL;

    if (l == NULL)
        return false;
    op->place = OP_LANE;
    list_append(&l->waiting, op);
    return true;
}

void lanes_open(struct zs_node *n, struct op *op)
{
    struct lane *l = memory_new(sizeof *l);

    l->peer = op->to_id;
    map_put(&n->lanes, &l->peer, l);
    op->place = OP_LANE;
    list_append(&l->waiting, op);
}

void lanes_remove(struct zs_node *n, struct op *op)
{
    struct lane *l = map_get(&n->lanes, &op->to_id);

    if (l != NULL)
        list_remove(&l->waiting, op);
}

/* As much as the node takes. An operation that ends on the way may end others
 * of the lane, so each is looked for anew. */
static void pump(struct zs_node *n, const struct node_id *peer)
{
    struct lane *l;
    struct op *op;

    while ((l = map_get(&n->lanes, peer)) != NULL) {
        op = list_take(&l->waiting);
        if (op == NULL) {
            lane_free(n, l);
        } else if (!ops_submit(n, op)) {
            op->place = OP_LANE;
            list_prepend(&l->waiting, op);
            return;
        }
    }
}

void lanes_ready(struct zs_node *n, const struct node_id *peer)
{
    const struct node_id all = {{0}};

    pump(n, peer);
    if (!node_id_equal(peer, &all))
        pump(n, &all);
}

static void fail_lane(struct zs_node *n, struct lane *l, enum zs_error error)
{
    struct op_list all = l->waiting;
    struct op *op;

    lane_free(n, l);
    while ((op = list_take(&all)) != NULL) {
        op->place = OP_POSTED;
        ops_fail(n, op, error);
    }
}

void lanes_peer_left(struct zs_node *n, const struct node_id *peer)
{
    const struct node_id all = {{0}};
    struct lane *l = map_get(&n->lanes, peer);

    if (l != NULL)
        fail_lane(n, l, ZS_NOT_DELIVERED);
    pump(n, &all); /* They need not wait for this peer any more. */
}

void lanes_fail(struct zs_node *n, enum zs_error error)
{
    size_t cursor = 0;
    struct lane *l;

    while ((l = map_next(&n->lanes, &cursor)) != NULL)
        fail_lane(n, l, error);
}
