/*
 * lib_node - what the parts of the library share; for edge/lib only.
 *
 * zs_options.c  settings, and what is wrong with them
 * lib_node.c    a node is opened, run and closed
 * api_calls.c      what any thread hands in: checked, and given to the node at
 *               once where that can be, else copied and queued
 * queue_quota.c        how much of the queue is taken
 * ops.c         on the loop: each operation until its callback was told
 * tickets.c     what the node has and will report on
 * busy_queues.c       what waits for a peer that takes no more
 * open_requests.c      requests of peers that nobody has replied to yet
 * directory.c   who is there, for every thread
 * relays.c      the same of relays
 * callbacks.c        what happens becomes callbacks
 * enum_names.c, data.c  names, texts, data
 *
 * Callers' threads touch only what stands under `mutex` or is atomic; all else
 * is the loop's. No callback is called with the mutex held.
 */
#ifndef EDGE_LIB_LIB_NODE_H
#define EDGE_LIB_LIB_NODE_H

#include "edge/lib/zs_options.h"

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/memory.h"
#include "common/conf/revoked.h"
#include "common/io/log.h"
#include "edge/shell/edge.h"
#include "edge/shell/revocations.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    QUEUE_OPS = 64 * 1024,
    QUEUE_BYTES = 64 * 1024 * 1024,
    /* What the node keeps for a peer, beyond one window, need not be copied
     * twice: it waits there, and not in a lane. */
    MORE_WINDOWS = 3,
    OPEN_REQUESTS = 64 * 1024, /* the oldest is forgotten then */
    TIMEOUT_MS = 5000,         /* of requests */
    DRAIN_MS = 500,            /* for what waits, before the node leaves */
    CLOSE_MS = 2000,           /* until a thread is left to end by itself */
    RELAY_ERROR_SIZE = 64,
    TO_SIZE = 2 * KEY_SIZE + 1,
};

enum op_kind { OP_SEND, OP_REQUEST, OP_REPLY, OP_PUBLISH, OP_PING };

enum op_place {
    OP_POSTED,    /* in the node's queue, or on its way from there */
    OP_PEER_BUSY, /* its peer takes no more */
    OP_SUBMITTED, /* the node has it */
    OP_DELIVERED, /* a request: its reply is awaited */
};

/* Something that was accepted, and whose callback is not told yet. */
struct op {
    struct op *previous, *next; /* in the queue, or in a lane's list */
    enum op_kind kind;
    enum op_place place;
    char to[TO_SIZE];
    struct node_id to_id; /* zero: a publication */
    struct message message;
    zs_delivered *delivered;
    zs_replied *replied;
    void *context;
    struct span timeout;
    struct timer timer; /* of a request or ping */
    uint32_t ticket;    /* while it is SUBMITTED */
    size_t size;
    uint8_t room[]; /* what `message` looks into */
};

/* Something that the node has, and will report on by the ticket's index. */
struct ticket {
    bool used;
    uint32_t next;
    uint32_t size; /* that it takes of the queue */
    struct op *op; /* NULL: it went straight to the node, or nobody asks */
    zs_delivered *delivered;
    void *context;
};

struct tickets {
    struct ticket *list;
    uint32_t count;
    uint32_t free;
};
void tickets_init(struct tickets *t);
void tickets_close(struct tickets *t);
/* False: there is no memory. */
bool ticket_take(struct tickets *t, const struct ticket *ticket,
                 uint32_t *name) MUST_USE;
struct ticket ticket_return(struct tickets *t, uint32_t name);

struct op_list {
    struct op *first, *last;
};
void list_append(struct op_list *list, struct op *op);
void list_remove(struct op_list *list, struct op *op);
struct op *list_take(struct op_list *list);

struct group_names {
    size_t count;
    char names[ANNOUNCEMENT_GROUPS][NAME_MAX_SIZE + 1];
};

/* A relay as it is told, with room for its texts. */
struct relay_row {
    struct zs_relay relay; /* its texts point to nowhere, but for a copy's */
    char url[RELAY_URL_SIZE];
    char name[NAME_MAX_SIZE + 1];
    char error[RELAY_ERROR_SIZE];
    char outside[ADDRESS_TEXT_SIZE];
};

enum stage { STAGE_OPEN, STAGE_DRAINING, STAGE_LEAVING, STAGE_STOPPED };

struct zs_node {
    unsigned forks; /* of the process that opened it: see forks.h */
    struct zs_options *options;
    struct zs_callbacks on;
    struct log_sink sink;
    char id[2 * KEY_SIZE + 1];
    char name[NAME_MAX_SIZE + 1];
    char *revoked_path;    /* "": nowhere */
    struct keeper *keeper; /* of revocation lists */

    /* What is accepted and not settled: see queue_quota.c. */
    _Atomic uint64_t taken;
    atomic_bool crowded; /* somebody waits for room, or was refused */
    atomic_bool stopping;
    /* Of the loop's thread. Once it cannot be filled again the node ends. */
    struct reserve *reserve;
    atomic_bool starved;
    _Atomic(const void *) owner; /* a mark of the thread that runs the loop */

    pthread_mutex_t mutex;
    pthread_cond_t room;     /* the queue has some again, or the end began */
    pthread_cond_t finished; /* the thread has */
    struct op_list posted;
    bool refused; /* somebody was told ZS_BUSY */
    bool deaf;    /* the async is being closed */
    bool groups_changed;
    struct group_names groups;
    struct map directory; /* node_id -> struct zs_peer, a block */
    struct relay_row relays[NODE_RELAYS];
    size_t relay_count;
    bool ended;
    bool orphan; /* frees itself */

    uv_loop_t loop;
    bool has_loop;
    uv_async_t async;
    uv_timer_t timeouts;
    uv_timer_t clock; /* refreshes the directory; then ticks while draining */
    uv_check_t watch; /* looks each round whether there is memory */
    bool threaded;
    bool processed; /* once at least */
    pthread_t thread;
    struct edge *edge;
    struct node_lock *lock;
    struct edge_observer observer;
    enum stage stage;
    unsigned drained_ms;
    struct tickets tickets;
    size_t own_posted;        /* by the loop's thread, and not started */
    bool starting;            /* what was posted is being started */
    struct map requests;      /* reference -> op */
    struct map busy_queues;   /* node_id -> struct busy_queue */
    struct map open_requests; /* see open_requests.c */
    struct open_request *oldest_request, *newest_request;
    struct heap deadlines;
    uint64_t last_reference;
    char cached_to[TO_SIZE]; /* one sender mostly names one peer */
    struct node_id cached_id;
    struct node_id told_id; /* of who spoke last, and as text */
    char told_from[2 * KEY_SIZE + 1];
};

/* lib_node.c */
/* This process was forked from the one that has the node: nothing of it may be
 * touched, its mutex may be held for ever. */
bool node_is_parents(const struct zs_node *n);
/* This thread runs the node's loop now: it may not wait for it. */
bool node_runs_here(const struct zs_node *n);
/* This thread is the one that runs the loop, within a callback or not. */
bool node_is_mine(const struct zs_node *n);
/* With the mutex held, or on the loop. */
void node_wake(struct zs_node *n);
/* What those are told who come when it ends: ZS_CLOSED or ZS_NO_MEMORY. */
enum zs_error node_ending(const struct zs_node *n);

/* queue_quota.c: ZS_OK, and it is taken; ZS_BUSY, ZS_CLOSED. Who may wait,
 * does. */
enum zs_error queue_quota_take(struct zs_node *n, size_t size) MUST_USE;
/* On the loop. True: those who were refused are to be told. */
bool queue_quota_give_back(struct zs_node *n, size_t size);

/* ops.c */
bool ops_find_peer(struct zs_node *n, const char *to,
                   struct node_id *id) MUST_USE;
void ops_start(struct zs_node *n, struct op *op);
/* False: the peer is busy, and the operation is still the caller's. */
bool ops_submit(struct zs_node *n, struct op *op) MUST_USE;
void ops_report(struct zs_node *n, struct node_ref ref,
                enum node_outcome outcome, enum node_path path,
                struct span rtt);
void ops_replied(struct zs_node *n, const struct node_peer *peer,
                 const struct message *message);
void ops_peer_left(struct zs_node *n, const struct node_id *peer);
void ops_timeouts(struct zs_node *n);
/* Ends it: its callback is told, and it is freed. */
void ops_fail(struct zs_node *n, struct op *op, enum zs_error error);
/* All of them, at the end. */
void ops_close(struct zs_node *n);

/* busy_queues.c: false if nothing waits for this peer. */
bool busy_queues_join(struct zs_node *n, struct op *op) MUST_USE;
/* The first that waits for it. */
void busy_queues_open(struct zs_node *n, struct op *op);
void busy_queues_remove(struct zs_node *n, struct op *op);
void busy_queues_ready(struct zs_node *n, const struct node_id *peer);
void busy_queues_peer_left(struct zs_node *n, const struct node_id *peer);
void busy_queues_fail(struct zs_node *n, enum zs_error error);

/* open_requests.c */
void open_requests_add(struct zs_node *n, const struct node_id *from,
                       uint64_t reference);
bool open_requests_take(struct zs_node *n, const struct node_id *from,
                        uint64_t reference) MUST_USE;
void open_requests_peer_left(struct zs_node *n, const struct node_id *peer);
void open_requests_close(struct zs_node *n);

/* directory.c: what it returns is valid until the next change. */
const struct zs_peer *directory_put(struct zs_node *n,
                                    const struct node_peer *peer);
const struct zs_peer *directory_get(struct zs_node *n,
                                    const struct node_id *id);
void directory_remove(struct zs_node *n, const struct node_id *id);
void directory_refresh(struct zs_node *n);
void directory_close(struct zs_node *n);

/* relays.c */
void relays_refresh(struct zs_node *n);

/* callbacks.c */
struct edge_observer callbacks_observer(struct zs_node *n);
struct log_sink callbacks_log_sink(struct zs_node *n);
enum zs_path callbacks_path(enum node_path path);
/* A message as the program sees it, while `told` and `m` live and nobody else
 * is told of. */
struct callback_message {
    struct zs_message message;
    struct zs_request request;
    char type[MESSAGE_TYPE_SIZE + 1];
    char group[NAME_MAX_SIZE + 1];
};
void callbacks_message(struct zs_node *n, const struct node_peer *peer,
                       const struct message *m, struct callback_message *told);

#endif
