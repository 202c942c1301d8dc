/*
 * pipes_private - what the streams' files share.
 *
 * A pipe is one connection. Side 0 opened it, side 1 listens. What a side sends
 * arrives in order; what does not pass waits in `stalled`, as unsent TCP data
 * does, with everything after it. A pipe is freed once both ends are closed and
 * nothing is under way.
 */
#ifndef TESTS_SIM_PIPES_PRIVATE_H
#define TESTS_SIM_PIPES_PRIVATE_H

#include "tests/sim/world.h"

struct stalled {
    struct event *first, **end;
};

struct pipe_end {
    struct pipe *pipe;
    struct pipe_end *next_in_bucket;
    int host; /* -1: it did not arrive there yet */
    struct host_interface home;
    uint32_t serial; /* of the process that has it */
    uint64_t id;     /* the link's, or the hub's name for the connection */
    bool told;       /* the owner knows of it */
    bool open;       /* the owner did not close it, and was not told so */
    bool deaf;       /* forgotten by its owner, yet the connection stands */
    bool blocked;    /* the owner was told to wait */
    size_t waiting;  /* bytes sent and not yet taken at the other end */
    struct instant last_arrival; /* of what this side sent */
    struct stalled stalled;
};

struct pipe {
    struct pipe *next;
    uint64_t serial;
    size_t events; /* that speak of it */
    int nat;       /* the segment it leaves by NAT; -1: none */
    struct pipe_end ends[2];
    struct address seen_from; /* the connector, as the listener sees it */
    struct address to;
    struct curve_key connector_key, listener_key;
    struct span delay;
};

/* It is found by its owner and id from now on. */
void pipe_enter(struct world *w, struct pipe_end *end);
/* Frees those that are over. */
void pipes_sweep(struct world *w);
/* The process that has the end; NULL: it is gone. */
struct process *pipe_process(struct world *w, const struct pipe_end *end);
struct hub_process *pipe_hub(struct world *w, const struct pipe_end *end);
/* The connector's packet is at the listener's host. */
void pipe_arrives(struct world *w, struct pipe *p, int host);
/* The connector learns what came of it. */
void pipe_connected(struct world *w, struct pipe *p, enum link_failure failure);

#endif
