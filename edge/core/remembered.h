/*
 * remembered - what a node keeps of those whom it does not know, in tables of
 * fixed sizes, of which the newest takes the place.
 */
#ifndef EDGE_CORE_REMEMBERED_H
#define EDGE_CORE_REMEMBERED_H

#include "common/base/instant.h"
#include "common/wire/ids.h"

/* A node that was answered before anything of it was taken up [P-4.5]. */
struct stranger {
    uint64_t certificate; /* a hash of it: its signature is good; 0: free */
    uint64_t cookie;
    struct instant answered_at;
};

/* What remains of a peer that was forgotten: its process may come back, and its
 * old INITs must not count then [P-6.3]. */
struct forgotten {
    struct node_id id;
    struct epoch epoch;
    uint64_t taken_counter; /* 0: free */
};

/* How far a stream was that is forgotten, as its publisher was gone for long.
 * It may only have slept, and not know what was taken: no message of it is to
 * come twice [P-9.11]. */
struct stream_position {
    uint64_t stream; /* 0: free */
    uint64_t record; /* the next message begins with it */
    uint64_t message;
};

enum {
    REFUSALS_REMEMBERED = 64,
    STRANGERS = 256,
    FORGOTTEN = 256,
    STREAMS_REMEMBERED = 1024,
};

struct remembered_refusal {
    uint64_t key; /* of who and why; 0: free */
    struct instant at;
};

#endif
