/*
 * mesh - nodes and one relay in memory, to count what a message costs them.
 *
 * The pure cores are wired back to back: what one writes waits for the other's
 * next step. There is no I/O and no clock, so that a run is the same run each
 * time, to the instruction. Member 0 is the sender.
 *
 *     mesh_open(&m, &shape);
 *     mesh_send(&m, 64) ... mesh_turn(&m) ...
 *     m.measured = true; ... the same; now it is counted
 *     mesh_close(&m);
 */
#ifndef TESTS_BENCH_CORE_MESH_H
#define TESTS_BENCH_CORE_MESH_H

#include "edge/core/node.h"
#include "relay/core/hub.h"
#include "tests/bench/core/steps.h"

enum mesh_way { WAY_DIRECT, WAY_RELAY, WAY_PUBLISH };

struct mesh_shape {
    enum mesh_way way;
    bool aes;         /* seals by AES; else by ChaCha */
    size_t size;      /* bytes of a message, at least 8 */
    size_t receivers; /* 1, but for PUBLISH */
    size_t idle;      /* peers that are present and say nothing */
};

/* What waits for a member's next step. */
struct mesh_inbox {
    struct steps_message *messages; /* to submit before it */
    size_t message_count;
    size_t message_room;
    struct node_event *events;
    size_t count;
    size_t room;
    struct arena arena;
};

struct mesh_member {
    struct node *node;
    struct todo todo;
    struct mesh_inbox inboxes[2]; /* one fills while the other is handled */
    struct mesh_inbox *inbox;
    struct address address;
    uint64_t conn;       /* at the hub */
    uint32_t relay_link; /* 0: none yet */
    uint64_t had;        /* messages, in order */
    uint64_t delivered;
};

/* A direct link, by its name at each end. */
struct mesh_wire {
    struct mesh_member *end[2];
    uint32_t link[2];
};

enum { MESH_WIRES = 8, MESH_MESSAGE = 64 * 1024 };

struct bench_mesh {
    struct mesh_shape shape;
    struct instant now;
    struct hub *hub;
    struct hub_todos hub_todos;
    struct mesh_member *members; /* the sender, then the receivers */
    size_t count;
    struct mesh_wire wires[MESH_WIRES];
    size_t wire_count;
    uint8_t packet[PACKET_SIZE]; /* the one that the hub has */
    bool measured;
    uint64_t sent;
    uint64_t wrong;       /* lost, twice, out of order, refused, busy */
    uint64_t allocations; /* by steps that were measured */
    uint64_t uploaded;    /* bytes written by the sender, measured */
};

/* Everybody is there and has the path that is asked for, or false. */
bool mesh_open(struct bench_mesh *m, const struct mesh_shape *shape);
void mesh_close(struct bench_mesh *m);
/* Puts one message into the sender's next step. */
void mesh_send(struct bench_mesh *m);
/* Some time passes, and whoever has something to do takes a step. */
void mesh_turn(struct bench_mesh *m);
/* All that was sent is acknowledged; receivers have it. */
bool mesh_is_quiet(const struct bench_mesh *m);

#endif
