/*
 * edge - a node in the world: its core driven by one libuv loop, with the
 * sockets, links, resolver and clock that the core asks for.
 *
 * Everything happens on the loop's thread. Whoever wants to hear of peers and
 * messages (the local API, the C library) registers an observer; whoever
 * wants something of the node submits an event, which is handled in the loop's
 * next turn together with all others (one step takes the whole batch).
 */
#ifndef EDGE_SHELL_EDGE_H
#define EDGE_SHELL_EDGE_H

#include "common/io/log_limit.h"
#include "edge/core/node.h"

#include <uv.h>

struct edge;
struct edge_conf;     /* common/conf/edge_conf.h: the file's settings */
struct edge_identity; /* the node's: see common/conf/identity.h */

enum { EDGE_ERROR_SIZE = 256 };

struct edge_options {
    const struct edge_conf *conf;         /* needed as long as the edge */
    const struct edge_identity *identity; /* needed for edge_open only */
    struct bytes revocations; /* the list kept from before, or empty; copied */
    /* So many windows' worth is kept for a peer beyond what may be under way to
     * it, before a message is BUSY. */
    size_t windows;
    /* How many programs are to be served by the socket, and connections by
     * HTTP, as far as the limit of open files allows. */
    size_t clients;
    size_t pages;
    /* Told when a newer list came, to be kept. May be NULL. */
    void (*revoked)(void *context, struct bytes list);
    void *context;
};

/*
 * Opens the sockets; nothing is sent before edge_start, so that whatever else
 * has to be had (the API's socket, a port) can be had before. NULL with a
 * sentence in `error` if a port is taken, an address or URL is none, or the
 * system lets it not; the loop must then run once all the same. A process may
 * have several, each on a loop of its own.
 */
struct edge *edge_open(uv_loop_t *loop, const struct edge_options *options,
                       char error[EDGE_ERROR_SIZE]);
/* Once, and not after edge_stop: the node goes into its mesh. */
void edge_start(struct edge *e);
/* Delivers what is queued (a second at the most; what is submitted meanwhile
 * is not delivered), says goodbye, tells `stopped` (may be NULL), and closes
 * all sockets. From then on nothing happens, and observers hear no more. The
 * loop must run until it is done before edge_free. */
void edge_stop(struct edge *e, void (*stopped)(void *context), void *context);
/* After edge_stop: what is still queued is not delivered. */
/* Without goodbye, and what is open is not told: there is no memory for that.
 * `stopped` is called once, from the loop, as by edge_stop. */
void edge_abandon(struct edge *e, void (*stopped)(void *context),
                  void *context);
void edge_stop_now(struct edge *e);
/* Waits for the goodbyes to leave, a fraction of a second. NULL-safe. */
void edge_free(struct edge **self);

/* Takes what a reload may change from other settings: discovery.peers. They are
 * borrowed for the call. Groups are the local API's matter, see api.h. */
void edge_reload(struct edge *e, const struct edge_conf *conf);

/* Told on the loop's thread, in the order in which it happened; the views are
 * valid for the call. Any member may be NULL. Observers may submit, but not
 * close the edge, from within. */
struct edge_observer {
    void *context;
    void (*joined)(void *context, const struct node_peer *peer);
    void (*left)(void *context, const struct node_peer *peer,
                 enum departure reason);
    void (*path)(void *context, const struct node_peer *peer,
                 enum node_path was);
    void (*message)(void *context, const struct node_peer *peer,
                    const struct message *message);
    /* Of a ref that this observer made with edge_ref. `peers`: PUBLISH, it
     * goes to so many. */
    void (*report)(void *context, struct node_ref ref,
                   enum node_outcome outcome, enum node_path path,
                   struct span rtt, uint32_t peers);
    /* The peer (id zero: publications) takes messages again after BUSY. */
    void (*ready)(void *context, const struct node_peer *peer);
    /* So many publications of the peer's will not come. */
    void (*gap)(void *context, const struct node_peer *peer, uint64_t missed);
};

/* The observer is borrowed until it is removed. */
void edge_observe(struct edge *e, const struct edge_observer *observer);
void edge_unobserve(struct edge *e, const struct edge_observer *observer);

/* A new ref, whose report goes to this observer (until it is removed). */
struct node_ref edge_ref(struct edge *e, const struct edge_observer *observer);

/* A ref of the observer's own making: `name` is below 2^40, comes back in the
 * report, and is not to be mixed with those of edge_ref. */
struct node_ref edge_ref_named(const struct edge *e,
                               const struct edge_observer *observer,
                               uint64_t name);
uint64_t edge_ref_name(struct node_ref ref);

/* Hand a message to the node at once, see node_submit and node_publish; it is
 * sent in the loop's next turn. */
bool edge_send(struct edge *e, struct node_ref ref, const struct node_id *to,
               const struct message *m, enum node_outcome *why) MUST_USE;
bool edge_publish(struct edge *e, const struct message *m, uint32_t *peers,
                  enum node_outcome *why) MUST_USE;

/* Queues an event for the next turn; what it borrows (message, list) is
 * copied. SUBMIT, PUBLISH, PING, SET_GROUPS, REVOCATION only. */
void edge_submit(struct edge *e, const struct node_event *event);

/* For reading: peers, relays, counters. Never step it. */
const struct node *edge_node(const struct edge *e);
/* The URL, transport ("tcp", "ws", "wss") and proxy use of a relay. */
size_t edge_relay_count(const struct edge *e);
const char *edge_relay_url(const struct edge *e, size_t index);
const char *edge_relay_transport(const struct edge *e, size_t index);
/* Passed by all lines that peers and local programs can cause. */
struct log_limit *edge_log_limit(struct edge *e);
/* What of the host's network it does without. */
enum edge_gap {
    EDGE_GAP_MISSING,   /* interfaces of listen.interfaces that are not there */
    EDGE_GAP_UNJOINED,  /* interfaces whose multicast the kernel refuses */
    EDGE_GAP_ADDRESSES, /* addresses that its announcement has no room for */
    EDGE_GAP_DEAF,      /* 1: it hears no multicast at all */
    EDGE_GAP_LARGE,     /* large packets do not reach *name: the largest segment
                           of a new connection, in bytes */
};
/* How many; *name is the one of number `index`, of those with names. */
size_t edge_gap(const struct edge *e, enum edge_gap gap, size_t index,
                const char **name);
/* See zloop_busy. */
bool edge_busy(const struct edge *e);
/* How many programs the limit of open files allows by the socket, and
 * connections by HTTP. */
size_t edge_clients(const struct edge *e);
size_t edge_pages(const struct edge *e);
uv_loop_t *edge_loop(const struct edge *e);
struct instant edge_now(const struct edge *e);

#endif
