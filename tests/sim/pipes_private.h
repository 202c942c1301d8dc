/*
 * pipes_private - declarations that the files of streams share.
 *
 * A pipe is one connection. Side 0 opened it, side 1 listens. The packets of a
 * side arrive in order. A packet that cannot pass waits in `stalled`, as unsent
 * TCP data does, and all later ones wait behind it. A pipe is freed when both
 * ends are closed and no event names it.
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
    int host; /* -1: the connection did not arrive there yet */
    struct host_interface home;
    uint32_t serial; /* of the process that owns the end */
    uint64_t id;     /* the link's id, or the hub's id of the connection */
    bool told;       /* the owner was told that it is open */
    bool open;       /* neither closed by the owner, nor told to it as closed */
    bool deaf;       /* the owner forgot it, but the connection stays open */
    bool blocked;    /* the owner was told that it is blocked */
    size_t waiting;  /* bytes sent that the other end did not take yet */
    struct instant last_arrival; /* of what this side sent */
    struct stalled stalled;
};

struct pipe {
    struct pipe *next;
    uint64_t serial;
    size_t events; /* in the queue that name this pipe */
    int nat;       /* the segment whose NAT it passes; -1: none */
    struct pipe_end ends[2];
    bool to_relay;
    enum relay_form form;     /* to a relay: the connector's */
    struct address seen_from; /* the connector's address for the listener */
    struct address to;
    struct curve_key connector_key, listener_key;
    struct span delay;
};

/* From now on pipe_find finds the end by its owner and id. */
void pipe_enter(struct world *w, struct pipe_end *end);
/* Tells both ends that the connection ended; unsent data is lost. */
void pipe_break(struct world *w, struct pipe *p);
/* Frees the pipes that ended. */
void pipes_sweep(struct world *w);
/* The process that owns the end; NULL: it ended. */
struct process *pipe_process(struct world *w, const struct pipe_end *end);
struct hub_process *pipe_hub(struct world *w, const struct pipe_end *end);
/* The connection attempt arrives at the listener's host. */
void pipe_arrives(struct world *w, struct pipe *p, int host);
/* Tells the connector the result. */
void pipe_connected(struct world *w, struct pipe *p, enum link_failure failure);

/* forms.c: what the form of a connection to a relay changes. */
bool pipe_form_carries(const struct world *w, const struct pipe *p);
int pipe_form_delays(const struct pipe *p);
/* How a connection attempt in this form fails; 0: it does not. */
enum link_failure pipe_form_fails(const struct world *w, const struct pipe *p);
void pipe_form_opened(struct world *w, struct pipe *p);
void pipe_form_cut(struct world *w, struct pipe *p);

#endif
