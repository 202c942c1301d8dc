/*
 * edit - the line that a person writes: insertion, motion, erasing, and the
 * lines that were written before.
 */
#ifndef EDGE_TERM_EDIT_H
#define EDGE_TERM_EDIT_H

#include "edge/term/canvas.h"

enum { EDIT_BYTES = 64 * 1024, EDIT_LINES = 50 };

enum edit_key {
    EDIT_LEFT,
    EDIT_RIGHT,
    EDIT_HOME,
    EDIT_END,
    EDIT_BACKSPACE,
    EDIT_DELETE,
    EDIT_ERASE_WORD,   /* before the cursor */
    EDIT_ERASE_BEFORE, /* all before the cursor */
    EDIT_ERASE_AFTER,
    EDIT_OLDER, /* the line written before this one */
    EDIT_NEWER
};

/* A zeroed edit is empty and ready. */
struct edit {
    struct text line;
    size_t cursor; /* offset in `line` of the glyph that it stands on */
    char *lines[EDIT_LINES]; /* the newest first */
    size_t line_count;
    size_t shown; /* 0: the new line, n: lines[n - 1] */
    char *draft;  /* the new line, while an older one is shown */
};

void edit_close(struct edit *e);
/* Puts it before the cursor: nothing where it is a control character, no UTF-8,
 * or the line is full. */
void edit_insert(struct edit *e, struct bytes text);
void edit_press(struct edit *e, enum edit_key key);
/* Another line; the cursor at its end. */
void edit_set(struct edit *e, const char *line);
/* Keeps the line among the older ones, and begins a new one. */
void edit_done(struct edit *e);

/* Draws the part of the line around the cursor, and places the cursor. */
void edit_draw(const struct edit *e, struct canvas *c, int row, int column,
               int end);

#endif
