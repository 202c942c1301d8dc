/*
 * chat_roster - who is in a chat: the peers that are present, by their ids.
 *
 * With a group only those are in the room who are in the group; the others can
 * be written to all the same.
 */
#ifndef EDGE_TERM_CHAT_ROSTER_H
#define EDGE_TERM_CHAT_ROSTER_H

#include "common/base/assert.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { CHAT_PEER_ID = 64, CHAT_PEER_NAME = 128, CHAT_PEER_PATH = 16 };

struct chat_peer {
    char id[CHAT_PEER_ID + 1];
    char name[CHAT_PEER_NAME]; /* fit to be shown */
    char path[CHAT_PEER_PATH];
    double rtt_ms; /* < 0: not known */
    bool in_room;
    bool told; /* of since the last chat_roster_begin */
};

/* A zeroed people is empty and ready. Sorted by name. */
struct chat_roster {
    const char *group; /* NULL: everyone; borrowed */
    struct chat_peer *all;
    size_t count, room;
};

void chat_roster_close(struct chat_roster *p);

/* Takes what the edge says of a peer: its id, name, path, groups, rtt_ms. The
 * person is valid until the next change; NULL if it is none. */
struct chat_peer *chat_roster_take(struct chat_roster *p, const json_t *peer);
void chat_roster_remove(struct chat_roster *p, const char *id);
struct chat_peer *chat_roster_find(const struct chat_roster *p, const char *id);

/* From now on who is not taken is not told of. */
void chat_roster_begin(struct chat_roster *p);

enum chat_roster_named {
    CHAT_ROSTER_ONE,
    CHAT_ROSTER_NONE,
    CHAT_ROSTER_SEVERAL
};

/* By name, else by the begin of the id, 8 digits or more. */
enum chat_roster_named
chat_roster_named(const struct chat_roster *p, const char *name,
                  const struct chat_peer **found) MUST_USE;
/* How many are in the room, and the next of them from *cursor (0 at first). */
size_t chat_roster_count(const struct chat_roster *p);
const struct chat_peer *chat_roster_next(const struct chat_roster *p,
                                         size_t *cursor);

/* "tcp, 0.42 ms"; "no path" where there is none. */
enum { CHAT_PEER_WAY = 48 };
const char *chat_peer_way(const char *path, double rtt_ms,
                          char room[CHAT_PEER_WAY]);

#endif
