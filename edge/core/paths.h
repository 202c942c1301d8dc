/*
 * paths - the paths to one peer: which are up, their round trip times, and
 * which one to use [P-8].
 *
 * The kinds are preferred in the order tcp, udp, relay; of two paths of one
 * kind the faster one, with hysteresis so that two similar paths do not
 * alternate. When a path failed, its kind is held down: avoided for a time that
 * doubles with each failure. A change of the network ends all holds. A path on
 * which acknowledgements stall is suspected: every other path is preferred
 * until a probe proves it again. The same cut may have hit the other direct
 * paths, so these are tested then: relays are preferred until a probe proves
 * them. A direct path that no probe has proved yet is used only if there is no
 * other path.
 */
#ifndef EDGE_CORE_PATHS_H
#define EDGE_CORE_PATHS_H

#include "common/base/instant.h"
#include "edge/core/node.h"

enum { PATHS_MAX = 16, PATH_KINDS = PATH_RELAY + 1 };

struct path {
    enum node_path kind;         /* NONE: a free slot */
    uint32_t via;                /* the link, or the relay's index */
    bool probed;                 /* probes tell whether it works */
    bool proved;                 /* large packets pass in both directions */
    bool suspected;              /* makes no progress */
    bool tested;                 /* another direct path made none */
    struct instant suspected_at; /* without probes the suspicion expires */
    struct span rtt;             /* < 0: unknown */
    struct instant since;
};

struct path_hold {
    struct instant until;
    struct span next;         /* the length of the next hold */
    struct instant suspected; /* when a path of the kind was last suspected */
};

struct paths {
    struct path list[PATHS_MAX];
    struct path_hold holds[PATH_KINDS];
    struct path current; /* kind NONE: there is none */
};

/* To ask of one path, as of `current`. */
static inline bool path_exists(const struct path *p)
{
    return p->kind != PATH_NONE;
}
static inline bool path_is_relayed(const struct path *p) /* `via`: its index */
{
    return p->kind == PATH_RELAY;
}
static inline bool path_is_direct(const struct path *p) /* `via`: the link */
{
    return path_exists(p) && !path_is_relayed(p);
}
static inline bool path_is_dialed(const struct path *p)
{
    return p->kind == PATH_TCP;
}

void paths_init(struct paths *p);
/* A direct path came up; one that is probed is not proved yet. If all slots are
 * used, the new path is ignored. */
void paths_up(struct paths *p, enum node_path kind, uint32_t via, bool probed,
              struct instant now);
/* A path went down; `failed`: it fell silent, so its kind is held down. */
void paths_down(struct paths *p, enum node_path kind, uint32_t via, bool failed,
                struct instant now);
/* The relay lists the peer, or does not any more. */
void paths_relay_up(struct paths *p, uint32_t relay, struct instant now);
void paths_relay_down(struct paths *p, uint32_t relay, struct instant now);
/* Acknowledgements stall on the current path, which is suspected now. If it is
 * direct, all other direct paths are tested [P-8.10]. True if another path is
 * up, to which paths_choose then changes; if all paths are suspected, they take
 * turns. A kind that is suspected twice within a minute is held down. */
bool paths_suspect(struct paths *p, struct instant now) MUST_USE;
/* A probe proved the path, for the first time or again. */
void paths_trust(struct paths *p, enum node_path kind, uint32_t via);
void paths_measured(struct paths *p, enum node_path kind, uint32_t via,
                    struct span rtt);
/* Chooses again; true if `current` is another path than before. */
bool paths_choose(struct paths *p, struct instant now) MUST_USE;
/* Whether a direct path is up that is proved, not suspected, and not held
 * down. */
bool paths_have_direct(const struct paths *p, struct instant now);
/* Whether all direct paths, and there are some, failed a while ago or fail now.
 */
bool paths_avoid_direct(const struct paths *p, struct instant now);
/* The network changed: what failed may work now. */
void paths_forgive(struct paths *p);
/* When the next hold or suspicion expires, which may change the choice. */
struct instant paths_deadline(const struct paths *p, struct instant now);

#endif
