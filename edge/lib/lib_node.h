/*
 * lib_node - what the parts of the library share; for edge/lib only.
 *
 * zs_options.c    settings, and what is wrong with them
 * lib_node.c      opens and stops a node
 * lib_run.c       runs a node's loop on some thread, and closes the node
 * api_calls.c     calls from any thread: checks them, and passes them to the
 * node at once on the loop's thread, or copies and queues them queue_quota.c
 * the limit of what is queued and has no result yet ops.c           calls as
 * operations of edge/shell, and their callbacks directory.c     the present
 * peers, for every thread relays.c        the relays, for every thread
 * callbacks.c     what happens in the node, as calls of the program's functions
 * enum_names.c, data.c  names, texts, data
 *
 * Threads of callers touch only members under `mutex` and atomic ones; all
 * others belong to the loop's thread. No callback runs with the mutex held.
 */
#ifndef EDGE_LIB_LIB_NODE_H
#define EDGE_LIB_LIB_NODE_H

#include "edge/lib/zs_options.h"

#include "common/base/map.h"
#include "common/base/memory.h"
#include "common/conf/revoked.h"
#include "common/io/log.h"
#include "edge/shell/operations.h"
#include "edge/shell/revocations.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    QUEUE_OPS = 64 * 1024,
    QUEUE_BYTES = 64 * 1024 * 1024,
    /* Windows that the node keeps for a peer beyond the one under way. Messages
     * that wait there need not be copied into an operation. */
    MORE_WINDOWS = 3,
    TIMEOUT_MS = 5000, /* of requests */
    DRAIN_MS = 500,    /* for what waits, before the node leaves */
    CLOSE_MS = 2000,   /* until a thread is left to end by itself */
    RELAY_ERROR_SIZE = 64,
    TO_SIZE = 2 * KEY_SIZE + 1,
};

/* An operation that was accepted, until its callback was called. */
struct op {
    struct operation operation;
    char to[TO_SIZE];
    zs_delivered *delivered;
    zs_replied *replied;
    void *context;
    uint8_t room[]; /* for the message */
};

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
    char *revoked_path;                    /* "": nowhere */
    struct file_writer *revocation_writer; /* of revocation lists */

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
    struct operation_list posted; /* of struct op */
    bool refused;                 /* somebody was told ZS_BUSY */
    bool deaf;                    /* the async is being closed */
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
    struct operations operations;
    struct operation_owner pending;
    size_t own_posted;       /* by the loop's thread, and not started */
    bool starting;           /* what was posted is being started */
    char cached_to[TO_SIZE]; /* one sender mostly names one peer */
    struct node_id cached_id;
    struct node_id told_id; /* of who spoke last, and as text */
    char told_from[2 * KEY_SIZE + 1];
};

/* lib_node.c */
/* Frees the node, whose loop has ended. */
void node_destroy(struct zs_node *n);
/* With the mutex held, or on the loop. */
void node_wake(struct zs_node *n);
/* What those are told who come when it ends: ZS_CLOSED or ZS_NO_MEMORY. */
enum zs_error node_ending(const struct zs_node *n);

/* lib_run.c */
/* This process was forked from the one that has the node: nothing of it may be
 * touched, its mutex may be held for ever. */
bool node_is_parents(const struct zs_node *n);
/* This thread runs the node's loop now: it may not wait for it. */
bool node_runs_here(const struct zs_node *n);
/* This thread is the one that runs the loop, within a callback or not. */
bool node_is_mine(const struct zs_node *n);
/* Between the two calls this thread uses the node's log sink and reserve. */
struct node_entered {
    const struct zs_node *before;
    const struct log_sink *sink;
    struct reserve *reserve;
};
struct node_entered node_enter(const struct zs_node *n);
void node_leave(struct node_entered e);

/* queue_quota.c: ZS_OK, and it is taken; ZS_BUSY, ZS_CLOSED. Who may wait,
 * does. */
enum zs_error queue_quota_take(struct zs_node *n, size_t size) MUST_USE;
/* On the loop. True: those who were refused are to be told. */
bool queue_quota_give_back(struct zs_node *n, size_t size);

/* ops.c */
void ops_init(struct zs_node *n);
bool ops_find_peer(struct zs_node *n, const char *to,
                   struct node_id *id) MUST_USE;
void ops_start(struct zs_node *n, struct op *op);
/* Calls back and frees an operation that did not start. */
void ops_fail(struct zs_node *n, struct op *op, enum zs_error error);

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
