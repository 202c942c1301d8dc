/*
 * hub - the relay as a state machine without I/O [P-7].
 *
 * The hub knows which edges are connected and of which mesh each one is,
 * forwards their packets, and limits what each of them may use. The owner
 * numbers the connections. The first packet of a connection must be HELLO: the
 * hub checks its certificate, tells the other edges of the mesh, and from then
 * on forwards the edge's session packets by public key, with the sender's key
 * stamped in. The hub cannot read these packets. It stores nothing that would
 * be missed: after a restart it learns everything from new HELLOs.
 *
 *     hub_step(h, now, &event, &todos);
 *     for each of todos.items: do it;
 *     hub_todos_clear(&todos);
 *     at hub_deadline(h): hub_step with HUB_TICK
 */
#ifndef RELAY_CORE_HUB_H
#define RELAY_CORE_HUB_H

#include "common/base/arena.h"
#include "common/base/instant.h"
#include "common/wire/packet.h"
#include "common/wire/revocation.h"

struct hub;
struct shared_packet;

struct hub_conf {
    char name[NAME_MAX_SIZE + 1];
    uint64_t boot;        /* random, new at each start */
    uint8_t hash_key[16]; /* random; keys the hash tables */
    bool any_mesh;        /* an open relay: `meshes` does not count */
    const struct mesh_id *meshes;
    size_t mesh_count;
    struct {
        size_t edges;
        size_t edges_per_mesh;
        size_t edges_per_address;
        uint64_t rate; /* bytes a second from one edge; 0: no limit */
        size_t queue;  /* bytes queued for one edge */
        size_t memory; /* bytes stored for all edges; 0: no limit */
    } limits;
};

enum hub_event_kind {
    HUB_TICK,
    HUB_CLOCK,    /* wall-clock time: at start, then about once a minute */
    HUB_PACKET,   /* a packet came; the first one creates the connection */
    HUB_CLOSED,   /* the connection ended */
    HUB_BLOCKED,  /* the connection takes no writes until HUB_WRITABLE */
    HUB_WRITABLE, /* the connection takes writes again */
    HUB_REVOKE,   /* the owner read a revocation list from a file */
    HUB_STOP,     /* the hub sends SHUTDOWN to all edges */
};

struct hub_event {
    enum hub_event_kind kind;
    uint64_t conn;          /* the owner's number for it, never used twice */
    uint64_t unix_seconds;  /* CLOCK */
    struct curve_key key;   /* PACKET: the key that the handshake proved */
    struct address address; /* PACKET: the other end of the connection */
    /* PACKET: what to tell the edge of the connection's TLS; NULL: nothing */
    const struct relay_tls *tls;
    /* PACKET, REVOKE. The hub may change a PACKET's bytes during the step: it
     * turns FORWARD into FORWARDED in place [P-7.5], and MULTICAST into
     * MULTICASTED. */
    uint8_t *data;
    size_t size;
};

enum hub_todo_kind {
    HUB_WRITE, /* write `bytes` to `conn` */
    /* Write the event's own packet, as the hub changed it, to `conn`. A
     * MULTICAST causes one for each receiver. */
    HUB_FORWARD,
    HUB_DROP, /* close `conn`, and pass no more of its packets to the hub */
    HUB_LOG,  /* log that an edge came, left or was refused */
    HUB_KEEP, /* store `bytes`, a newer revocation list of log.mesh */
};

enum hub_log { HUB_EDGE_UP, HUB_EDGE_DOWN, HUB_EDGE_REFUSED };

struct hub_todo {
    enum hub_todo_kind kind;
    uint64_t conn;
    struct bytes bytes; /* valid until hub_todos_clear */
    /* A reference of the list's that keeps `bytes` alive, or NULL. */
    struct shared_packet *packet;
    struct {
        enum hub_log what;
        uint8_t reason; /* REFUSED: enum refusal; DOWN: enum departure */
        struct node_id node;
        struct mesh_id mesh;
        char name[NAME_MAX_SIZE + 1];
        struct address address;
    } log;
};

/* What the owner has to do, in this order; the owner clears the list after. */
struct hub_todos {
    struct hub_todo *items;
    size_t count;
    size_t capacity;
    struct arena arena; /* holds the bytes of the items */
};

void hub_todos_init(struct hub_todos *t);
/* Empties the list; the bytes of its items end. */
void hub_todos_clear(struct hub_todos *t);
void hub_todos_close(struct hub_todos *t);

/* Copies `conf` with its list of meshes. Never NULL. */
struct hub *hub_new(const struct hub_conf *conf, struct instant now);
/* NULL-safe. Tells the edges nothing: see HUB_STOP. */
void hub_free(struct hub *h);

/* Handles one event, then everything that is due at `now`, and appends to
 * `todos`.
 *
 * A FORWARD to a blocked connection is copied into that edge's queue, which
 * holds up to limits.queue bytes and is shared fairly by the senders [P-7.6].
 * If the queue is full, REFUSED with QUEUE_FULL goes to the sender, or to the
 * sender with the most bytes in the queue, whose packet is dropped. A
 * MULTICAST is queued in the same way, as one copy for all receivers; the hub
 * counts the copies that it drops.
 *
 * The nearer the stored bytes come to limits.memory, the fewer may be queued
 * for one edge: an edge that has more of them than this gets no new FORWARD or
 * MULTICAST. If a control packet finds no memory, the hub ends the edge that
 * uses the most. */
void hub_step(struct hub *h, struct instant now, const struct hub_event *event,
              struct hub_todos *todos);
/* When the owner must call hub_step at the latest, with HUB_TICK. */
struct instant hub_deadline(const struct hub *h);

/* Applies new limits and meshes (a reload), but no new `boot` or `hash_key`.
 * Refuses the edges of a mesh that the hub serves no longer. */
void hub_reconfigure(struct hub *h, const struct hub_conf *conf,
                     struct instant now, struct hub_todos *todos);

struct hub_counters {
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t handshakes;  /* valid HELLOs */
    uint64_t refused[32]; /* HELLOs and edges, by enum refusal */
    /* By enum refusal: FORWARDs, and each copy of a MULTICAST. */
    uint64_t dropped[32];
    uint64_t multicasts; /* MULTICASTs that came in and were valid */
    uint64_t copies;     /* of them that were written or queued */
    /* Queued now; a packet for many edges counts for each of them. */
    uint64_t queue_bytes;
    /* Stored now, in bytes: each queued packet once, and the announcements,
     * groups and SPARE lists of the edges. */
    uint64_t memory;
    uint64_t edges; /* connected now */
};
/* The `memory` of the counters, without the rest. */
size_t hub_memory(const struct hub *h);
void hub_counters_get(const struct hub *h, struct hub_counters *c);

#endif
