/*
 * crowd - thousands of light edges in one process, for measuring a relay.
 *
 * A light edge does what a relay sees of an edge: it connects with CURVE and an
 * identity of its own, says HELLO, reads the roster, sends PINGs, connects
 * again when the relay went away; and it may talk to one other node through an
 * end-to-end session. It does not check what the roster says of other nodes, so
 * it costs little.
 *
 * Each light edge connects from an address of its own in 127.0.0.0/8, because a
 * relay limits what one address may do.
 */
#ifndef TESTS_BENCH_CROWD_CROWD_H
#define TESTS_BENCH_CROWD_CROWD_H

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/conf/mesh_folder.h"
#include "common/conf/relay_url.h"
#include "common/core/session.h"
#include "common/io/byte_queue.h"
#include "common/zmtp/zmtp.h"

#include <netinet/in.h>

enum crowd_role {
    CROWD_IDLE,
    CROWD_PAIRS,      /* edges 2i and 2i + 1 talk to each other */
    CROWD_FAN_IN,     /* all edges talk to one node */
    CROWD_HANDSHAKES, /* no HELLO: the handshake is all */
};

struct crowd_options {
    enum crowd_role role;
    struct relay_url relay;
    size_t edges;      /* of this process */
    size_t first;      /* the number of its first edge among all */
    size_t all;        /* edges of all processes; `meshes` of the same size */
    size_t pairs;      /* PAIRS: so many of all edges, from the first ones on */
    size_t peers;      /* so many others must be present */
    size_t at_once;    /* handshakes at the same time */
    size_t size;       /* of a message, bytes */
    struct span every; /* between two messages of an edge */
    struct span probe; /* between two PINGs */
    struct span lost_after;
    struct node_id to; /* FAN_IN */
};

/* What the edges of one mesh share. */
struct crowd_mesh {
    struct mesh_folder key;
    struct mesh_keys keys;
    /* The nodes that were seen so far, each with its number + 1: an edge keeps
     * a bit for each of them. */
    struct map nodes;
    size_t node_count;
};

struct crowd_counts {
    uint64_t sent, delivered, undelivered; /* by the senders */
    uint64_t had, lost, doubled;           /* by the receivers */
    uint64_t bytes_in, bytes_out;          /* on the wire */
    uint64_t ended;                        /* connections that were open */
    uint64_t refused;                      /* by the relay, any reason */
};

struct light_crowd {
    struct crowd_options options;
    struct crowd_mesh *meshes;
    size_t mesh_count;
    struct light *edges;
    struct heap timers;
    struct entropy entropy;
    struct slabs slabs;
    struct session_counters sessions;
    struct crowd_counts counts;
    size_t connecting; /* not up, with a socket */
    size_t up;         /* edges that know all that they should */
    size_t open;       /* messages sent and not settled */
    bool stopping;     /* no new messages */
    int epoll_fd;
    struct instant now;
};

enum light_state {
    LIGHT_AWAY,    /* connects at timer.at */
    LIGHT_OPENING, /* TCP and CURVE */
    LIGHT_JOINING, /* reads the roster */
    LIGHT_UP,
};

struct light_talk;

struct light {
    struct light_crowd *crowd;
    struct crowd_mesh *mesh;
    size_t number; /* among all edges */
    enum light_state state;
    bool complete; /* counted in crowd.up */
    bool waits;    /* for EPOLLOUT */
    int fd;
    struct zmtp zmtp;
    struct byte_queue in; /* the beginning of a frame */
    struct byte_queue out;
    struct timer timer;
    struct instant ping_at;
    struct span backoff;
    struct epoch epoch;
    struct curve_pair curve;
    uint8_t secret_key[64];
    uint8_t *hello; /* the HELLO packet */
    size_t hello_size;
    uint8_t *present; /* a bit for each node of the mesh */
    size_t present_size;
    size_t present_count;
    struct light_talk *talk; /* NULL: it talks to nobody */
};

/* ---- light.c: the connection */

/* Prepares an edge: its identity and HELLO. Never fails. */
void light_init(struct light *l, struct light_crowd *c, size_t number);
/* Handles what its socket is ready for. */
void light_ready(struct light *l, uint32_t events);
/* Handles what is due. */
void light_due(struct light *l);
/* Sends a packet; false if the edge is not connected. */
bool light_send(struct light *l, struct bytes packet);
/* Sets the timer again: what is due has changed. */
void light_set_timer(struct light *l);
/* The identity of an edge, which every process derives alike. */
void light_identity(const struct crowd_mesh *m, size_t number,
                    struct node_id *id, uint8_t secret_key[64]);
struct crowd_mesh *crowd_mesh_of(const struct light_crowd *c, size_t number);

/* ---- talk.c: the session with one other node */

void talk_init(struct light *l);
/* The roster told of the node, of whatever process. */
void talk_present(struct light *l, const struct node_id *node,
                  struct epoch epoch);
void talk_gone(struct light *l, const struct node_id *node);
/* The edge is connected again. */
void talk_path_changed(struct light *l);
void talk_take(struct light *l, const uint8_t source[KEY_SIZE], uint8_t *packet,
               size_t size);
void talk_refused(struct light *l, uint8_t reason);
/* Sends what is due; says when it wants to be called again. */
struct instant talk_due(struct light *l);

void crowd_die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
