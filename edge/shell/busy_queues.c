#include "edge/shell/busy_queues.h"

#include "common/base/memory.h"
#include "edge/shell/operations.h"

#include <stdlib.h>

struct busy_queue {
    struct node_id to;
    struct operation_list waiting;
};

void operation_list_append(struct operation_list *list, struct operation *op)
{
    op->next = NULL;
    op->previous = list->last;
    if (list->last != NULL)
        list->last->next = op;
    else
        list->first = op;
    list->last = op;
}

static void prepend(struct operation_list *list, struct operation *op)
{
    op->previous = NULL;
    op->next = list->first;
    if (list->first != NULL)
        list->first->previous = op;
    else
        list->last = op;
    list->first = op;
}

void operation_list_remove(struct operation_list *list, struct operation *op)
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

struct operation *operation_list_take(struct operation_list *list)
{
    struct operation *op = list->first;

    if (op != NULL)
        operation_list_remove(list, op);
    return op;
}

void busy_queues_init(struct busy_queues *q, const uint8_t hash_key[16])
{
    map_init(&q->map, KEY_SIZE, hash_key);
}

void busy_queues_close(struct busy_queues *q)
{
    ASSERT(q->map.count == 0);
    map_close(&q->map);
}

bool busy_queues_any(const struct busy_queues *q)
{
    return q->map.count > 0;
}

static struct busy_queue *find(const struct busy_queues *q,
                               const struct node_id *to)
{
    return q->map.count > 0 ? map_get(&q->map, to) : NULL;
}

static struct busy_queue *find_or_make(struct busy_queues *q,
                                       const struct node_id *to)
{
    struct busy_queue *one = find(q, to);

    if (one != NULL)
        return one;
    one = memory_new(sizeof *one);
    one->to = *to;
    map_put(&q->map, &one->to, one);
    return one;
}

static void free_if_empty(struct busy_queues *q, struct busy_queue *one)
{
    if (one->waiting.first != NULL)
        return;
    map_remove(&q->map, &one->to);
    free(one);
}

/* From the end: an owner that waits mostly added its last one not long ago. */
bool busy_queues_has_before(const struct busy_queues *q,
                            const struct operation *op)
{
    const struct busy_queue *one = find(q, &op->to);

    if (one == NULL)
        return false;
    for (const struct operation *w = one->waiting.last; w; w = w->previous)
        if (w->owner == op->owner)
            return true;
    return false;
}

void busy_queues_add(struct busy_queues *q, struct operation *op)
{
    operation_list_append(&find_or_make(q, &op->to)->waiting, op);
}

void busy_queues_remove(struct busy_queues *q, struct operation *op)
{
    struct busy_queue *one = find(q, &op->to);

    ASSERT(one != NULL);
    operation_list_remove(&one->waiting, op);
    free_if_empty(q, one);
}

/* An offer may remove others, and with the last one the queue: it is looked for
 * each time. */
void busy_queues_offer(struct busy_queues *q, const struct node_id *to,
                       bool (*offer)(void *context, struct operation *op),
                       void *context)
{
    struct busy_queue *one;

    while ((one = find(q, to)) != NULL) {
        struct operation *op = operation_list_take(&one->waiting);
        if (op == NULL) {
            free_if_empty(q, one);
        } else if (!offer(context, op)) {
            prepend(&find_or_make(q, to)->waiting, op);
            return;
        }
    }
}
