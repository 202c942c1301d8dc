/*
 * busy_queues - the operations that wait because their destination is busy.
 *
 * A destination is a peer, or all publications (the node id zero). There is a
 * queue for it only while something waits for it; each queue is in the order of
 * arrival.
 */
#ifndef EDGE_SHELL_BUSY_QUEUES_H
#define EDGE_SHELL_BUSY_QUEUES_H

#include "common/base/map.h"
#include "common/wire/ids.h"

struct operation; /* operations.h */

struct operation_list {
    struct operation *first, *last;
};
void operation_list_append(struct operation_list *list, struct operation *op);
void operation_list_remove(struct operation_list *list, struct operation *op);
/* The first, out of the list; NULL if the list is empty. */
struct operation *operation_list_take(struct operation_list *list);

struct busy_queues {
    struct map map; /* node_id -> struct busy_queue */
};

void busy_queues_init(struct busy_queues *q, const uint8_t hash_key[16]);
/* All queues are empty. */
void busy_queues_close(struct busy_queues *q);

/* Something waits, for whatever destination. */
bool busy_queues_any(const struct busy_queues *q);
/* An operation of the same owner waits for the same destination. */
bool busy_queues_has_before(const struct busy_queues *q,
                            const struct operation *op);
void busy_queues_add(struct busy_queues *q, struct operation *op);
void busy_queues_remove(struct busy_queues *q, struct operation *op);

/*
 * Offers the operations of one destination in their order, each out of its
 * queue, until `offer` returns false: that one goes back to the front. `offer`
 * may end the operation, and remove others.
 */
void busy_queues_offer(struct busy_queues *q, const struct node_id *to,
                       bool (*offer)(void *context, struct operation *op),
                       void *context);

#endif
