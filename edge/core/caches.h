/*
 * caches - tables of fixed size: what a node remembers of nodes that are not
 * its peers, of streams that ended, and of refusals that it logged. A new entry
 * overwrites the one in its slot, or the oldest one.
 */
#ifndef EDGE_CORE_CACHES_H
#define EDGE_CORE_CACHES_H

#include "common/base/instant.h"
#include "common/wire/ids.h"

/* A node whose beacon this node answered before it became a peer [P-4.5]. */
struct stranger {
    uint64_t certificate; /* hash of its verified certificate; 0: free slot */
    uint64_t cookie;
    struct instant answered_at;
};

/* A peer that was removed. If its process comes back, replayed INITs of that
 * process must not count [P-6.3]. */
struct removed_peer {
    struct node_id id;
    struct epoch epoch;
    uint64_t taken_counter; /* of its newest INIT; 0: free slot */
};

/* The position in a stream whose publisher was removed. If the publisher's host
 * only slept, it resends what this node had not acknowledged; the position
 * keeps this node from delivering a message twice [P-9.11]. */
struct stream_position {
    uint64_t stream; /* 0: free slot */
    uint64_t record; /* the first record of the next message */
    uint64_t message;
};

enum {
    LOGGED_REFUSALS = 64,
    STRANGERS = 256,
    REMOVED_PEERS = 256,
    STREAM_POSITIONS = 1024,
};

struct logged_refusal {
    uint64_t key; /* hash of the nodes and the reason; 0: free slot */
    struct instant at;
};

#endif
