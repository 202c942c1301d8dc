/*
 * talk - the two faces of zs chat: the terminal's screen, and plain lines where
 * there is no terminal. Both drive one chat over a steady connection.
 */
#ifndef EDGE_CLI_TALK_H
#define EDGE_CLI_TALK_H

#include "edge/cli/reconnecting_client.h"
#include "edge/term/chat.h"

struct talk {
    struct reconnecting_client edge;
    struct chat *chat;
    struct instant refresh; /* who is there is asked then */
};

/* One turn: what the edge says goes to the chat, for `most` at the longest.
 * What reconnecting_client_wait told. */
unsigned talk_turn(struct talk *t, int other, struct span most);
/* A line of the person's. What waits to be sent to an edge that is away is not
 * taken: CHAT_AWAY. */
enum chat_say talk_say(struct talk *t, const char *line) MUST_USE;
/* Until what was said is answered, for `most` at the longest. */
void talk_finish(struct talk *t, struct span most);

/* These run until the end, and return the exit code. */
int talk_on_screen(struct talk *t, const char *group);
int talk_in_lines(struct talk *t, const char *group);

#endif
