#include "edge/lib/lib_node.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- The end of one */

static bool has_time(const struct op *op)
{
    return op->kind == OP_REQUEST || op->kind == OP_PING;
}

static void unlink_op(struct zs_node *n, struct op *op)
{
    if (op->place == OP_SUBMITTED)
        map_remove(&n->refs, &op->ref.value);
    else if (op->place == OP_LANE)
        lanes_remove(n, op);
    if (op->kind == OP_REQUEST &&
        map_get(&n->requests, &op->message.reference) == op)
        map_remove(&n->requests, &op->message.reference);
    if (has_time(op))
        heap_remove(&n->deadlines, &op->timer);
}

/* What it took of the queue is free; who was refused may be told. */
static bool give_back(struct zs_node *n, const struct op *op)
{
    bool tell = false;

    pthread_mutex_lock(&n->mutex);
    n->ops--;
    n->bytes -= op->size;
    if (n->ops <= QUEUE_OPS / 2 && n->bytes <= QUEUE_BYTES / 2) {
        pthread_cond_broadcast(&n->room);
        tell = n->refused && !n->stopping;
        n->refused = false;
    }
    pthread_mutex_unlock(&n->mutex);
    return tell;
}

static void end(struct zs_node *n, struct op *op, struct zs_delivery delivery,
                const struct zs_message *reply)
{
    unlink_op(n, op);
    delivery.node = n;
    if (op->replied != NULL)
        op->replied(op->context, delivery.error, reply);
    else if (op->delivered != NULL)
        op->delivered(op->context, &delivery);
    if (give_back(n, op) && n->on.on_ready != NULL)
        n->on.on_ready(n->on.context, n);
    free(op);
}

void ops_fail(struct zs_node *n, struct op *op, enum zs_error error)
{
    end(n, op, (struct zs_delivery){.error = error, .rtt_us = -1}, NULL);
}

/* ---- The beginning */

static bool find_peer(struct zs_node *n, struct op *op)
{
    struct node_peer peer;

    if (strcmp(op->to, n->cached_to) != 0) {
        if (!node_peer_find(edge_node(n->edge), op->to, &peer))
            return false;
        strcpy(n->cached_to, op->to);
        n->cached_id = peer.id;
    }
    op->to_id = n->cached_id;
    return true;
}

static void on_timer(uv_timer_t *timer)
{
    ops_timeouts(timer->data);
}

static void arm(struct zs_node *n)
{
    struct instant deadline = heap_deadline(&n->deadlines);

    if (instant_is_never(deadline)) {
        uv_timer_stop(&n->timeouts);
        return;
    }
    struct span left = instant_between(edge_now(n->edge), deadline);
    uv_update_time(&n->loop);
    uv_timer_start(&n->timeouts, on_timer,
                   left.us > 0 ? (uint64_t)left.us / 1000 + 1 : 1, 0);
}

static void start_time(struct zs_node *n, struct op *op)
{
    op->timer.owner = op;
    heap_set(&n->deadlines, &op->timer,
             instant_after(edge_now(n->edge), op->timeout));
    if (heap_deadline(&n->deadlines).us == op->timer.at.us)
        arm(n);
}

static void start_request(struct zs_node *n, struct op *op)
{
    op->message.reference = ++n->last_reference;
    map_put(&n->requests, &op->message.reference, op);
}

static enum node_event_kind event_of(enum op_kind kind)
{
    if (kind == OP_PUBLISH)
        return NODE_PUBLISH;
    return kind == OP_PING ? NODE_PING : NODE_SUBMIT;
}

void ops_submit(struct zs_node *n, struct op *op)
{
    op->ref = edge_ref(n->edge, &n->observer);
    op->place = OP_SUBMITTED;
    map_put(&n->refs, &op->ref.value, op);
    edge_submit(n->edge,
                &(struct node_event){.kind = event_of(op->kind),
                                     .submit = {.ref = op->ref,
                                                .to = op->to_id,
                                                .message = op->message}});
}

void ops_start(struct zs_node *n, struct op *op)
{
    if (op->kind == OP_REPLY) {
        if (!askers_take(n, &op->to_id, op->message.reference)) {
            ops_fail(n, op, ZS_UNKNOWN_REQUEST);
            return;
        }
    } else if (op->kind != OP_PUBLISH && !find_peer(n, op)) {
        ops_fail(n, op, ZS_UNKNOWN_PEER);
        return;
    }
    if (op->kind == OP_REQUEST)
        start_request(n, op);
    if (has_time(op))
        start_time(n, op);
    /* A ping measures the way, not what waits. */
    if (op->kind == OP_PING || !lanes_join(n, op))
        ops_submit(n, op);
}

/* ---- What becomes of it */

static enum zs_error error_of(enum node_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_DELIVERED:
        return ZS_OK;
    case OUTCOME_UNKNOWN_PEER:
        return ZS_UNKNOWN_PEER;
    case OUTCOME_NOT_DELIVERED:
        return ZS_NOT_DELIVERED;
    case OUTCOME_PEER_RESTARTED:
        return ZS_PEER_RESTARTED;
    case OUTCOME_BUSY:
        return ZS_BUSY;
    case OUTCOME_TOO_LARGE:
        return ZS_TOO_LARGE;
    }
    return ZS_NOT_DELIVERED;
}

void ops_report(struct zs_node *n, struct node_ref ref,
                enum node_outcome outcome, enum node_path path, struct span rtt,
                uint32_t peers)
{
    struct op *op = map_remove(&n->refs, &ref.value);

    if (op == NULL)
        return; /* Its time was up, or its reply came before. */
    op->place = OP_POSTED;
    if (outcome == OUTCOME_BUSY && op->kind != OP_PING) {
        lanes_busy(n, op);
    } else if (outcome == OUTCOME_DELIVERED && op->kind == OP_REQUEST) {
        op->place = OP_DELIVERED;
    } else {
        /* A reply that never went leaves its request open. */
        if (op->kind == OP_REPLY && outcome == OUTCOME_TOO_LARGE)
            askers_add(n, &op->to_id, op->message.reference);
        end(n, op,
            (struct zs_delivery){.error = error_of(outcome),
                                 .path = tell_path(path),
                                 .rtt_us = rtt.us,
                                 .peers = peers},
            NULL);
    }
}

void ops_replied(struct zs_node *n, const struct node_peer *peer,
                 const struct message *message)
{
    struct op *op = map_get(&n->requests, &message->reference);
    struct told told;

    if (op == NULL || !node_id_equal(&op->to_id, &peer->id))
        return; /* Too late, or never asked. */
    tell_message(n, peer, message, &told);
    end(n, op, (struct zs_delivery){.error = ZS_OK, .rtt_us = -1},
        &told.message);
}

/* What the node took is settled by the node. */
void ops_peer_left(struct zs_node *n, const struct node_id *peer)
{
    size_t cursor = 0;
    struct op *op;

    n->cached_to[0] = '\0';
    lanes_peer_left(n, peer);
    while ((op = map_next(&n->requests, &cursor)) != NULL)
        if (op->place == OP_DELIVERED && node_id_equal(&op->to_id, peer))
            ops_fail(n, op, ZS_TIMEOUT);
}

void ops_timeouts(struct zs_node *n)
{
    struct timer *due;

    while ((due = heap_due(&n->deadlines, edge_now(n->edge))) != NULL)
        ops_fail(n, due->owner, ZS_TIMEOUT);
    arm(n);
}

void ops_close(struct zs_node *n)
{
    size_t cursor = 0;
    struct op *op;

    lanes_fail(n, ZS_NOT_DELIVERED);
    while ((op = map_next(&n->refs, &cursor)) != NULL)
        ops_fail(n, op, ZS_NOT_DELIVERED);
    cursor = 0;
    while ((op = map_next(&n->requests, &cursor)) != NULL)
        ops_fail(n, op, ZS_CLOSED);
}
