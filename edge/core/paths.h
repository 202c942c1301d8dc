/*
 * paths - the ways to one peer: which are up, what they measure, and which to
 * use [P-8].
 *
 * The better kind goes first (tcp, udp, relay); among those of one kind the
 * faster, with hysteresis so that two alike do not take turns. A kind whose
 * path failed is held down for a while that doubles; a change of the network
 * forgets that. A path on which acknowledgements stall is in doubt: any other
 * goes before it, until it has proved itself. A direct path that has yet to
 * prove itself for the first time is used only if there is nothing else.
 */
#ifndef EDGE_CORE_PATHS_H
#define EDGE_CORE_PATHS_H

#include "common/base/instant.h"
#include "edge/core/node.h"

enum { PATHS_MAX = 16, PATH_KINDS = PATH_RELAY + 1 };

struct path {
    enum node_path kind; /* NONE: a free slot */
    uint32_t via;        /* the link, or the relay's index */
    bool proved;         /* large packets pass, both ways */
    bool doubted;
    struct instant doubted_at; /* a relay's doubt ends by itself */
    struct span rtt;           /* < 0: unknown */
    struct instant since;
};

struct path_hold {
    struct instant until;
    struct span next;       /* how long the next failure holds it down */
    struct instant doubted; /* when a path of the kind last was in doubt */
};

struct paths {
    struct path list[PATHS_MAX];
    struct path_hold holds[PATH_KINDS];
    struct path current; /* kind NONE: there is none */
};

void paths_init(struct paths *p);
/* A path is there; a direct one is not proved yet. Without room the new one is
 * ignored. */
void paths_up(struct paths *p, enum node_path kind, uint32_t via,
              struct instant now);
/* It does not any more; `failed`: it fell silent, so its kind is held down. */
void paths_down(struct paths *p, enum node_path kind, uint32_t via, bool failed,
                struct instant now);
/* The current path stalls. True if there is another, so that choosing again
 * changes to it: those in doubt take turns. */
bool paths_doubt(struct paths *p, struct instant now) MUST_USE;
/* It proved itself, at last or again. A kind in doubt again within a minute is
 * held down. */
void paths_trust(struct paths *p, enum node_path kind, uint32_t via);
void paths_measured(struct paths *p, enum node_path kind, uint32_t via,
                    struct span rtt);
/* Chooses again; true if `current` is another path than before. */
bool paths_choose(struct paths *p, struct instant now) MUST_USE;
/* The network changed: what failed may work now. */
void paths_forgive(struct paths *p);
/* When a hold or a doubt ends that may change the choice. */
struct instant paths_deadline(const struct paths *p, struct instant now);

#endif
