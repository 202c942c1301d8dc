/*
 * chat_roster - the list of present peers that a chat keeps.
 *
 * The room of a chat with a group holds only the peers that are in the group;
 * private messages can go to the other peers too.
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
    char name[CHAT_PEER_NAME]; /* sanitized, see sanitize.h */
    char path[CHAT_PEER_PATH];
    double rtt_ms; /* < 0: unknown */
    bool in_room;
    bool told; /* chat_roster_take got it since chat_roster_begin */
};

/* A zeroed roster is empty and ready. */
struct chat_roster {
    const char *group;     /* borrowed; NULL: every peer is in the room */
    struct chat_peer *all; /* sorted by name */
    size_t count, room;    /* of `all`: used, allocated */
};

void chat_roster_close(struct chat_roster *p);

/* Adds or updates a peer from the API's object with its id, name, path, groups
 * and rtt_ms. Returns the peer, valid until the next change of the roster; NULL
 * if the object has no valid id, or the roster is full. */
struct chat_peer *chat_roster_take(struct chat_roster *p, const json_t *peer);
void chat_roster_remove(struct chat_roster *p, const char *id);
struct chat_peer *chat_roster_find(const struct chat_roster *p, const char *id);

/* Clears `told` of all peers, so that after a new list from the edge the caller
 * sees which peers are gone. */
void chat_roster_begin(struct chat_roster *p);

enum chat_roster_named {
    CHAT_ROSTER_ONE,
    CHAT_ROSTER_NONE,
    CHAT_ROSTER_SEVERAL
};

/* Finds a peer by its name, else by the first 8 or more digits of its id. */
enum chat_roster_named
chat_roster_named(const struct chat_roster *p, const char *name,
                  const struct chat_peer **found) MUST_USE;
/* Counts the peers in the room. */
size_t chat_roster_count(const struct chat_roster *p);
/* The next peer in the room, by name; NULL after the last. *cursor is 0 at
 * first. */
const struct chat_peer *chat_roster_next(const struct chat_roster *p,
                                         size_t *cursor);

/* Writes a path and its round trip into `room`, and returns it: "tcp, 0.42 ms",
 * or "no path" if `path` is none. */
enum { CHAT_PEER_WAY = 48 };
const char *chat_peer_way(const char *path, double rtt_ms,
                          char room[CHAT_PEER_WAY]);

#endif
