/*
 * chat_private - the struct and functions that the files of chat share.
 */
#ifndef EDGE_TERM_CHAT_PRIVATE_H
#define EDGE_TERM_CHAT_PRIVATE_H

#include "edge/term/chat.h"

struct chat {
    const char *group;
    chat_told *told;
    void *context;
    char name[CHAT_PEER_NAME]; /* this node's */
    char room[CHAT_PEER_NAME + 1];
    struct chat_roster roster;
    struct chat_entry entries[CHAT_KEPT]; /* a ring */
    size_t first, count, waiting;
    uint64_t next_ref;
    /* The refs of open requests; 0: none is open. */
    uint64_t status_ref, subscribe_ref, peers_ref;
    char *refused;
    bool connected, synced, was_synced;
};

/* Adds an entry with sanitized copies of `who` and `text`, and calls `told`. */
struct chat_entry *chat_add(struct chat *c, time_t now, enum chat_kind kind,
                            const char *who, const char *text);
void chat_note(struct chat *c, time_t now, enum chat_kind kind,
               const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Appends the names of the peers in the room: "bob, carol and 3 more", or
 * "nobody". With `ways` each name has its path and round trip. */
void chat_names(const struct chat *c, bool ways, struct text *out);

#endif
