#include "edge/lib/lib_node.h"

#include "common/base/memory.h"

#include <stdlib.h>

/*
 * A lane is there only while its peer (or, under the id zero, whoever
 * publications wait for) is busy, or others of its operations wait. The node is
 * asked a chunk at a time, until it is busy again: asked of all, it would copy
 * and refuse most of them each time.
 */
struct lane {
    struct node_id peer;
    bool ready;           /* the node takes more; the next chunk is due */
    struct op_list again; /* given back since: before all that waits */
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

static bool is_empty(const struct lane *l)
{
    return l->again.first == NULL && l->waiting.first == NULL;
}

static void lane_free(struct zs_node *n, struct lane *l)
{
    map_remove(&n->lanes, &l->peer);
    free(l);
}

bool lanes_join(struct zs_node *n, struct op *op)
{
    struct lane *l = map_get(&n->lanes, &op->to_id);

    if (l == NULL)
        return false;
    op->place = OP_LANE;
    list_append(&l->waiting, op);
    return true;
}

void lanes_busy(struct zs_node *n, struct op *op)
{
    struct lane *l = map_get(&n->lanes, &op->to_id);

    if (l == NULL) {
        l = memory_new(sizeof *l);
        l->peer = op->to_id;
        map_put(&n->lanes, &l->peer, l);
    }
    l->ready = false;
    op->place = OP_LANE;
    list_append(&l->again, op);
}

void lanes_remove(struct zs_node *n, struct op *op)
{
    struct lane *l = map_get(&n->lanes, &op->to_id);

    if (l == NULL)
        return;
    /* In which of the two lists it is does not matter but at their ends. */
    bool again = l->again.first == op || l->again.last == op;
    list_remove(again ? &l->again : &l->waiting, op);
}

/* What was given back goes to the front, where it came from. */
static struct op_list all_of(const struct lane *l)
{
    if (l->again.first == NULL)
        return l->waiting;
    if (l->waiting.first == NULL)
        return l->again;
    l->again.last->next = l->waiting.first;
    l->waiting.first->previous = l->again.last;
    return (struct op_list){l->again.first, l->waiting.last};
}

static void pump(struct zs_node *n, struct lane *l)
{
    struct op *op;

    l->waiting = all_of(l);
    l->again = (struct op_list){0};
    for (int i = 0; i < LANE_CHUNK && (op = list_take(&l->waiting)); i++)
        ops_submit(n, op);
    l->ready = !is_empty(l);
    if (!l->ready)
        lane_free(n, l);
}

static void ready(struct zs_node *n, const struct node_id *peer)
{
    struct lane *l = map_get(&n->lanes, peer);

    if (l == NULL)
        return;
    pump(n, l);
    node_wake(n);
}

void lanes_ready(struct zs_node *n, const struct node_id *peer)
{
    const struct node_id all = {{0}};

    ready(n, peer);
    if (!node_id_equal(peer, &all))
        ready(n, &all);
}

static void fail_lane(struct zs_node *n, struct lane *l, enum zs_error error)
{
    struct op_list all = all_of(l);
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
    ready(n, &all); /* They need not wait for this peer any more. */
}

void lanes_pump(struct zs_node *n)
{
    size_t cursor = 0;
    struct lane *l;
    bool more = false;

    while ((l = map_next(&n->lanes, &cursor)) != NULL)
        if (l->ready) {
            pump(n, l);
            more = true;
        }
    if (!more)
        return;
    node_wake(n);
}

void lanes_fail(struct zs_node *n, enum zs_error error)
{
    size_t cursor = 0;
    struct lane *l;

    while ((l = map_next(&n->lanes, &cursor)) != NULL)
        fail_lane(n, l, error);
}
