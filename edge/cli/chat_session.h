/*
 * chat_session - the two faces of zs chat: the terminal's screen, and plain
 * lines where there is no terminal. Both drive one chat over a steady
 * connection.
 */
#ifndef EDGE_CLI_CHAT_SESSION_H
#define EDGE_CLI_CHAT_SESSION_H

#include "edge/cli/reconnecting_client.h"
#include "edge/term/chat.h"

struct chat_session {
    struct reconnecting_client edge;
    struct chat *chat;
    struct instant refresh; /* who is there is asked then */
};

/* One turn: what the edge says goes to the chat, for `most` at the longest.
 * What reconnecting_client_wait told. */
unsigned chat_session_turn(struct chat_session *t, int other, struct span most);
/* A line of the person's. What waits to be sent to an edge that is away is not
 * taken: CHAT_AWAY. */
enum chat_say chat_session_say(struct chat_session *t,
                               const char *line) MUST_USE;
/* Until what was said is answered, for `most` at the longest. */
void chat_session_finish(struct chat_session *t, struct span most);

/* These run until the end, and return the exit code. */
int chat_terminal(struct chat_session *t, const char *group);
int chat_plain(struct chat_session *t, const char *group);

#endif
