/*
 * screen - the terminal: paints a canvas on it, and reads keys.
 *
 * This is the only module that uses curses. Between screen_open and
 * screen_close curses controls the terminal, so nothing else may write to it.
 */
#ifndef EDGE_CLI_SCREEN_H
#define EDGE_CLI_SCREEN_H

#include "edge/term/canvas.h"
#include "edge/term/line_editor.h"

enum screen_key {
    SCREEN_NOTHING, /* no key was pressed */
    SCREEN_TEXT,    /* a character, in `text` */
    SCREEN_EDIT,    /* a key of the line editor, in `edit` */
    SCREEN_ENTER,
    SCREEN_TAB,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_LEAVE, /* Ctrl-D */
    SCREEN_PAINT  /* the size changed, or the user wants a repaint */
};

struct screen_input {
    enum screen_key key;
    enum line_editor_key edit;
    char text[8]; /* UTF-8, with a NUL */
};

/* Sets the locale of the environment, or one with UTF-8 if the environment
 * names none. glyph.h needs it, so callers that only print a canvas call it
 * too. */
void screen_locale(void);
/* Begins to control the terminal. False, with nothing changed, if standard
 * input or output is no terminal, or the terminal cannot do what curses needs.
 */
bool screen_open(void) MUST_USE;
void screen_close(void);

void screen_size(int *rows, int *columns);
void screen_paint(const struct canvas *c);
/* The next key that the user pressed. Does not wait. */
struct screen_input screen_read(void);

#endif
