/*
 * operations - what local programs asked the node for, until its result.
 *
 * An operation (send, request, reply, publication, ping) goes through these
 * states, and has one result, which `ended` brings to its owner:
 *
 *     operations_start
 *      |  its destination is busy ----> WAITS --- READY ----.
 *      |                                                    |
 *      '---- the node accepts the message ------------------+
 *                                                           v
 *     ended <--- the node's report, or time is up ------ SUBMITTED
 *       ^                                                   |
 *       '------- the reply, or time is up <-- AWAITS_REPLY -'  (a request)
 *
 * A publication ends when the node accepts it. An operation that waits ends
 * when its peer leaves; an awaited reply too. Operations of one owner to one
 * destination keep their order.
 *
 * The local API has an owner for each client; the C library has one. The owner
 * allocates an operation as the first member of its own struct and frees it in
 * `ended`, or after operations_forget.
 */
#ifndef EDGE_SHELL_OPERATIONS_H
#define EDGE_SHELL_OPERATIONS_H

#include "common/base/heap.h"
#include "edge/shell/busy_queues.h"
#include "edge/shell/edge.h"
#include "edge/shell/open_requests.h"
#include "edge/shell/tickets.h"

enum operation_kind {
    OPERATION_SEND,
    OPERATION_REQUEST,
    OPERATION_REPLY,
    OPERATION_PUBLISH,
    OPERATION_PING,
};

enum operation_state {
    OPERATION_NEW,
    OPERATION_WAITS,        /* in a busy queue */
    OPERATION_SUBMITTED,    /* the node has it and will report */
    OPERATION_AWAITS_REPLY, /* the peer's node has the request */
};

enum operation_result {
    OPERATION_DONE, /* delivered, published, replied to, answered */
    OPERATION_UNKNOWN_PEER,
    OPERATION_UNKNOWN_REQUEST, /* a reply to a request that is not open */
    OPERATION_NOT_DELIVERED,
    OPERATION_PEER_RESTARTED,
    OPERATION_BUSY, /* and the owner does not want to wait */
    OPERATION_TOO_LARGE,
    OPERATION_TIMEOUT,
    OPERATION_NO_REPLY, /* the peer left before it replied */
    OPERATION_CANCELLED,
    OPERATION_CLOSED,
    OPERATION_NO_MEMORY,
};

/* The operations of one owner, from their start to their end. Zeroed at first.
 */
struct operation_owner {
    struct operation *first, *last; /* by age */
    size_t count;
    size_t bytes;  /* of all of them */
    size_t behind; /* of those that wait behind others */
};

struct operation {
    /* Set before the start: */
    enum operation_kind kind;
    bool wait;         /* while the destination is busy; else BUSY */
    struct node_id to; /* zero: a publication */
    struct message message;
    /* The message lasts only until operations_start returns, but for data that
     * lies behind the operation, within `size`. */
    bool borrowed;
    struct span timeout; /* 0: none */
    size_t size;         /* of memory, with the message */
    /* Of operations.c: */
    enum operation_state state;
    struct operation_owner *owner;
    struct operation *older, *younger; /* of the owner */
    struct operation *previous, *next; /* in a list */
    bool behind; /* it never was the first of its owner in the queue */
    void *kept;  /* the borrowed message of one that waits */
    uint32_t ticket;
    struct timer timer;
};

struct operation_end {
    enum operation_result result;
    enum node_path path; /* DONE, but for a publication */
    struct span rtt;     /* the same; < 0: unknown */
    uint32_t peers;      /* of a publication: the number of receivers */
    const struct node_peer *from; /* of a request: the peer and its reply */
    const struct message *reply;
};

struct operations {
    struct edge *edge;
    const struct edge_observer *observer;
    /* The operation has ended and is the callee's. */
    void (*ended)(void *context, struct operation *op,
                  const struct operation_end *end);
    /* The end of a message that was sent by operations_send. */
    void (*noted)(void *context, const struct ticket_note *note,
                  const struct operation_end *end);
    void *context;
    struct tickets tickets;
    struct busy_queues busy;
    struct open_requests open;
    struct map requests; /* reference -> operation, from its start to its end */
    struct heap deadlines;
    uv_timer_t timer;
    uint64_t last_reference;
};

/* `edge` and the callbacks are to be set before the first operation. */
void operations_init(struct operations *o);
/* All operations have ended, and the loop has closed `timer`. */
void operations_close(struct operations *o);

/* The operation is the module's until its end, which may come before this
 * returns. */
void operations_start(struct operations *o, struct operation_owner *owner,
                      struct operation *op);
/* Ends it. */
void operations_end(struct operations *o, struct operation *op,
                    enum operation_result result);
/* Ends it without a call; the caller frees it. What the node has goes on. */
void operations_forget(struct operations *o, struct operation *op);
/* Ends all operations of the owner, and all noted messages: requests whose
 * reply is awaited as CLOSED (or NO_MEMORY, if the others end so), the others
 * as `result`. */
void operations_end_all(struct operations *o, struct operation_owner *owner,
                        enum operation_result result);

/*
 * Sends a message that needs no operation, as the node accepts it at once, and
 * nothing waits. `note` comes back by `noted` when the message was reported on;
 * NULL: nobody wants to know. False: the node refused it, and nothing follows.
 */
bool operations_send(struct operations *o, const struct node_id *to,
                     const struct message *m,
                     const struct ticket_note *note) MUST_USE;

/* The owner's observer passes these on. */
void operations_reported(struct operations *o, struct node_ref ref,
                         enum node_outcome outcome, enum node_path path,
                         struct span rtt);
void operations_ready(struct operations *o, const struct node_id *peer);
void operations_replied(struct operations *o, const struct node_peer *peer,
                        const struct message *reply);
void operations_peer_left(struct operations *o, const struct node_id *peer);

#endif
