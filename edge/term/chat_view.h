/*
 * chat_view - a chat as a terminal shows it: a bar with who one is and where,
 * what was said, who is here at the right where there is room, and the line
 * that is being written.
 */
#ifndef EDGE_TERM_CHAT_VIEW_H
#define EDGE_TERM_CHAT_VIEW_H

#include "edge/term/chat.h"
#include "edge/term/line_editor.h"

struct chat_view {
    int scroll;        /* rows between the last that is shown and the last */
    int rows, columns; /* of what was said, as it was drawn last */
};

void chat_view_draw(struct chat_view *v, const struct chat *c,
                    const struct line_editor *e, struct canvas *canvas);
/* A page up (back in time) or, negative, down. */
void chat_view_page(struct chat_view *v, int pages);
/* What is shown stays where it is while one reads what was said before. */
void chat_view_grew(struct chat_view *v, const struct chat_entry *entry);

/* An entry as one line, for a file or a pipe; adds a line end. */
void chat_line(const struct chat_entry *entry, struct text *out);

#endif
