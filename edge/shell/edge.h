/*
 * edge - runs a node on a libuv loop, with the sockets, links, resolver and
 * clock that the node's core asks for.
 *
 * Everything happens on the loop's thread. The local API and the C library
 * register observers, which are told of peers and messages. They pass messages
 * to the node at once (edge_send, edge_publish). All other requests are events
 * (edge_event); the loop's next turn passes them to the node in one step.
 */
#ifndef EDGE_SHELL_EDGE_H
#define EDGE_SHELL_EDGE_H

#include "common/io/log_limit.h"
#include "edge/core/mapping_plan.h"
#include "edge/core/node.h"

#include <uv.h>

struct edge;
struct edge_conf;     /* common/conf/edge_conf.h: the file's settings */
struct edge_identity; /* the node's: see common/conf/identity.h */
struct interfaces;
struct relay_url;

enum { EDGE_ERROR_SIZE = 256 };

struct edge_options {
    const struct edge_conf *conf;         /* borrowed until edge_free */
    const struct edge_identity *identity; /* borrowed for edge_open only */
    struct bytes revocations; /* the list stored earlier, or empty; copied */
    /* How many windows of messages the node queues for a peer, beyond the one
     * that may be under way, before a message is BUSY. */
    size_t windows;
    /* How many programs the API's socket, and how many connections HTTP should
     * serve; the limit of open files may allow fewer. */
    size_t clients;
    size_t pages;
    /* The file that keeps which form of a relay's address worked on which
     * network (route_memory.h); copied. NULL or "": it is forgotten. */
    const char *routes;
    /* Called with a newer revocation list, for the owner to store. May be
     * NULL. */
    void (*revoked)(void *context, struct bytes list);
    void *context;
};

/*
 * Opens the sockets. The edge sends nothing before edge_start, so the caller
 * can first open whatever else it needs, such as the API's socket. NULL with a
 * sentence in `error` if a port is taken, an address or URL is malformed, or a
 * system call fails; the caller must then still run the loop once, so that
 * libuv closes the handles. A process may open several edges, each on its own
 * loop.
 */
struct edge *edge_open(uv_loop_t *loop, const struct edge_options *options,
                       char error[EDGE_ERROR_SIZE]);
/* The node joins its mesh. Call it once, and not after edge_stop. */
void edge_start(struct edge *e);
/* Delivers the queued messages within a second (messages submitted meanwhile
 * are not delivered), says goodbye, calls `stopped` (may be NULL), and closes
 * all sockets. After that observers are not called any more. The loop must run
 * until it has no handles left before edge_free. */
void edge_stop(struct edge *e, void (*stopped)(void *context), void *context);
/* After edge_stop: closes now, and does not deliver what is still queued. */
void edge_stop_now(struct edge *e);
/* For a process without memory: closes without goodbye and without reports of
 * open requests. `stopped` is called once, from the loop, as by edge_stop. */
void edge_abandon(struct edge *e, void (*stopped)(void *context),
                  void *context);
/* Waits a fraction of a second, until the goodbyes are sent. NULL-safe. */
void edge_free(struct edge **self);

/* Applies the settings that a reload may change: discovery.peers,
 * discovery.stun and limits.memory. `conf` is borrowed for the call. The local
 * API applies groups, see api.h. */
void edge_reload(struct edge *e, const struct edge_conf *conf);

/* Called on the loop's thread, in the order of the events; the pointers are
 * valid for the call. Any member may be NULL. From within, an observer may
 * send, publish and queue events, but not close the edge. */
struct edge_observer {
    void *context;
    void (*joined)(void *context, const struct node_peer *peer);
    void (*left)(void *context, const struct node_peer *peer,
                 enum departure reason);
    void (*path)(void *context, const struct node_peer *peer,
                 enum node_path was);
    void (*message)(void *context, const struct node_peer *peer,
                    const struct message *message);
    /* The result of a message or ping whose ref this observer made. */
    void (*report)(void *context, struct node_ref ref,
                   enum node_outcome outcome, enum node_path path,
                   struct span rtt);
    /* After BUSY: messages to the peer (id zero: publications) are taken
     * again. */
    void (*ready)(void *context, const struct node_peer *peer);
    /* This node will not receive `missed` publications of the peer. */
    void (*gap)(void *context, const struct node_peer *peer, uint64_t missed);
};

/* The observer is borrowed until it is removed. */
void edge_observe(struct edge *e, const struct edge_observer *observer);
void edge_unobserve(struct edge *e, const struct edge_observer *observer);

/* The ref of a message or ping whose report goes to this observer, until it is
 * removed. The observer chooses the name, below 2^40; edge_ref_name gets it
 * from the report's ref. */
struct node_ref edge_ref(const struct edge *e,
                         const struct edge_observer *observer, uint64_t name);
uint64_t edge_ref_name(struct node_ref ref);

/* Pass a message to the node at once, see node_submit and node_publish; the
 * node sends it in the loop's next turn. NOT_DELIVERED if the edge stopped. */
bool edge_send(struct edge *e, struct node_ref ref, const struct node_id *to,
               const struct message *m, enum node_outcome *why) MUST_USE;
bool edge_publish(struct edge *e, const struct message *m, uint32_t *peers,
                  enum node_outcome *why) MUST_USE;

/* Queues an event for the next turn: PING, SET_GROUPS or REVOCATION. The edge
 * copies the event's list. */
void edge_event(struct edge *e, const struct node_event *event);

/* To read peers, relays and counters; the caller must not step the node. */
const struct node *edge_node(const struct edge *e);
/* The URL of a relay. */
size_t edge_relay_count(const struct edge *e);
const char *edge_relay_url(const struct edge *e, size_t index);
/* The rate limit of all log lines that peers and local programs can cause. */
struct log_limit *edge_log_limit(struct edge *e);
/* Parts of the host's network that the edge cannot use. */
enum edge_gap {
    EDGE_GAP_MISSING,   /* interfaces of listen.interfaces that do not exist */
    EDGE_GAP_UNJOINED,  /* interfaces on which joining the group failed */
    EDGE_GAP_ADDRESSES, /* addresses that the announcement has no room for */
    EDGE_GAP_DEAF,      /* 1: no multicast comes in at all */
    EDGE_GAP_LARGE,     /* large packets do not reach the peer *name: the bytes
                           of a TCP segment of new connections */
};
/* The number of them; sets *name to number `index`, if the kind has names. */
size_t edge_gap(const struct edge *e, enum edge_gap gap, size_t index,
                const char **name);
/* The ports that the router forwards to this node, and what each protocol
 * found; all OFF if discovery.port_mapping is false. */
const struct mapping_state *edge_port_mapping(const struct edge *e);
/* What netcheck wants to know of the edge. The pointers are valid until the
 * edge's next turn. */
struct edge_netinfo {
    const struct edge_conf *conf;
    const struct interfaces *interfaces; /* interfaces.h; NULL: it stopped */
    const struct edge_relay *relays;     /* edge_relay.h */
    size_t relay_count;
    const struct mapping_state *mapping; /* mapping_plan.h; NULL: off */
};
void edge_netinfo(const struct edge *e, struct edge_netinfo *info);
/* Beacons sent on an interface, and heard there of other nodes. */
void edge_beacons(const struct edge *e, unsigned interface, uint64_t *sent,
                  uint64_t *heard);
/* See zloop_busy. */
bool edge_busy(const struct edge *e);
/* How many programs by the API's socket, and how many HTTP connections the
 * limit of open files allows. */
size_t edge_clients(const struct edge *e);
size_t edge_pages(const struct edge *e);
uv_loop_t *edge_loop(const struct edge *e);
struct instant edge_now(const struct edge *e);

#endif
