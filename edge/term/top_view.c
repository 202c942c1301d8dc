#include "edge/term/top_private.h"

#include "edge/term/sanitize.h"
#include "edge/term/glyph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 64, RELAYS_MOST = 4, LABEL_COLUMNS = 11 };

static void put_clean(struct canvas *c, int row, int column, int end,
                      enum style style, const char *text)
{
    char *shown = sanitize_string(bytes_of_string(text), SANITIZE_LINE, 1024);

    canvas_put_string(c, row, column, end, style, shown);
    free(shown);
}

/* --- This node */

static void draw_bar(const struct top *t, struct canvas *c)
{
    const json_t *node = json_object_get(t->now, "node");
    char text[FIGURE];

    canvas_fill(c, 0, 0, c->columns, STYLE_BAR, " ");
    put_clean(c, 0, 1, c->columns, STYLE_BAR, top_member(node, "name"));
    int column = 3 + glyph_columns(bytes_of_string(top_member(node, "name")));
    snprintf(text, sizeof(text), "%.12s", top_member(node, "id"));
    put_clean(c, 0, column, c->columns, STYLE_BAR, text);
    if (t->away)
        canvas_put_right(c, 0, column, c->columns, STYLE_BAR_WARN,
                         " the edge is away; trying again ");
}

struct cell {
    const char *label, *counter;
};

/* Draws "messages   out 12/s   in 3/s", with as many cells as fit. */
static void draw_rates(const struct top *t, struct canvas *c, int row,
                       const char *label, const struct cell *cells,
                       const char *show(double rate, char room[FIGURE]))
{
    int width = c->columns < 60 ? 14 : 16;
    int column = LABEL_COLUMNS;
    char figure[FIGURE];

    canvas_put_string(c, row, 1, c->columns, STYLE_STRONG, label);
    for (; cells->label && column + width <= c->columns + 2; cells++) {
        int at = canvas_put_string(c, row, column, c->columns, STYLE_QUIET,
                                   cells->label);
        canvas_put_string(c, row, at + 1, c->columns, STYLE_PLAIN,
                          show(top_rate(t, cells->counter), figure));
        column += width;
    }
}

static void draw_all_rates(const struct top *t, struct canvas *c, int row)
{
    static const struct cell messages[] = {
        {"out", "sent"},
        {"in", "received"},
        {"pub", "published"},
        {"heard", "events_received"},
        {"missed", "events_missed"},
        {NULL, NULL},
    };
    static const struct cell bytes[] = {
        {"out", "bytes_sent"},
        {"in", "bytes_received"},
        {NULL, NULL},
    };
    static const struct cell packets[] = {
        {"out", "packets_sent"},
        {"in", "packets_received"},
        {"drop", "packets_dropped"},
        {"resent", "records_resent"},
        {NULL, NULL},
    };

    draw_rates(t, c, row, "messages", messages, show_count);
    draw_rates(t, c, row + 1, "bytes", bytes, show_bytes);
    draw_rates(t, c, row + 2, "packets", packets, show_count);
}

/* --- Relays */

static enum style state_style(const char *state)
{
    if (strcmp(state, "up") == 0)
        return STYLE_GOOD;
    return strcmp(state, "connecting") == 0 ? STYLE_WARN : STYLE_WRONG;
}

static void draw_relay(struct canvas *c, int row, const json_t *relay)
{
    const char *state = top_member(relay, "state"),
               *url = top_member(relay, "url");
    char figure[FIGURE];
    int column = 1;

    canvas_put_string(c, row, column, column + 10, state_style(state), state);
    column += 11;
    put_clean(c, row, column, column + 9, STYLE_PLAIN,
              top_member(relay, "form"));
    column += 10;
    canvas_put_string(c, row, column, column + 9, STYLE_PLAIN,
                      show_rtt(relay, figure));
    column += 10;
    /* The key is long, and tells a reader nothing. */
    put_clean(c, row, column, c->columns, STYLE_PLAIN, url);
    const char *key = strchr(url, '?');
    int from = column + (key ? (int)(key - url) : (int)strlen(url));
    if (from < c->columns) {
        canvas_fill(c, row, from, c->columns, STYLE_PLAIN, " ");
        put_clean(c, row, from + 2, c->columns, STYLE_WARN,
                  top_member(relay, "error"));
    }
}

static size_t relay_rows(const struct top *t)
{
    size_t count = json_array_size(json_object_get(t->now, "relays"));

    return count > RELAYS_MOST ? RELAYS_MOST : count;
}

/* Returns the next row. */
static int draw_relays(const struct top *t, struct canvas *c, int row)
{
    const json_t *relays = json_object_get(t->now, "relays");
    size_t count = json_array_size(relays), shown = relay_rows(t);
    char title[CELL];

    snprintf(title, sizeof(title),
             count > shown ? "RELAYS %zu, %zu shown" : "RELAYS %zu", count,
             shown);
    canvas_put_string(c, row++, 1, c->columns, STYLE_STRONG, title);
    for (size_t i = 0; i < shown; i++)
        draw_relay(c, row++, json_array_get(relays, i));
    return row;
}

/* --- All of it */

/* The first line of health that is more than information. */
static const char *first_trouble(const struct top *t)
{
    json_t *finding;
    size_t i;

    json_array_foreach(
        json_object_get(t->now, "health"), i,
        finding) if (strcmp(top_member(finding, "severity"), "info") !=
                     0) return top_member(finding, "text");
    return NULL;
}

int top_rows(const struct top *t)
{
    size_t peers = json_array_size(json_object_get(t->now, "peers"));

    return 10 + (int)relay_rows(t) + (int)peers + (first_trouble(t) ? 1 : 0) +
           (t->keyed ? 1 : 0);
}

void top_draw(struct top *t, struct canvas *c)
{
    bool airy = c->rows >= top_rows(t) || c->rows >= 20;
    const char *trouble = first_trouble(t);
    int end = c->rows, row = 1 + airy;

    draw_bar(t, c);
    draw_all_rates(t, c, row);
    row = draw_relays(t, c, row + 3 + airy) + airy;
    if (t->keyed)
        canvas_put_string(
            c, --end, 1, c->columns, STYLE_QUIET,
            "q quit   sort: n name  p path  r rtt  t traffic  s since");
    if (trouble)
        put_clean(c, --end, 1, c->columns, STYLE_WARN, trouble);
    top_draw_peers(t, c, row, end);
}
