/*
 * chat_session - runs `zs chat`: one chat (edge/term/chat.h) over a connection
 * that reconnects.
 *
 * There are two user interfaces: the terminal's screen, and plain lines where
 * there is no terminal.
 */
#ifndef EDGE_CLI_CHAT_SESSION_H
#define EDGE_CLI_CHAT_SESSION_H

#include "edge/cli/reconnecting_client.h"
#include "edge/term/chat.h"

struct chat_session {
    struct reconnecting_client edge;
    struct chat *chat;
    struct instant refresh; /* when to request the list of peers again */
};

/* Waits for the edge, for `other` or for a signal, for `most` at the longest,
 * and gives the edge's lines to the chat. Returns what reconnecting_client_wait
 * returned. */
unsigned chat_session_turn(struct chat_session *t, int other, struct span most);
/* Handles a line that the user typed. While the edge is away it takes no
 * messages, and returns CHAT_AWAY. */
enum chat_say chat_session_say(struct chat_session *t,
                               const char *line) MUST_USE;
/* Waits until the edge has answered all messages, for `most` at the longest. */
void chat_session_finish(struct chat_session *t, struct span most);

/* These run the chat until it ends, and return the exit code: chat_terminal on
 * the terminal's screen, chat_plain with a message for each line of stdin and a
 * line of stdout for each entry. */
int chat_terminal(struct chat_session *t, const char *group);
int chat_plain(struct chat_session *t, const char *group);

#endif
