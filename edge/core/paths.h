/*
 * paths - the ways to one peer: which are up, what they measure, and which to
 * use [P-8].
 *
 * The better kind goes first (tcp, udp, relay); among those of one kind the
 * faster, with hysteresis so that two alike do not take turns. A kind whose
 * path failed is held down for a while that doubles; a change of the network
 * forgets that.
 */
#ifndef EDGE_CORE_PATHS_H
#define EDGE_CORE_PATHS_H

#include "common/base/instant.h"
#include "edge/core/node.h"

enum { PATHS_MAX = 16, PATH_KINDS = PATH_RELAY + 1 };

struct path {
    enum node_path kind; /* NONE: a free slot */
    uint32_t via;        /* the link, or the relay's index */
    struct span rtt;     /* < 0: unknown */
    struct instant since;
};

struct path_hold {
    struct instant until;
    struct span next; /* how long the next failure holds it down */
};

struct paths {
    struct path list[PATHS_MAX];
    struct path_hold holds[PATH_KINDS];
    struct path current; /* kind NONE: there is none */
};

void paths_init(struct paths *p);
/* A path works. Without room the new one is ignored. */
void paths_up(struct paths *p, enum node_path kind, uint32_t via,
              struct instant now);
/* It does not any more; `failed`: it fell silent, so its kind is held down. */
void paths_down(struct paths *p, enum node_path kind, uint32_t via, bool failed,
                struct instant now);
void paths_measured(struct paths *p, enum node_path kind, uint32_t via,
                    struct span rtt);
/* Chooses again; true if `current` is another path than before. */
bool paths_choose(struct paths *p, struct instant now) MUST_USE;
/* The network changed: what failed may work now. */
void paths_forgive(struct paths *p);
/* When a hold ends that may change the choice. */
struct instant paths_deadline(const struct paths *p, struct instant now);

#endif
