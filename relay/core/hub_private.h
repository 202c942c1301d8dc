/*
 * hub_private - what the hub's files share; nobody else includes it.
 *
 * hub.c takes events and time, admission.c decides on HELLO, edges.c makes and
 * ends connections, traffic.c writes and forwards, groups.c fans out, roster.c
 * tells a mesh who is there, revoked.c keeps the lists of who is out.
 */
#ifndef RELAY_CORE_HUB_PRIVATE_H
#define RELAY_CORE_HUB_PRIVATE_H

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/pace.h"
#include "common/wire/multicast.h"
#include "relay/core/fair.h"
#include "relay/core/hub.h"
#include "relay/core/queue.h"

#include <limits.h>

enum {
    /* What the hub hands out for one edge in one step; the rest follows in
     * later steps, so that one slow or new edge does not fill the memory. */
    HUB_PORTION = 256 * 1024,
    /* At least so much control may wait for a blocked edge. */
    HUB_CONTROL_MIN = 256 * 1024,
    /* Announcements: so many at once, then one each interval. */
    HUB_ANNOUNCE_BURST = 8,
    HUB_ANNOUNCE_INTERVAL_MS = 250,
    /* Revocation lists of a mesh, which go to all its edges: the same. */
    HUB_REVOKE_BURST = 16,
    HUB_REVOKE_INTERVAL_MS = 250,
    /* The hub steps at least this often; a gap this much longer means that it
     * was starved itself, and then it doubts itself before any edge. */
    HUB_PULSE_MS = 250,
    HUB_LATE_MS = 200,
    HUB_GRACE_MS = 1000,
    HUB_DOUBTS = 8,
    /* A certificate's end is looked at so often at least: clocks move. */
    HUB_EXPIRY_S = 3600,
    HUB_LOST_AFTER_MIN_MS = 500,
    HUB_LOST_AFTER_MAX_MS = 5 * 60 * 1000,
    /* Meshes without edges whose revocations an open relay remembers. */
    HUB_MESHES_KEPT = 1024,
    /* Whom an edge may name that its multicasts need not go to. */
    HUB_SPARED = 1024,
    /* What an entry of such a list takes, and one of an edge's groups. */
    HUB_SPARED_BYTES = 96,
    HUB_MEMBERSHIP_BYTES = 256,
    NAME_KEY_SIZE = NAME_MAX_SIZE + 1,
};

struct edge;
struct group;

struct mesh {
    struct mesh_id id;
    struct map nodes;   /* node id -> edge */
    struct map names;   /* name, zero-padded -> edge */
    struct map groups;  /* tag -> group; each has a member */
    struct edge *first; /* in the order of arrival */
    struct edge *last;
    size_t count;
    size_t syncing; /* edges that do not have the whole roster yet */
    uint8_t *list;  /* the revocation list, owned, or NULL */
    size_t list_size;
    struct revocation revocation; /* points into the list; zeroed without */
    struct pace revoking;
};

/* One network (address_network) and how many edges come from it. */
struct host {
    uint8_t key[ADDRESS_KEY_SIZE];
    size_t edges;
};

/* That an edge wants what is published to a group. */
struct membership {
    struct edge *edge;
    struct group *group;
    struct membership *previous; /* of the group's */
    struct membership *next;
};

/* An admitted connection. */
struct edge {
    uint64_t conn;
    struct mesh *mesh;
    struct host *host;
    struct edge *previous;
    struct edge *next;
    struct node_id node;
    struct epoch epoch;
    char name[NAME_KEY_SIZE]; /* zero-padded */
    struct address address;
    uint64_t not_after;
    struct timer expiry; /* of its certificate */

    struct span lost_after;
    struct instant heard;
    int doubts; /* reprieves since it was heard */
    struct timer silence;

    uint8_t *sealed; /* its announcement, owned */
    size_t sealed_size;
    struct pace announcing;
    struct timer announce; /* armed: the others wait for the news */

    struct edge *sync; /* whom to tell it of next; itself: SYNCED */
    bool synced;
    bool blocked;
    bool doomed; /* ends with this step: it cannot take control, */
    enum refusal doomed_for;
    struct edge *next_doomed;
    struct queue control;
    struct fair data;
    struct timer work; /* armed: portions are left to hand out */

    struct membership *memberships; /* owned, of fixed size: they are linked */
    size_t membership_count;
    struct map spared; /* node id -> this edge: not for its own multicasts */
    size_t told_bytes; /* what is kept of all that it told */

    uint64_t tokens; /* bytes times 10^6 that it may send now */
    struct instant tokens_at;
};

struct hub {
    struct hub_conf conf;
    struct mesh_id *served; /* conf.meshes, owned */
    struct map conns;       /* conn -> edge */
    struct map meshes;      /* id -> mesh */
    struct map hosts;
    struct heap timers;
    struct shared_packets *parcels; /* all packets that wait */
    size_t told_bytes;              /* of all edges */
    struct edge *doomed;
    bool stopping;
    uint64_t clock; /* Unix seconds at clock_at; 0: never told */
    struct instant clock_at;
    struct instant pulse;
    struct instant woke_late; /* when it last found itself late */
    struct hub_counters counters;
    /* Of the step under way. */
    struct instant now;
    struct hub_todos *todos;
};

/* todos.c */
struct hub_todo *hub_todos_add(struct hub_todos *t, enum hub_todo_kind kind,
                               uint64_t conn);
/* Room in the list's arena, as a writer. */
struct writer hub_room(struct hub *h, size_t size);

/* hub.c */
uint64_t hub_unix_now(const struct hub *h);
bool hub_serves(const struct hub *h, const struct mesh_id *id);

/* admission.c: the first packet of a connection. */
void admission_packet(struct hub *h, const struct hub_event *event);

/* edges.c */
struct edge_start {
    const struct hub_event *event;
    const struct relay_hello *hello;
    const struct certificate *certificate;
};
/* Takes a place in all tables; room and uniqueness were checked before. */
struct edge *edge_new(struct hub *h, struct mesh *m,
                      const struct edge_start *start);
/* What is kept of what it told has changed: to be called after each change.
 * The largest edge goes if it is too much for all. */
void edge_weigh(struct hub *h, struct edge *e);
/* How many edges come from the network of the address. */
size_t edges_from(const struct hub *h, const struct address *address);
/* Removes and frees; tells nobody. */
void edge_free(struct hub *h, struct edge *e);
/* The edge is refused from now on: says why, drops, logs, tells the others
 * (departure 0: tells them nothing). */
void edge_refuse(struct hub *h, struct edge *e, enum refusal reason,
                 enum departure departure);
/* Makes place for the same node's new connection: refused, dropped, and the
 * others need not know. The mesh stays, even empty. */
void edge_replace(struct hub *h, struct edge *e);
/* The edge is gone: logs and tells the others. */
void edge_gone(struct hub *h, struct edge *e, enum departure departure);
void edge_heard(struct hub *h, struct edge *e);
void edge_silence_due(struct hub *h, struct edge *e);
/* Ends it if its certificate ran out, else looks again when it will have. */
void edge_check_expiry(struct hub *h, struct edge *e);
/* Ends those that could not take their control packets. */
void edges_reap(struct hub *h);

/* traffic.c */
/* Dooms the largest edges until so much can be kept. */
void hub_make_room(struct hub *h, size_t size);
void send_refused(struct hub *h, uint64_t conn, enum refusal reason);
/* Writes or queues a control packet; dooms an edge whose queue is full. The
 * bytes live in the list's arena. */
void edge_control(struct hub *h, struct edge *e, struct bytes packet);
void edge_forward(struct hub *h, struct edge *e, const struct hub_event *event);
/* Whether limits.rate allows it; it counts as sent then. */
bool edge_may_send(struct hub *h, struct edge *e, size_t size) MUST_USE;
/* Makes the event's packet one that the relay sends, in place. */
void packet_stamp(const struct hub_event *event, enum packet_type type,
                  const struct edge *source);
/* The event's packet on its way to one edge or many. */
struct delivery {
    const struct hub_event *event;
    const struct edge *from;
    struct shared_packet
        *copy; /* made for the first that is blocked, or NULL */
};
/* False if it does not fit the edge's queue and the sender has its share of
 * it. The delivery's copy is the caller's to release. */
bool edge_deliver(struct hub *h, struct edge *to, struct delivery *d) MUST_USE;
void edge_blocked(struct hub *h, struct edge *e);
/* Hands out what waits, a portion at a time. */
void edge_work(struct hub *h, struct edge *e);

/* groups.c [P-9.6] */
void edge_groups(struct hub *h, struct edge *e, struct bytes tags);
void edge_spare(struct hub *h, struct edge *e, struct bytes list);
void edge_multicast(struct hub *h, struct edge *e,
                    const struct hub_event *event);
/* It is in no group any more. */
void groups_leave(struct edge *e);

/* roster.c */
struct mesh *mesh_find(const struct hub *h, const struct mesh_id *id);
struct mesh *mesh_take(struct hub *h, const struct mesh_id *id);
/* Forgets the mesh if nothing in it is worth keeping. */
void mesh_release(struct hub *h, struct mesh *m);
void mesh_free(struct mesh *m);
/* Tells the others of the edge. */
void roster_present(struct hub *h, struct edge *e);
void roster_gone(struct hub *h, struct mesh *m, const struct node_id *node,
                 struct epoch epoch, enum departure reason);
/* The next portion of the roster; true once SYNCED was said. */
bool roster_sync(struct hub *h, struct edge *e);
void edge_announce(struct hub *h, struct edge *e, struct bytes sealed);
/* The others are told of the edge now or, after a burst, in a while. */
void edge_has_news(struct hub *h, struct edge *e);

/* revoked.c */
bool mesh_revoked(const struct mesh *m, const struct node_id *node);
void send_revocation(struct hub *h, struct edge *e);
/* A list from an edge, or from a file (edge NULL). */
void revocation_arrived(struct hub *h, struct edge *from, struct bytes list);

#endif
