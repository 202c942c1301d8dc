/*
 * edge_private - what the files of the edge's driver share.
 */
#ifndef EDGE_SHELL_EDGE_PRIVATE_H
#define EDGE_SHELL_EDGE_PRIVATE_H

#include "common/conf/edge_conf.h"
#include "common/conf/identity.h"
#include "common/io/zap.h"
#include "edge/shell/event_log.h"
#include "edge/shell/discovery.h"
#include "edge/shell/edge.h"
#include "edge/shell/files.h"
#include "edge/shell/incoming.h"
#include "edge/shell/network.h"
#include "edge/shell/observers.h"
#include "edge/shell/outgoing.h"
#include "edge/shell/peers.h"
#include "edge/shell/wake.h"

struct edge {
    uv_loop_t *loop;
    struct edge_options options;
    const struct edge_conf *conf;
    struct node *node;
    struct todo todo;
    struct turn turn;
    struct zloop zloop;
    void *zmq_context;
    struct zap *zap;
    struct incoming *incoming; /* NULL: paths.tcp is false */
    struct outgoing *outgoing;
    struct bell *bell; /* of these two */
    struct intake intake;
    struct files_share share; /* of the open files that are allowed */
    struct discovery *discovery;
    struct network *network;
    struct wake *wake;
    struct peers *peers;
    uv_timer_t deadline; /* the node's */
    uv_timer_t clock;    /* tells it the wall-clock time */
    struct instant armed;
    struct instant handed_at; /* something was, since the last turn; or NEVER */
    struct observers observers;
    struct event_log event_log;
    struct relay_url relays[NODE_RELAYS];
    char relay_texts[NODE_RELAYS][RELAY_URL_SIZE];
    size_t relay_count;
    size_t addresses_left_out;
    bool started;
    char large_lost[NAME_MAX_SIZE + 1]; /* whom large packets did not reach */
    int segment; /* of new incoming links, for that; bytes, 0: the system's */
    bool stopping;
    bool stopped;
    void (*tell_stopped)(void *context);
    void *stopped_context;
};

/* edge.c: one step with all that this turn brought, and what it wants done. */
void edge_turn(struct edge *e);
/* edge_todo.c: does what the node wants, in its order. */
void edge_do(struct edge *e, const struct todo *todo);
/* edge_open.c */
void edge_tell_addresses(struct edge *e);
/* edge_gaps.c: the log says which interfaces are missing. */
void edge_tell_missing(const struct edge *e);
/* The node has said goodbye. */
void edge_left(struct edge *e);

#endif
