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
        n->tickets.list[op->ticket].op = NULL; /* Its report is nobody's. */
    else if (op->place == OP_PEER_BUSY)
        busy_queues_remove(n, op);
    if (op->kind == OP_REQUEST &&
        map_get(&n->requests, &op->message.reference) == op)
        map_remove(&n->requests, &op->message.reference);
    if (has_time(op))
        heap_remove(&n->deadlines, &op->timer);
}

/* What it took of the queue is free; who was refused may be told. */
static void give_back(struct zs_node *n, size_t size)
{
    if (queue_quota_give_back(n, size) && n->on.on_ready != NULL)
        n->on.on_ready(n->on.context, n);
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
    give_back(n, op->size);
    free(op);
}

void ops_fail(struct zs_node *n, struct op *op, enum zs_error error)
{
    end(n, op, (struct zs_delivery){.error = error, .rtt_us = -1}, NULL);
}

/* ---- The beginning */

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

/* False: there is no memory. */
static bool submitted(struct zs_node *n, struct op *op, struct node_ref *ref)
{
    if (!ticket_take(&n->tickets, &(struct ticket){.op = op}, &op->ticket))
        return false;
    op->place = OP_SUBMITTED;
    *ref = edge_ref_named(n->edge, &n->observer, op->ticket);
    return true;
}

static bool publish_one(struct zs_node *n, struct op *op,
                        enum node_outcome *why)
{
    uint32_t peers;

    if (!edge_publish(n->edge, &op->message, &peers, why))
        return false;
    end(n, op,
        (struct zs_delivery){.error = ZS_OK, .rtt_us = -1, .peers = peers},
        NULL);
    return true;
}

static bool send_one(struct zs_node *n, struct op *op, enum node_outcome *why)
{
    struct node_ref ref;

    *why = OUTCOME_BUSY; /* It waits for the node's end. */
    if (!submitted(n, op, &ref))
        return false;
    if (edge_send(n->edge, ref, &op->to_id, &op->message, why))
        return true;
    (void)ticket_return(&n->tickets, op->ticket);
    op->place = OP_POSTED;
    return false;
}

/* It measures the way, not what waits: its report comes in any case. */
static void ping_one(struct zs_node *n, struct op *op)
{
    struct node_ref ref;

    if (submitted(n, op, &ref))
        edge_event(n->edge,
                   &(struct node_event){.kind = NODE_PING,
                                        .ping = {.ref = ref, .to = op->to_id}});
    else
        ops_fail(n, op, ZS_NO_MEMORY);
}

bool ops_submit(struct zs_node *n, struct op *op)
{
    enum node_outcome why;

    op->place = OP_POSTED;
    if (op->kind == OP_PUBLISH ? publish_one(n, op, &why)
                               : send_one(n, op, &why))
        return true;
    if (why == OUTCOME_BUSY)
        return false;
    /* A reply that never went leaves its request open. */
    if (op->kind == OP_REPLY && why == OUTCOME_TOO_LARGE)
        open_requests_add(n, &op->to_id, op->message.reference);
    ops_fail(n, op, error_of(why));
    return true;
}

void ops_start(struct zs_node *n, struct op *op)
{
    if (!memory_is_sound()) {
        ops_fail(n, op, ZS_NO_MEMORY);
        return;
    }
    if (op->kind == OP_REPLY) {
        if (!open_requests_take(n, &op->to_id, op->message.reference)) {
            ops_fail(n, op, ZS_UNKNOWN_REQUEST);
            return;
        }
    } else if (op->kind != OP_PUBLISH &&
               !ops_find_peer(n, op->to, &op->to_id)) {
        ops_fail(n, op, ZS_UNKNOWN_PEER);
        return;
    }
    if (op->kind == OP_REQUEST)
        start_request(n, op);
    if (has_time(op))
        start_time(n, op);
    if (op->kind == OP_PING)
        ping_one(n, op);
    else if (!busy_queues_join(n, op) && !ops_submit(n, op))
        busy_queues_open(n, op);
}

/* ---- What becomes of it */

static void report_op(struct zs_node *n, struct op *op,
                      const struct zs_delivery *delivery)
{
    op->place = OP_DELIVERED;
    if (delivery->error != ZS_OK || op->kind != OP_REQUEST)
        end(n, op, *delivery, NULL);
}

static void settle(struct zs_node *n, uint32_t name,
                   const struct zs_delivery *delivery)
{
    struct ticket ticket = ticket_return(&n->tickets, name);

    if (ticket.op != NULL) {
        report_op(n, ticket.op, delivery);
        return;
    }
    if (ticket.delivered != NULL)
        ticket.delivered(ticket.context, delivery);
    if (ticket.size > 0)
        give_back(n, ticket.size);
}

void ops_report(struct zs_node *n, struct node_ref ref,
                enum node_outcome outcome, enum node_path path, struct span rtt)
{
    settle(n, (uint32_t)edge_ref_name(ref),
           &(struct zs_delivery){.node = n,
                                 .error = error_of(outcome),
                                 .path = callbacks_path(path),
                                 .rtt_us = rtt.us});
}

void ops_replied(struct zs_node *n, const struct node_peer *peer,
                 const struct message *message)
{
    struct op *op = map_get(&n->requests, &message->reference);
    struct callback_message told;

    if (op == NULL || !node_id_equal(&op->to_id, &peer->id))
        return; /* Too late, or never asked. */
    callbacks_message(n, peer, message, &told);
    end(n, op, (struct zs_delivery){.error = ZS_OK, .rtt_us = -1},
        &told.message);
}

/* What the node took is settled by the node. */
void ops_peer_left(struct zs_node *n, const struct node_id *peer)
{
    size_t cursor = 0;
    struct op *op;

    n->cached_to[0] = '\0';
    busy_queues_peer_left(n, peer);
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
    const struct zs_delivery not_delivered = {
        .node = n,
        .error = n->starved ? ZS_NO_MEMORY : ZS_NOT_DELIVERED,
        .rtt_us = -1};
    size_t cursor = 0;
    struct op *op;

    busy_queues_fail(n, not_delivered.error);
    for (uint32_t i = 0; i < n->tickets.count; i++)
        if (n->tickets.list[i].used)
            settle(n, i, &not_delivered);
    while ((op = map_next(&n->requests, &cursor)) != NULL)
        ops_fail(n, op, node_ending(n));
}
