/*
 * chat - the logic of `zs chat`: a conversation over an edge's local API,
 * without a terminal.
 *
 * The lines that the edge writes become entries of the conversation; the lines
 * that the user types become requests to the edge. A message has type "chat"
 * and a string as data ({"text": ...} is understood too). A message for
 * everybody, or for the group, is published; a message for one peer is sent.
 * Text from other nodes goes through sanitize.h before it becomes an entry.
 *
 *     chat_up(c, out);                     connected; send `out` to the edge
 *     chat_take(c, now, line);             for each line that the edge writes
 *     chat_say(c, now, "@bob hello", out); for each line that the user types
 *     chat_down(c, now);                   the connection to the edge broke
 */
#ifndef EDGE_TERM_CHAT_H
#define EDGE_TERM_CHAT_H

#include "common/base/text.h"
#include "edge/term/chat_roster.h"

#include <time.h>

enum { CHAT_KEPT = 1000, CHAT_TEXT = 64 * 1024 };

enum chat_kind {
    CHAT_NOTE,          /* an event: somebody joined, the edge is gone */
    CHAT_HINT,          /* why the line that the user typed does nothing */
    CHAT_HEARD,         /* from another node, to all */
    CHAT_HEARD_PRIVATE, /* from another node, to this one */
    CHAT_SAID,          /* by the user, to all */
    CHAT_SAID_PRIVATE   /* by the user, to one peer */
};

enum chat_fate { CHAT_NO_FATE, CHAT_WAITS, CHAT_DELIVERED, CHAT_FAILED };

struct chat_entry {
    enum chat_kind kind;
    time_t when;
    char *who;  /* the other node, with the group if it is not the room's */
    char *text; /* one line or several, separated by '\n' */
    enum chat_fate fate; /* of the user's own message */
    char *mark;          /* the fate in words; "" until it is known */
    uint64_t ref;        /* of the request to the edge */
};

/* Called for each new entry (is_new true), and again when the fate of an entry
 * becomes known (is_new false). */
typedef void chat_told(void *context, const struct chat_entry *entry,
                       bool is_new);

struct chat;

/* A chat in `group` (borrowed for the chat's life), or among all nodes if it is
 * NULL. `told` is called with `context`. */
struct chat *chat_new(const char *group, chat_told *told, void *context);
void chat_free(struct chat *c);

/* The connection to the edge is made: appends the first requests to `out`. */
void chat_up(struct chat *c, struct text *out);
/* The connection broke. Messages whose fate is unknown count as failed, because
 * their delivery cannot be known any more. */
void chat_down(struct chat *c, time_t now);
/* Handles one line from the edge. */
void chat_take(struct chat *c, time_t now, struct bytes line);
/* Requests the list of peers again, for round trips and groups, unless such a
 * request is open. */
void chat_refresh(struct chat *c, struct text *out);

enum chat_say {
    CHAT_DONE,
    CHAT_AWAY, /* the edge is not connected; nothing was done */
    CHAT_QUIT
};

/* Handles a line that the user typed: "text" goes to all, "@bob text" or "/msg
 * bob text" to one peer, "/help" and others are commands. A line that begins
 * with "@" or "/", also after blanks, never goes to all; "@@" and "//" begin a
 * line for all with one "@" or "/". edge/pages/chat_line.js does the same. */
enum chat_say chat_say(struct chat *c, time_t now, const char *line,
                       struct text *out) MUST_USE;
/* Completion: appends the rest of the only peer's name, or command, that `line`
 * may be the beginning of. Appends nothing if there is none or several. */
void chat_complete(const struct chat *c, struct bytes line, struct text *out);

/* Why the edge refuses this chat (the group's name is invalid), or NULL. */
const char *chat_refused(const struct chat *c);
/* Tells whether the list of peers is known and messages can be sent. */
bool chat_is_up(const struct chat *c);
/* Counts the messages whose fate is not known yet. */
size_t chat_waiting(const struct chat *c);
const char *chat_name(const struct chat *c); /* this node's, or "" */
const char *chat_room(const struct chat *c); /* "everyone", "#group" */
const struct chat_roster *chat_roster(const struct chat *c);
/* Entry `i`, where 0 is the oldest that is kept; NULL if there is none. */
const struct chat_entry *chat_entry(const struct chat *c, size_t i);
size_t chat_count(const struct chat *c);

#endif
