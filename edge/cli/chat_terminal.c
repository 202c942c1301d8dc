#include "edge/cli/chat_session.h"

#include "edge/cli/command.h"
#include "edge/cli/screen.h"
#include "edge/term/chat_view.h"

#include <unistd.h>

static const struct span turn_most = {500 * 1000};
static const struct span farewell = {500 * 1000};

struct chat_terminal {
    struct chat_session *session;
    struct chat_view view;
    struct line_editor edit;
    struct canvas canvas;
    bool quit;
};

static void told(void *context, const struct chat_entry *entry, bool is_new)
{
    struct chat_terminal *f = context;

    if (is_new)
        chat_view_grew(&f->view, entry);
}

static void draw(struct chat_terminal *f)
{
    int rows, columns;

    screen_size(&rows, &columns);
    canvas_size(&f->canvas, rows, columns);
    chat_view_draw(&f->view, f->session->chat, &f->edit, &f->canvas);
    screen_paint(&f->canvas);
}

/* Handles the typed line. While the edge is away the line stays in the
 * editor. */
static void say(struct chat_terminal *f)
{
    switch (chat_session_say(f->session, text_string(&f->edit.line))) {
    case CHAT_DONE:
        line_editor_done(&f->edit);
        f->view.scroll = 0;
        return;
    case CHAT_AWAY:
        return;
    case CHAT_QUIT:
        f->quit = true;
        return;
    }
}

static void complete(struct chat_terminal *f)
{
    struct text more = {0};

    if (f->edit.cursor == f->edit.line.size)
        chat_complete(f->session->chat, text_bytes(&f->edit.line), &more);
    line_editor_insert(&f->edit, text_bytes(&more));
    text_close(&more);
}

static void press(struct chat_terminal *f, const struct screen_input *input)
{
    switch (input->key) {
    case SCREEN_NOTHING:
    case SCREEN_PAINT:
        return;
    case SCREEN_TEXT:
        line_editor_insert(&f->edit, bytes_of_string(input->text));
        return;
    case SCREEN_EDIT:
        line_editor_press(&f->edit, input->edit);
        return;
    case SCREEN_ENTER:
        say(f);
        return;
    case SCREEN_TAB:
        complete(f);
        return;
    case SCREEN_PAGE_UP:
        chat_view_page(&f->view, 1);
        return;
    case SCREEN_PAGE_DOWN:
        chat_view_page(&f->view, -1);
        return;
    case SCREEN_LEAVE:
        /* As in a shell: Ctrl-D on a line with text erases a character. */
        if (f->edit.line.size == 0)
            f->quit = true;
        else
            line_editor_press(&f->edit, LINE_EDITOR_DELETE);
        return;
    }
}

static void read_keys(struct chat_terminal *f)
{
    struct screen_input input;

    while (!f->quit && (input = screen_read()).key != SCREEN_NOTHING)
        press(f, &input);
}

static void run_screen(struct chat_terminal *f)
{
    while (!f->quit && !command_stopped() && !chat_refused(f->session->chat)) {
        draw(f);
        unsigned got = chat_session_turn(f->session, STDIN_FILENO, turn_most);
        if (got & RECONNECTING_OTHER_ENDED)
            return; /* The terminal is gone. */
        read_keys(f);
    }
    chat_session_finish(f->session, farewell);
}

int chat_terminal(struct chat_session *t, const char *group)
{
    struct chat_terminal f = {.session = t};
    int code = EXIT_DONE;

    t->chat = chat_new(group, told, &f);
    chat_up(t->chat, client_out(t->edge.client));
    run_screen(&f);
    screen_close();
    if (chat_refused(t->chat))
        code = command_fail(EXIT_USAGE, "%s", chat_refused(t->chat));
    line_editor_close(&f.edit);
    canvas_close(&f.canvas);
    chat_free(t->chat);
    return code;
}
