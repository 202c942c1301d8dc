/*
 * chat_view - draws a chat on a canvas.
 *
 * At the top is a bar with this node's name and the room, below it the
 * conversation, at its right the peers in the room if the screen is wide
 * enough, and at the bottom the line that the user types.
 */
#ifndef EDGE_TERM_CHAT_VIEW_H
#define EDGE_TERM_CHAT_VIEW_H

#include "edge/term/chat.h"
#include "edge/term/line_editor.h"

struct chat_view {
    int scroll;        /* rows of the conversation below those shown */
    int rows, columns; /* of the conversation, as last drawn */
};

void chat_view_draw(struct chat_view *v, const struct chat *c,
                    const struct line_editor *e, struct canvas *canvas);
/* Scrolls by pages: up, to older messages, or down if `pages` is negative. */
void chat_view_page(struct chat_view *v, int pages);
/* A new entry came: adjusts `scroll` so that the rows shown stay in place if
 * the user reads older messages. */
void chat_view_grew(struct chat_view *v, const struct chat_entry *entry);

/* Appends an entry as one line with a line end, for a file or a pipe. */
void chat_line(const struct chat_entry *entry, struct text *out);

#endif
