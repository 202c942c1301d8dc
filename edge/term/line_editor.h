/*
 * line_editor - edits the line that the user types, with a history of lines.
 */
#ifndef EDGE_TERM_LINE_EDITOR_H
#define EDGE_TERM_LINE_EDITOR_H

#include "edge/term/canvas.h"

enum { LINE_EDITOR_BYTES = 64 * 1024, LINE_EDITOR_LINES = 50 };

enum line_editor_key {
    LINE_EDITOR_LEFT,
    LINE_EDITOR_RIGHT,
    LINE_EDITOR_HOME,
    LINE_EDITOR_END,
    LINE_EDITOR_BACKSPACE,
    LINE_EDITOR_DELETE,
    LINE_EDITOR_ERASE_WORD,   /* before the cursor */
    LINE_EDITOR_ERASE_BEFORE, /* everything before the cursor */
    LINE_EDITOR_ERASE_AFTER,
    LINE_EDITOR_OLDER, /* the next older line of the history */
    LINE_EDITOR_NEWER
};

/* A zeroed edit is empty and ready. */
struct line_editor {
    struct text line;
    size_t cursor; /* offset in `line` of the glyph under the cursor */
    char *lines[LINE_EDITOR_LINES]; /* the newest first */
    size_t line_count;
    size_t shown; /* 0: the new line, n: lines[n - 1] */
    char *draft;  /* the new line while an older one is shown */
};

void line_editor_close(struct line_editor *e);
/* Inserts the text before the cursor. Does nothing if the text has a control
 * character or is not UTF-8, or if the line would exceed LINE_EDITOR_BYTES. */
void line_editor_insert(struct line_editor *e, struct bytes text);
void line_editor_press(struct line_editor *e, enum line_editor_key key);
/* Replaces the line, and moves the cursor to its end. */
void line_editor_set(struct line_editor *e, const char *line);
/* Adds the line to the history, and begins an empty one. */
void line_editor_done(struct line_editor *e);

/* Draws the part of the line around the cursor, from `column` up to but not
 * including the column `end`, and places the canvas's cursor. */
void line_editor_draw(const struct line_editor *e, struct canvas *c, int row,
                      int column, int end);

#endif
