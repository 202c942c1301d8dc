/*
 * hub - the relay as a machine without I/O: who is connected, which mesh they
 * are of, where their packets go, and what each may use [P-7].
 *
 * A connection is named by its owner and speaks first with HELLO. The hub
 * checks the certificate, tells the mesh's others, and from then on forwards
 * session packets by public key, stamping the sender. It cannot read them. It
 * keeps nothing that matters: started anew, it learns all from the HELLOs.
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
    uint64_t boot;        /* random, one for each start */
    uint8_t hash_key[16]; /* random */
    bool any_mesh;        /* an open relay */
    const struct mesh_id *meshes;
    size_t mesh_count;
    struct {
        size_t edges;
        size_t edges_per_mesh;
        size_t edges_per_address;
        uint64_t rate;     /* bytes a second from one edge; 0: no limit */
        size_t queue;      /* bytes waiting for one edge */
        size_t memory;     /* bytes kept for all of them; 0: no limit */
        struct span hello; /* from the first packet... to a good HELLO */
    } limits;
};

enum hub_event_kind {
    HUB_TICK,
    HUB_CLOCK,    /* wall-clock time; at start and every minute or so */
    HUB_PACKET,   /* from a connection; the first one makes it known */
    HUB_CLOSED,   /* the connection ended */
    HUB_BLOCKED,  /* it takes no more writes until */
    HUB_WRITABLE, /* this */
    HUB_REVOKE,   /* a revocation list from a file */
    HUB_STOP,     /* say SHUTDOWN to all */
};

struct hub_event {
    enum hub_event_kind kind;
    uint64_t conn; /* the owner's name for it, never used twice */
    uint64_t unix_seconds;
    struct curve_key key;   /* PACKET: the edge's CURVE key, proved */
    struct address address; /* PACKET: where it comes from */
    /* PACKET, REVOKE. A PACKET's bytes are the hub's to change for the step:
     * FORWARD becomes FORWARDED in place [P-7.5], and MULTICAST becomes
     * MULTICASTED. */
    uint8_t *data;
    size_t size;
};

enum hub_todo_kind {
    HUB_WRITE, /* conn, bytes (in the todo list) */
    /* conn: write the event's own packet, changed in place; a MULTICAST to
     * many */
    HUB_FORWARD,
    HUB_DROP, /* conn: close or ignore it from now on */
    HUB_LOG,  /* to be logged: an edge came, went, was refused */
    HUB_KEEP, /* bytes: a newer revocation list */
};

enum hub_log { HUB_EDGE_UP, HUB_EDGE_DOWN, HUB_EDGE_REFUSED };

struct hub_todo {
    enum hub_todo_kind kind;
    uint64_t conn;
    struct bytes bytes;
    struct shared_packet *parcel; /* the list's: it holds the bytes, or NULL */
    struct {
        enum hub_log what;
        uint8_t reason; /* REFUSED: enum refusal; DOWN: enum departure */
        struct node_id node;
        struct mesh_id mesh;
        char name[NAME_MAX_SIZE + 1];
        struct address address;
    } log;
};

struct hub_todos {
    struct hub_todo *items;
    size_t count;
    size_t capacity;
    struct arena arena;
};

void hub_todos_init(struct hub_todos *t);
void hub_todos_clear(struct hub_todos *t);
void hub_todos_close(struct hub_todos *t);

/* Copies conf. */
struct hub *hub_new(const struct hub_conf *conf, struct instant now);
void hub_free(struct hub *h);
/* One event, then what is due. Appends to `todos`. A FORWARD that a blocked
 * connection cannot take is queued by the hub (copied), up to limits.queue,
 * which its senders share [P-7.6]: beyond, the sender gets REFUSED with
 * QUEUE_FULL, or who holds most of the queue does. A MULTICAST is queued in
 * the same way, as one copy for all; what does not fit is counted. The less is
 * left of limits.memory, the less may wait for one edge: whoever has more of
 * it takes nothing more, and for what has to be told the largest goes. */
void hub_step(struct hub *h, struct instant now, const struct hub_event *event,
              struct hub_todos *todos);
struct instant hub_deadline(const struct hub *h);

/* New limits and meshes at a reload; edges of a mesh that is no longer served
 * are dropped. */
void hub_reconfigure(struct hub *h, const struct hub_conf *conf,
                     struct instant now, struct hub_todos *todos);

struct hub_counters {
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t handshakes;  /* good HELLOs */
    uint64_t refused[32]; /* by enum refusal */
    /* By enum refusal: forwards, and each copy of a multicast. */
    uint64_t dropped[32];
    uint64_t multicasts;  /* that came in and were fanned out, */
    uint64_t copies;      /* to so many edges, at once or queued */
    uint64_t queue_bytes; /* now; a packet for many counts for each */
    uint64_t memory;      /* kept now: packets once, and what edges told */
    uint64_t edges;       /* now */
};
/* What is kept now for all edges, in bytes: counters' `memory`. */
size_t hub_memory(const struct hub *h);
void hub_counters_get(const struct hub *h, struct hub_counters *c);

#endif
