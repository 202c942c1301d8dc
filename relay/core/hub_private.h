/*
 * hub_private - the structs and functions that the files of the hub share.
 *
 * Only the hub's own files include this header. hub.c dispatches events and
 * timers, admission.c decides on HELLO, edges.c creates and ends edges,
 * traffic.c writes and forwards packets, groups.c fans multicasts out, roster.c
 * tells the edges of a mesh about each other, revoked.c stores and spreads
 * revocation lists, todos.c is the list of what the owner has to do.
 */
#ifndef RELAY_CORE_HUB_PRIVATE_H
#define RELAY_CORE_HUB_PRIVATE_H

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/token_bucket.h"
#include "common/wire/multicast.h"
#include "relay/core/fair_queue.h"
#include "relay/core/hub.h"
#include "relay/core/queue.h"

#include <limits.h>

enum {
    /* Queued bytes that the hub writes to one edge in one step. The rest
     * follows in later steps, so that one edge does not fill the memory. */
    HUB_PORTION = 256 * 1024,
    /* Bytes of control packets that may wait for a blocked edge, at least. */
    HUB_CONTROL_MIN = 256 * 1024,
    /* Announcements of one edge: a burst, then one each interval. */
    HUB_ANNOUNCE_BURST = 8,
    HUB_ANNOUNCE_INTERVAL_MS = 250,
    /* Revocation lists of one mesh: a burst, then one each interval. */
    HUB_REVOKE_BURST = 16,
    HUB_REVOKE_INTERVAL_MS = 250,
    /* The hub steps at least every PULSE_MS. A step that comes LATE_MS after
     * that means that the process got no CPU, and that packets of the edges
     * may still be unread: for GRACE_MS the hub then declares no edge silent,
     * at most DOUBTS times in a row for one edge. */
    HUB_PULSE_MS = 250,
    HUB_LATE_MS = 200,
    HUB_GRACE_MS = 1000,
    HUB_DOUBTS = 8,
    /* The longest time for which an edge may be away [P-14.9]. */
    HUB_AWAY_MAX_MS = 5000,
    /* The hub checks an edge's certificate at least this often, because the
     * wall clock can be set. */
    HUB_EXPIRY_S = 3600,
    /* The limits of the time of silence that an edge's HELLO may ask for. */
    HUB_LOST_AFTER_MIN_MS = 500,
    HUB_LOST_AFTER_MAX_MS = 5 * 60 * 1000,
    /* An open relay keeps the revocation list of a mesh without edges only up
     * to this many meshes. */
    HUB_MESHES_KEPT = 1024,
    /* Entries of an edge's SPARE list: nodes that its multicasts skip. */
    HUB_SPARED = 1024,
    /* Memory that is counted for each such entry, and for each group that an
     * edge is in. */
    HUB_SPARED_BYTES = 96,
    HUB_MEMBERSHIP_BYTES = 256,
    NAME_KEY_SIZE = NAME_MAX_SIZE + 1,
};

struct hub_edge;
struct group;

struct hub_mesh {
    struct mesh_id id;
    struct map nodes;       /* node id -> edge */
    struct map names;       /* name, zero-padded -> edge */
    struct map groups;      /* tag -> group; no group is empty */
    struct hub_edge *first; /* all edges, in the order of arrival */
    struct hub_edge *last;
    size_t count;   /* of edges */
    size_t syncing; /* edges that have not received SYNCED yet */
    uint8_t *list;  /* the revocation list, owned, or NULL */
    size_t list_size;
    struct revocation revocation; /* points into `list`; zeroed without one */
    struct token_bucket revoking; /* limits new revocation lists */
};

/* One network (address_network) and how many edges connect from it. */
struct hub_network {
    uint8_t key[ADDRESS_KEY_SIZE];
    size_t edges;
};

/* One edge in one group: the edge receives what is published to the group. */
struct hub_membership {
    struct hub_edge *edge;
    struct group *group;
    struct hub_membership *previous; /* in the group's list */
    struct hub_membership *next;
};

/* A connection whose HELLO the hub accepted. */
struct hub_edge {
    uint64_t conn;
    struct hub_mesh *mesh;
    struct hub_network *host;
    struct hub_edge *previous; /* in the mesh's list */
    struct hub_edge *next;
    struct node_id node;
    struct epoch epoch;
    char name[NAME_KEY_SIZE]; /* zero-padded */
    struct address address;
    uint64_t not_after;  /* end of its certificate, in Unix seconds */
    struct timer expiry; /* next check of the certificate */

    struct span lost_after; /* the edge is lost after this long a silence */
    struct instant heard;   /* when its last packet came */
    int doubts;             /* times that it was spared since; HUB_DOUBTS */
    struct timer silence;

    /* Its connection broke, and it may make another until `silence` fires. It
     * is listed and blocked meanwhile. */
    bool is_away;
    struct span returns_within; /* 0: it then counts as gone at once */

    uint8_t *sealed; /* its sealed announcement, owned */
    size_t sealed_size;
    struct token_bucket announcing;
    struct timer announce; /* armed: the other edges wait for the newest */

    /* The next edge of the roster to tell this edge about; this edge itself:
     * only SYNCED is left to send. */
    struct hub_edge *sync;
    bool synced;             /* it has received the whole roster, and SYNCED */
    bool blocked;            /* its connection takes no writes now */
    bool doomed;             /* the hub refuses it at the end of this step, */
    enum refusal doomed_for; /* for this reason */
    struct hub_edge *next_doomed;
    struct queue control;   /* packets from the hub itself */
    struct fair_queue data; /* packets from other edges */
    struct timer work;      /* armed: queued packets are left to write */

    /* Owned. The array never moves, as its items are linked in the groups. */
    struct hub_membership *memberships;
    size_t membership_count;
    struct map spared; /* node id -> this edge; its multicasts skip the node */
    size_t told_bytes; /* memory of its announcement, groups and SPARE list */

    uint64_t tokens; /* bytes that it may send now, times 10^6 */
    struct instant tokens_at;
};

struct hub {
    struct hub_conf conf;
    struct mesh_id *served; /* conf.meshes, owned */
    struct map conns;       /* conn -> edge */
    struct map meshes;      /* id -> mesh */
    struct map hosts;       /* address_key of the network -> host */
    struct heap timers;
    struct shared_packets *packets; /* counts all queued packets */
    size_t told_bytes;              /* the sum over all edges */
    struct hub_edge *doomed;        /* list of the doomed edges */
    bool stopping;
    uint64_t clock; /* Unix seconds at clock_at; 0: no HUB_CLOCK came yet */
    struct instant clock_at;
    struct instant pulse;     /* the hub steps by then, if there are edges */
    struct instant woke_late; /* the last step that came too late */
    struct hub_counters counters;
    /* Valid during a step. */
    struct instant now;
    struct hub_todos *todos;
};

/* todos.c */

/* Appends an item. The caller fills in the members that `kind` needs. */
struct hub_todo *hub_todos_add(struct hub_todos *t, enum hub_todo_kind kind,
                               uint64_t conn);
/* Allocates `size` bytes in the arena of the step's list, to write into. */
struct writer hub_room(struct hub *h, size_t size);

/* hub.c */

/* Wall-clock time in Unix seconds; 0 if no HUB_CLOCK came yet. */
uint64_t hub_unix_now(const struct hub *h);
/* Tells whether the settings allow edges of the mesh. */
bool hub_serves(const struct hub *h, const struct mesh_id *id);

/* admission.c */

/* Handles the first packet of a connection: admits or refuses the edge. */
void admission_packet(struct hub *h, const struct hub_event *event);

/* edges.c */

/* What edge_new makes an edge of: borrowed for the call. */
struct edge_start {
    const struct hub_event *event;
    const struct relay_hello *hello;
    const struct certificate *certificate;
};
/* Creates the edge and enters it in all tables. The caller checked that there
 * is room and that node and name are free. */
struct hub_edge *edge_new(struct hub *h, struct hub_mesh *m,
                          const struct edge_start *start);
/* Updates told_bytes. The caller calls this after each change of the edge's
 * announcement, groups or SPARE list. If limits.memory is exceeded then, the
 * edges that use the most are doomed. */
void edge_weigh(struct hub *h, struct hub_edge *e);
/* Appends a HUB_LOG about the edge. */
void edge_log(struct hub *h, const struct hub_edge *e, enum hub_log what,
              uint8_t reason);
/* Counts the edges that connect from the network of the address. */
size_t edges_from(const struct hub *h, const struct address *address);
/* Removes the edge from all tables and frees it. Sends and logs nothing. */
void edge_free(struct hub *h, struct hub_edge *e);
/* Sends REFUSED to the edge, drops the connection, logs, frees the edge, and
 * tells the other edges that it left (departure 0: tells them nothing). */
void edge_refuse(struct hub *h, struct hub_edge *e, enum refusal reason,
                 enum departure departure);
/* Refuses and frees the edge because its node has a new connection, or only
 * frees it if it was away. The other edges are not told, and the mesh stays
 * even if it is empty. */
void edge_replace(struct hub *h, struct hub_edge *e);
/* Handles RETURNS. */
void edge_returns(struct hub *h, struct hub_edge *e, struct bytes packet);
/* The connection broke: the edge is away for a while, or gone. */
void edge_broke(struct hub *h, struct hub_edge *e);
/* The connection has ended: logs, frees the edge, tells the other edges. */
void edge_gone(struct hub *h, struct hub_edge *e, enum departure departure);
/* Notes that a packet of the edge came now. */
void edge_heard(struct hub *h, struct hub_edge *e);
/* The silence timer fired: ends the edge, or sets the timer again. */
void edge_silence_due(struct hub *h, struct hub_edge *e);
/* Refuses the edge if its certificate has expired, else sets the timer for the
 * next check. */
void edge_check_expiry(struct hub *h, struct hub_edge *e);
/* Refuses all doomed edges. */
void edges_reap(struct hub *h);

/* traffic.c */

/* Dooms the edges that use the most memory until `size` bytes more can be
 * stored. */
void hub_make_room(struct hub *h, size_t size);
/* Sends REFUSED to a connection, whether or not it has an edge. */
void send_refused(struct hub *h, uint64_t conn, enum refusal reason);
/* Tells a connection the relay's wall clock, if the relay knows it [P-7.9]. */
void send_clock(struct hub *h, uint64_t conn);
/* Tells a new edge who ended the TLS of its connection [P-14.4]. NULL: does
 * nothing. */
void send_certificate(struct hub *h, uint64_t conn,
                      const struct relay_tls *tls);
/* Writes a control packet, or queues a copy. Dooms the edge if its queue of
 * control packets is full. `packet` lies in the arena of the step's list. */
void edge_control(struct hub *h, struct hub_edge *e, struct bytes packet);
/* Handles FORWARD [P-7.5]: delivers it, or sends REFUSED to the sender. */
void edge_forward(struct hub *h, struct hub_edge *e,
                  const struct hub_event *event);
/* Tells whether limits.rate allows the edge to send `size` bytes now. If so,
 * they count as sent. */
bool edge_may_send(struct hub *h, struct hub_edge *e, size_t size) MUST_USE;
/* Turns the event's packet, in place, into one of `type` from `source`. */
void packet_stamp(const struct hub_event *event, enum packet_type type,
                  const struct hub_edge *source);
/* The event's packet on its way to one edge or many. */
struct delivery {
    const struct hub_event *event;
    const struct hub_edge *from;
    /* The copy that all queues share, made when the first one needs it. */
    struct shared_packet *copy;
};
/* Writes the packet to the edge, or queues it. Returns false if the edge's
 * queue is full and the sender has its share of it. The caller releases the
 * delivery's copy in the end. */
bool edge_deliver(struct hub *h, struct hub_edge *to,
                  struct delivery *d) MUST_USE;
/* The edge's connection takes no writes until HUB_WRITABLE. */
void edge_blocked(struct hub *h, struct hub_edge *e);
/* Writes up to HUB_PORTION of what is queued for the edge: control packets
 * first, then the roster, then data. */
void edge_work(struct hub *h, struct hub_edge *e);

/* groups.c [P-9.6] */

/* Handles GROUPS: the edge is in exactly these groups from now on. */
void edge_groups(struct hub *h, struct hub_edge *e, struct bytes tags);
/* Handles SPARE: changes the list of nodes that the edge's multicasts skip. */
void edge_spare(struct hub *h, struct hub_edge *e, struct bytes list);
/* Handles MULTICAST: delivers it to the group's other edges. */
void edge_multicast(struct hub *h, struct hub_edge *e,
                    const struct hub_event *event);
/* Takes the edge out of all its groups. */
void groups_leave(struct hub_edge *e);

/* roster.c */

/* NULL if the hub knows no such mesh. */
struct hub_mesh *mesh_find(const struct hub *h, const struct mesh_id *id);
/* Finds the mesh, or creates it. */
struct hub_mesh *mesh_take(struct hub *h, const struct mesh_id *id);
/* Frees the mesh if it has no edges and no revocation list worth keeping. */
void mesh_release(struct hub *h, struct hub_mesh *m);
void mesh_free(struct hub_mesh *m);
/* Sends PRESENT for this edge to the other edges of its mesh. */
void roster_present(struct hub *h, struct hub_edge *e);
/* Sends GONE for a node to all edges of the mesh. */
void roster_gone(struct hub *h, struct hub_mesh *m, const struct node_id *node,
                 struct epoch epoch, enum departure reason);
/* Sends the edge the next portion of the roster. Returns true once the edge
 * has SYNCED. */
bool roster_sync(struct hub *h, struct hub_edge *e);
/* Handles ANNOUNCE: stores the announcement, and spreads it. */
void edge_announce(struct hub *h, struct hub_edge *e, struct bytes sealed);
/* Tells the other edges about this edge: at once, or later if it has had a
 * burst of announcements already. */
void edge_has_news(struct hub *h, struct hub_edge *e);

/* revoked.c */

/* Tells whether the mesh's revocation list names the node. */
bool mesh_revoked(const struct hub_mesh *m, const struct node_id *node);
/* Sends the edge its mesh's list. */
void send_revocation(struct hub *h, struct hub_edge *e);
/* Handles a list from an edge, or from a file (`from` NULL): stores and spreads
 * a newer one, and refuses the edges that it names. */
void revocation_arrived(struct hub *h, struct hub_edge *from,
                        struct bytes list);

#endif
