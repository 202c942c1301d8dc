#include "edge/shell/operations.h"

#include "common/base/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const struct node_id publications = {{0}};

void operations_init(struct operations *o)
{
    uint8_t key[16];

    *o = (struct operations){0};
    randombytes_buf(key, sizeof key);
    randombytes_buf(&o->last_reference, sizeof o->last_reference);
    tickets_init(&o->tickets);
    busy_queues_init(&o->busy, key);
    open_requests_init(&o->open, key);
    map_init(&o->requests, sizeof(uint64_t), key);
}

void operations_close(struct operations *o)
{
    tickets_close(&o->tickets);
    busy_queues_close(&o->busy);
    open_requests_close(&o->open);
    map_close(&o->requests);
    heap_close(&o->deadlines);
}

/* ---- The owner's list */

static void enlist(struct operation_owner *owner, struct operation *op)
{
    op->owner = owner;
    op->older = owner->last;
    op->younger = NULL;
    if (owner->last != NULL)
        owner->last->younger = op;
    else
        owner->first = op;
    owner->last = op;
    owner->count++;
    owner->bytes += op->size;
}

static void delist(struct operation *op)
{
    struct operation_owner *owner = op->owner;

    if (op->older != NULL)
        op->older->younger = op->younger;
    else
        owner->first = op->younger;
    if (op->younger != NULL)
        op->younger->older = op->older;
    else
        owner->last = op->older;
    owner->count--;
    owner->bytes -= op->size;
}

/* ---- Time */

static void arm(struct operations *o);

static void on_timer(uv_timer_t *timer)
{
    struct operations *o = timer->data;
    struct timer *due;

    while ((due = heap_due(&o->deadlines, edge_now(o->edge))) != NULL)
        operations_end(o, due->owner, OPERATION_TIMEOUT);
    arm(o);
}

static void arm(struct operations *o)
{
    struct instant deadline = heap_deadline(&o->deadlines);

    if (instant_is_never(deadline)) {
        uv_timer_stop(&o->timer);
        return;
    }
    struct span left = instant_between(edge_now(o->edge), deadline);
    uv_update_time(o->timer.loop);
    uv_timer_start(&o->timer, on_timer,
                   left.us > 0 ? (uint64_t)left.us / 1000 + 1 : 1, 0);
}

static void start_time(struct operations *o, struct operation *op)
{
    if (op->timeout.us == 0)
        return;
    op->timer.owner = op;
    heap_set(&o->deadlines, &op->timer,
             instant_after(edge_now(o->edge), op->timeout));
    if (heap_deadline(&o->deadlines).us == op->timer.at.us)
        arm(o);
}

/* ---- Waiting */

static struct bytes keep(uint8_t **at, struct bytes bytes)
{
    struct bytes kept = bytes_of(*at, bytes.size);

    if (bytes.size > 0)
        memcpy(*at, bytes.data, bytes.size);
    *at += bytes.size;
    return kept;
}

/* Data that the owner has put behind the operation itself (it was decoded)
 * stays there. */
static bool is_own(const struct operation *op, struct bytes data)
{
    const uint8_t *begin = (const uint8_t *)op;

    return data.data >= begin && data.data < begin + op->size;
}

static void keep_message(struct operation *op)
{
    struct message *m = &op->message;
    bool own = is_own(op, m->data);
    size_t size = m->type.size + m->group.size + (own ? 0 : m->data.size);
    uint8_t *at = op->kept = memory_resize(NULL, size, 1);

    m->type = keep(&at, m->type);
    m->group = keep(&at, m->group);
    if (!own)
        m->data = keep(&at, m->data);
    op->borrowed = false;
    op->size += size;
    op->owner->bytes += size;
}

static void wait_in_queue(struct operations *o, struct operation *op,
                          bool behind)
{
    if (op->borrowed)
        keep_message(op);
    op->state = OPERATION_WAITS;
    op->behind = behind;
    if (behind)
        op->owner->behind += op->size;
    busy_queues_add(&o->busy, op);
}

/* It is out of the queue. */
static void waits_no_more(struct operation *op)
{
    op->state = OPERATION_NEW;
    if (op->behind)
        op->owner->behind -= op->size;
    op->behind = false;
}

/* ---- The end */

static void detach(struct operations *o, struct operation *op)
{
    if (op->state == OPERATION_SUBMITTED) {
        o->tickets.list[op->ticket].op = NULL; /* The report goes nowhere. */
    } else if (op->state == OPERATION_WAITS) {
        busy_queues_remove(&o->busy, op);
        waits_no_more(op);
    }
    if (op->kind == OPERATION_REQUEST)
        map_remove(&o->requests, &op->message.reference);
    if (op->timer.place != 0)
        heap_remove(&o->deadlines, &op->timer);
    delist(op);
    free(op->kept);
    op->kept = NULL;
}

/* A reply that the node never accepted leaves its request open, if the peer is
 * still there and may get another reply. */
static void reopen(struct operations *o, const struct operation *op,
                   enum operation_result result)
{
    bool untried = op->state == OPERATION_NEW || op->state == OPERATION_WAITS;
    bool may_try_again =
        result == OPERATION_BUSY || result == OPERATION_TOO_LARGE ||
        result == OPERATION_TIMEOUT || result == OPERATION_CANCELLED;

    if (op->kind == OPERATION_REPLY && untried && may_try_again)
        open_requests_add(&o->open, &op->to, op->message.reference);
}

static void end(struct operations *o, struct operation *op,
                const struct operation_end *how)
{
    reopen(o, op, how->result);
    detach(o, op);
    o->ended(o->context, op, how);
}

void operations_end(struct operations *o, struct operation *op,
                    enum operation_result result)
{
    end(o, op, &(struct operation_end){.result = result, .rtt = {-1}});
}

void operations_forget(struct operations *o, struct operation *op)
{
    reopen(o, op, OPERATION_CANCELLED);
    detach(o, op);
}

static void tell_note(struct operations *o, const struct ticket_note *note,
                      const struct operation_end *how)
{
    if (note->callback != NULL || note->size > 0)
        o->noted(o->context, note, how);
}

void operations_end_all(struct operations *o, struct operation_owner *owner,
                        enum operation_result result)
{
    const struct operation_end how = {.result = result, .rtt = {-1}};
    enum operation_result closed =
        result == OPERATION_NO_MEMORY ? OPERATION_NO_MEMORY : OPERATION_CLOSED;

    while (owner->first != NULL)
        operations_end(o, owner->first,
                       owner->first->state == OPERATION_AWAITS_REPLY ? closed
                                                                     : result);
    for (uint32_t i = 0; i < o->tickets.count; i++) {
        if (o->tickets.list[i].used) {
            struct ticket ticket = tickets_return(&o->tickets, i);
            tell_note(o, &ticket.note, &how);
        }
    }
}

/* ---- To the node */

static enum operation_result result_of(enum node_outcome outcome)
{
    switch (outcome) {
    case OUTCOME_DELIVERED:
        return OPERATION_DONE;
    case OUTCOME_UNKNOWN_PEER:
        return OPERATION_UNKNOWN_PEER;
    case OUTCOME_NOT_DELIVERED:
        return OPERATION_NOT_DELIVERED;
    case OUTCOME_PEER_RESTARTED:
        return OPERATION_PEER_RESTARTED;
    case OUTCOME_BUSY:
        return OPERATION_BUSY;
    case OUTCOME_TOO_LARGE:
        return OPERATION_TOO_LARGE;
    }
    return OPERATION_NOT_DELIVERED;
}

/* False: there is no memory. */
static bool take_ticket(struct operations *o, struct operation *op,
                        struct node_ref *ref)
{
    if (!tickets_take(&o->tickets, op, NULL, &op->ticket))
        return false;
    op->state = OPERATION_SUBMITTED;
    *ref = edge_ref(o->edge, o->observer, op->ticket);
    return true;
}

static bool send_one(struct operations *o, struct operation *op,
                     enum node_outcome *why)
{
    struct node_ref ref;

    *why = OUTCOME_BUSY; /* Without memory it waits for the node's end. */
    if (!take_ticket(o, op, &ref))
        return false;
    if (edge_send(o->edge, ref, &op->to, &op->message, why))
        return true;
    (void)tickets_return(&o->tickets, op->ticket);
    op->state = OPERATION_NEW;
    return false;
}

static bool publish_one(struct operations *o, struct operation *op,
                        enum node_outcome *why)
{
    uint32_t peers;

    if (!edge_publish(o->edge, &op->message, &peers, why))
        return false;
    end(o, op, &(struct operation_end){.rtt = {-1}, .peers = peers});
    return true;
}

/* It measures the path, and does not wait behind messages. */
static void ping_one(struct operations *o, struct operation *op)
{
    struct node_ref ref;

    if (take_ticket(o, op, &ref))
        edge_event(o->edge,
                   &(struct node_event){.kind = NODE_PING,
                                        .ping = {.ref = ref, .to = op->to}});
    else
        operations_end(o, op, OPERATION_NO_MEMORY);
}

/* False: the destination is busy. True: the node has it, or it ended. */
static bool submit(struct operations *o, struct operation *op)
{
    enum node_outcome why;

    if (op->kind == OPERATION_PUBLISH ? publish_one(o, op, &why)
                                      : send_one(o, op, &why))
        return true;
    if (why == OUTCOME_BUSY)
        return false;
    operations_end(o, op, result_of(why));
    return true;
}

static void start_message(struct operations *o, struct operation *op)
{
    bool behind = busy_queues_has_before(&o->busy, op);

    if (!behind && submit(o, op))
        return;
    if (op->wait)
        wait_in_queue(o, op, behind);
    else
        operations_end(o, op, OPERATION_BUSY);
}

void operations_start(struct operations *o, struct operation_owner *owner,
                      struct operation *op)
{
    enlist(owner, op);
    if (op->kind == OPERATION_REPLY &&
        !open_requests_take(&o->open, &op->to, op->message.reference)) {
        operations_end(o, op, OPERATION_UNKNOWN_REQUEST);
        return;
    }
    if (op->kind == OPERATION_REQUEST) {
        op->message.reference = ++o->last_reference;
        map_put(&o->requests, &op->message.reference, op);
    }
    start_time(o, op);
    if (op->kind == OPERATION_PING)
        ping_one(o, op);
    else
        start_message(o, op);
}

bool operations_send(struct operations *o, const struct node_id *to,
                     const struct message *m, const struct ticket_note *note)
{
    struct node_ref ref = {0};
    enum node_outcome why;
    uint32_t ticket;

    if (note == NULL)
        return edge_send(o->edge, ref, to, m, &why);
    if (!tickets_take(&o->tickets, NULL, note, &ticket))
        return false;
    if (edge_send(o->edge, edge_ref(o->edge, o->observer, ticket), to, m, &why))
        return true;
    (void)tickets_return(&o->tickets, ticket);
    return false;
}

/* ---- What happens to it */

void operations_reported(struct operations *o, struct node_ref ref,
                         enum node_outcome outcome, enum node_path path,
                         struct span rtt)
{
    const struct operation_end how = {
        .result = result_of(outcome), .path = path, .rtt = rtt};
    struct ticket ticket =
        tickets_return(&o->tickets, (uint32_t)edge_ref_name(ref));
    struct operation *op = ticket.op;

    if (op == NULL) {
        tell_note(o, &ticket.note, &how);
        return;
    }
    op->state = OPERATION_AWAITS_REPLY;
    if (how.result != OPERATION_DONE || op->kind != OPERATION_REQUEST)
        end(o, op, &how);
}

static bool offer(void *context, struct operation *op)
{
    waits_no_more(op);
    if (submit(context, op))
        return true;
    op->state = OPERATION_WAITS;
    return false;
}

void operations_ready(struct operations *o, const struct node_id *peer)
{
    busy_queues_offer(&o->busy, peer, offer, o);
    if (!node_id_equal(peer, &publications))
        busy_queues_offer(&o->busy, &publications, offer, o);
}

void operations_replied(struct operations *o, const struct node_peer *peer,
                        const struct message *reply)
{
    struct operation *op = map_get(&o->requests, &reply->reference);

    if (op != NULL && node_id_equal(&op->to, &peer->id))
        end(o, op,
            &(struct operation_end){.rtt = {-1}, .from = peer, .reply = reply});
}

static bool lose(void *context, struct operation *op)
{
    waits_no_more(op);
    operations_end(context, op, OPERATION_NOT_DELIVERED);
    return true;
}

/* The node reports on what it has. */
void operations_peer_left(struct operations *o, const struct node_id *peer)
{
    struct operation *op;
    size_t cursor = 0;

    busy_queues_offer(&o->busy, peer, lose, o);
    /* They need not wait for this peer any more. */
    busy_queues_offer(&o->busy, &publications, offer, o);
    while ((op = map_next(&o->requests, &cursor)) != NULL)
        if (op->state == OPERATION_AWAITS_REPLY && node_id_equal(&op->to, peer))
            operations_end(o, op, OPERATION_NO_REPLY);
    open_requests_peer_left(&o->open, peer);
}
