/*
 * chat - a conversation over an edge's API, without a terminal: what the edge
 * says becomes entries, what a person writes becomes requests.
 *
 * A message is of type "chat" and its data a string; it is published when it is
 * for all (or the group), sent when it is for one. {"text": ...} is understood
 * as well. Whatever others say is cleaned before it becomes an entry.
 *
 *     chat_up(c, out);                     connected: out is for the edge
 *     chat_take(c, now, line);             each line that the edge writes
 *     chat_say(c, now, "@bob hello", out); each line that the person writes
 *     chat_down(c, now);                   the edge went away
 */
#ifndef EDGE_TERM_CHAT_H
#define EDGE_TERM_CHAT_H

#include "common/base/text.h"
#include "edge/term/chat_roster.h"

#include <time.h>

enum { CHAT_KEPT = 1000, CHAT_TEXT = 64 * 1024 };

enum chat_kind {
    CHAT_NOTE,  /* what happened */
    CHAT_HINT,  /* the line that was written is no use, and why */
    CHAT_HEARD, /* to all */
    CHAT_HEARD_PRIVATE,
    CHAT_SAID, /* by this person, to all */
    CHAT_SAID_PRIVATE
};

enum chat_fate { CHAT_NO_FATE, CHAT_WAITS, CHAT_DELIVERED, CHAT_FAILED };

struct chat_entry {
    enum chat_kind kind;
    time_t when;
    char *who;  /* the other, and a group where it is not the room's */
    char *text; /* lines end with '\n', but the last */
    enum chat_fate fate;
    char *mark; /* the fate in words; "" until it is known */
    uint64_t ref;
};

/* The entry is new, or (is_new false) its fate is known now. */
typedef void chat_told(void *context, const struct chat_entry *entry,
                       bool is_new);

struct chat;

/* Without a group (NULL) the room is everyone. `group` is borrowed. */
struct chat *chat_new(const char *group, chat_told *told, void *context);
void chat_free(struct chat *c);

void chat_up(struct chat *c, struct text *out);
/* What waits is not known to be delivered. */
void chat_down(struct chat *c, time_t now);
void chat_take(struct chat *c, time_t now, struct bytes line);
/* Asks who is there, for round trips and groups, if the last is answered. */
void chat_refresh(struct chat *c, struct text *out);

enum chat_say { CHAT_DONE, CHAT_AWAY /* nothing was done */, CHAT_QUIT };

/* "text" to all, "@bob text" or "/msg bob text" to one, "/help" and more. What
 * begins with "@" or "/", also behind blanks, is never for all; "@@" and "//"
 * begin a line for all that shows the second. edge/pages/chat_line.js does the
 * same. */
enum chat_say chat_say(struct chat *c, time_t now, const char *line,
                       struct text *out) MUST_USE;
/* What a line that begins so may go on with; nothing is added if that is not
 * one name (or command). */
void chat_complete(const struct chat *c, struct bytes line, struct text *out);

/* Why the edge would have nothing to do with this chat (a wrong name of a
 * group), or NULL. */
const char *chat_refused(const struct chat *c);
/* Who is there is known, and messages are taken. */
bool chat_is_up(const struct chat *c);
/* Messages whose fate is not known yet. */
size_t chat_waiting(const struct chat *c);
const char *chat_name(const struct chat *c); /* this node's, or "" */
const char *chat_room(const struct chat *c); /* "everyone", "#group" */
const struct chat_roster *chat_roster(const struct chat *c);
/* The oldest is 0; NULL from the count on. */
const struct chat_entry *chat_entry(const struct chat *c, size_t i);
size_t chat_count(const struct chat *c);

#endif
