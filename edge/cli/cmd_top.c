#include "edge/cli/command.h"
#include "edge/cli/screen.h"
#include "edge/cli/reconnecting_client.h"

#include "common/io/clock.h"
#include "edge/term/top.h"

#include <string.h>
#include <unistd.h>

static const struct option_row rows[] = {
    {"interval", 0, OPTION_DURATION, "TIME",
     "time between refreshes; default 1s"},
    {"count", 'n', OPTION_INTEGER, "N", "end after N refreshes"},
    {"sort", 0, OPTION_TEXT, "BY",
     "sort by name, path, rtt, traffic or since; default name"},
    {"json", 0, OPTION_FLAG, NULL,
     "print a JSON object for each refresh, with rates"},
};

static const struct options_spec spec = {
    .program = "zs top",
    .about = "Shows the traffic of this node, live: messages and bytes "
             "a second, relays, peers.\n"
             "If standard input or output is no terminal, and with "
             "--json, prints each\n"
             "refresh.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

enum { PRINTED_COLUMNS = 100 };

static const struct span interval_least = {100 * 1000};

struct watch {
    struct reconnecting_client edge;
    struct top top;
    struct canvas canvas;
    struct span interval;
    struct instant next; /* when to request status again */
    int64_t count;       /* refreshes still to print; < 0: no limit */
    bool screen, json, asked, quit, failed;
};

/* --- Showing */

static void print_lines(struct watch *w)
{
    struct text out = {0};

    canvas_size(&w->canvas, top_rows(&w->top), PRINTED_COLUMNS);
    top_draw(&w->top, &w->canvas);
    for (int row = 0; row < w->canvas.rows; row++) {
        canvas_row(&w->canvas, row, &out);
        text_add_char(&out, '\n');
    }
    text_add_char(&out, '\n');
    w->failed = !command_write(text_bytes(&out));
    text_close(&out);
}

static void print_json(struct watch *w)
{
    json_t *all = top_json(&w->top);

    command_print_json(all);
    json_decref(all);
    w->failed = fflush(stdout) != 0;
}

static void paint(struct watch *w)
{
    int screen_rows, columns;

    screen_size(&screen_rows, &columns);
    canvas_size(&w->canvas, screen_rows, columns);
    top_draw(&w->top, &w->canvas);
    screen_paint(&w->canvas);
}

/* Prints a refresh once there are rates. A screen is drawn before that too. */
static void refreshed(struct watch *w)
{
    if (w->screen)
        paint(w);
    if (w->top.seconds <= 0)
        return;
    if (w->json)
        print_json(w);
    else if (!w->screen)
        print_lines(w);
    if (w->count > 0)
        w->count--;
}

/* --- The edge */

static void ask(struct watch *w)
{
    struct instant now = clock_now();

    if (!w->edge.client || w->edge.ended || w->asked ||
        !instant_reached(w->next, now))
        return;
    text_add_string(client_out(w->edge.client),
                    "{\"op\":\"status\",\"ref\":1}\n");
    w->asked = true;
    w->next = instant_after(now, w->interval);
}

static void take(struct watch *w, struct bytes line)
{
    json_t *status =
        json_loadb((const char *)line.data, line.size, JSON_ALLOW_NUL, NULL);

    w->asked = false;
    if (json_is_true(json_object_get(status, "ok"))) {
        top_take(&w->top, clock_now(), time(NULL), status);
        refreshed(w);
    }
    json_decref(status);
}

static void tell_away(struct watch *w, bool away)
{
    if (away)
        top_lost(&w->top);
    if (w->screen)
        paint(w);
    else
        command_fail(EXIT_DONE, away ? "the edge is away; trying again"
                                     : "the edge is here again");
}

/* --- Keys */

static void press(struct watch *w, const struct screen_input *input)
{
    int page = w->canvas.rows > 12 ? w->canvas.rows - 12 : 1;

    if (input->key == SCREEN_LEAVE || strcmp(input->text, "q") == 0)
        w->quit = true;
    else if (input->key == SCREEN_TEXT)
        (void)!top_sort_key(input->text[0], &w->top.sort);
    else if (input->key == SCREEN_PAGE_DOWN)
        w->top.scroll += page;
    else if (input->key == SCREEN_PAGE_UP)
        w->top.scroll -= page;
    else if (input->key == SCREEN_EDIT && input->edit == LINE_EDITOR_NEWER)
        w->top.scroll++;
    else if (input->key == SCREEN_EDIT && input->edit == LINE_EDITOR_OLDER)
        w->top.scroll--;
}

static void read_keys(struct watch *w)
{
    struct screen_input input;
    bool pressed = false;

    while (!w->quit && (input = screen_read()).key != SCREEN_NOTHING) {
        press(w, &input);
        pressed = true;
    }
    if (pressed && !w->quit)
        paint(w);
}

/* --- The command */

static bool goes_on(const struct watch *w)
{
    return !w->quit && !w->failed && w->count != 0 && !command_stopped();
}

static struct span wait_most(const struct watch *w)
{
    struct span left = instant_between(clock_now(), w->next);

    if (w->asked || !w->edge.client)
        return span_ms(500);
    return span_min(span_max(left, span_ms(1)), span_ms(500));
}

static int watch_on(struct watch *w)
{
    struct bytes line;

    while (goes_on(w)) {
        ask(w);
        unsigned got = reconnecting_client_wait(
            &w->edge, w->screen ? STDIN_FILENO : -1, wait_most(w));
        while (goes_on(w) && reconnecting_client_line(&w->edge, &line))
            take(w, line);
        if (got & RECONNECTING_BACK)
            w->next = clock_now();
        if (got & (RECONNECTING_LOST | RECONNECTING_BACK)) {
            w->asked = false;
            tell_away(w, got & RECONNECTING_LOST);
        }
        if (got & RECONNECTING_OTHER_ENDED)
            break; /* The terminal is gone. */
        if (w->screen)
            read_keys(w);
    }
    return w->failed ? EXIT_FAILED : EXIT_DONE;
}

static int run_top(const struct options *o)
{
    struct watch w = {
        .interval = options_duration(o, "interval", span_s(1)),
        .count = options_integer(o, "count", -1),
        .json = options_flag(o, "json"),
    };
    const char *sort = options_text(o, "sort");

    if (w.interval.us < interval_least.us)
        return options_wrong(&spec, "--interval is 100ms or more");
    if (sort && !top_sort_named(sort, &w.top.sort))
        return options_wrong(&spec,
                             "--sort is name, path, rtt, traffic or since");
    if (!reconnecting_client_open(&w.edge, o))
        return EXIT_NO_DAEMON;
    command_stoppable();
    screen_locale();
    w.next = clock_now();
    w.screen = !w.json && screen_open();
    w.top.keyed = w.screen;
    int code = watch_on(&w);
    if (w.screen)
        screen_close();
    canvas_close(&w.canvas);
    top_close(&w.top);
    reconnecting_client_close(&w.edge);
    return code;
}

int cmd_top(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_top);
}
