/*
 * screen - the terminal: paints a canvas on it, and reads its keys.
 *
 * Only here curses is known. Until screen_close the terminal is in a mode of
 * its own, so nothing else may be written to it.
 */
#ifndef EDGE_CLI_SCREEN_H
#define EDGE_CLI_SCREEN_H

#include "edge/term/canvas.h"
#include "edge/term/line_editor.h"

enum screen_key {
    SCREEN_NOTHING, /* no key was pressed yet */
    SCREEN_TEXT,    /* a character */
    SCREEN_EDIT,    /* one of edit's keys */
    SCREEN_ENTER,
    SCREEN_TAB,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_LEAVE, /* Ctrl-D */
    SCREEN_PAINT  /* the size changed, or all is to be painted anew */
};

struct screen_input {
    enum screen_key key;
    enum line_editor_key edit;
    char text[8]; /* UTF-8, with a NUL */
};

/* Text and widths are UTF-8's from now on, where the environment has no other
 * idea of a language; for canvases that are printed as well. */
void screen_locale(void);
/* False if standard input or output is no terminal, or one that cannot do it:
 * then nothing has changed. */
bool screen_open(void) MUST_USE;
void screen_close(void);

void screen_size(int *rows, int *columns);
void screen_paint(const struct canvas *c);
/* Does not wait. */
struct screen_input screen_read(void);

#endif
