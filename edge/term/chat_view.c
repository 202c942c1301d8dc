#include "edge/term/chat_view.h"

#include "edge/term/glyph.h"

#include <stdio.h>
#include <string.h>

enum {
    TIME_COLUMNS = 6, /* "14:02 " */
    NARROW = 50,      /* a narrower screen shows no times */
    PANEL_FROM = 60,  /* a screen of at least this width lists the peers */
    WIDE = 22         /* a list of at least this width shows units */
};

/* --- An entry, as rows */

enum { RUNS_MOST = 6 };

/* Text that wraps as a whole, made of parts with a style each. */
struct styled_text {
    struct text text;
    struct {
        size_t end; /* in the text */
        enum style style;
    } runs[RUNS_MOST];
    size_t count;
};

static void flow_add(struct styled_text *f, enum style style, const char *text)
{
    ASSERT(f->count < RUNS_MOST);
    text_add_string(&f->text, text);
    f->runs[f->count].style = style;
    f->runs[f->count++].end = f->text.size;
}

static enum style mark_style(const struct chat_entry *e)
{
    return e->fate == CHAT_FAILED ? STYLE_WRONG : STYLE_QUIET;
}

static void flow_entry(struct styled_text *f, const struct chat_entry *e)
{
    switch (e->kind) {
    case CHAT_NOTE:
        flow_add(f, STYLE_QUIET, "* ");
        flow_add(f, STYLE_QUIET, e->text);
        return;
    case CHAT_HINT:
        flow_add(f, STYLE_WARN, "* ");
        flow_add(f, STYLE_WARN, e->text);
        return;
    case CHAT_HEARD:
        flow_add(f, STYLE_NAME, e->who);
        flow_add(f, STYLE_PLAIN, ": ");
        break;
    case CHAT_HEARD_PRIVATE:
        flow_add(f, STYLE_PRIVATE, e->who);
        flow_add(f, STYLE_PRIVATE, " \xe2\x86\x92 you: ");
        break;
    case CHAT_SAID:
        flow_add(f, STYLE_SELF, "you");
        flow_add(f, STYLE_PLAIN, ": ");
        break;
    case CHAT_SAID_PRIVATE:
        flow_add(f, STYLE_PRIVATE, "you \xe2\x86\x92 ");
        flow_add(f, STYLE_PRIVATE, e->who);
        flow_add(f, STYLE_PRIVATE, ": ");
        break;
    }
    flow_add(f, STYLE_PLAIN, e->text);
    if (e->kind != CHAT_SAID && e->kind != CHAT_SAID_PRIVATE)
        return;
    flow_add(f, mark_style(e), "  \xc2\xb7\xc2\xa0");
    flow_add(f, mark_style(e), e->mark[0] ? e->mark : "sending");
}

/* Writes the bytes from `begin` to `end` of the flow, each in its style. */
static void put_part(const struct styled_text *f, size_t begin, size_t end,
                     struct canvas *c, int row, int column, int limit)
{
    for (size_t i = 0; i < f->count && begin < end; i++) {
        size_t upto = f->runs[i].end < end ? f->runs[i].end : end;
        if (upto <= begin)
            continue;
        column = canvas_put(c, row, column, limit, f->runs[i].style,
                            bytes_of(f->text.data + begin, upto - begin));
        begin = upto;
    }
}

static int margin_of(int columns)
{
    return columns < NARROW ? 0 : TIME_COLUMNS;
}

static void put_time(struct canvas *c, int row, int margin, time_t when)
{
    char text[16] = "";
    struct tm tm;

    if (margin == 0 || !localtime_r(&when, &tm))
        return;
    strftime(text, sizeof(text), "%H:%M", &tm);
    canvas_put_string(c, row, 0, margin, STYLE_QUIET, text);
}

/* Returns the rows that the entry takes. If `c` is not NULL, draws the entry
 * from `row` on, but only rows from `top` up to but not including `bottom`. */
static int put_entry(const struct chat_entry *e, struct canvas *c, int columns,
                     int row, int top, int bottom)
{
    struct styled_text f = {0};
    int margin = margin_of(columns), rows = 0;
    size_t at = 0, skip;

    flow_entry(&f, e);
    while (at < f.text.size || rows == 0) {
        /* Further rows begin under the text, not under the time. */
        int indent = margin + (rows > 0 ? 2 : 0);
        size_t taken =
            glyph_wrap(bytes_of(f.text.data + at, f.text.size - at),
                       columns > indent ? columns - indent : 1, &skip);
        if (c && row + rows >= top && row + rows < bottom) {
            put_part(&f, at, at + taken, c, row + rows, indent, columns);
            if (rows == 0)
                put_time(c, row, margin, e->when);
        }
        at += taken + skip;
        rows++;
    }
    text_close(&f.text);
    return rows;
}

/* --- What was said */

static int scroll_most(const struct chat_view *v, const struct chat *c)
{
    int rows = 0;

    for (size_t i = 0; i < chat_count(c); i++)
        rows += put_entry(chat_entry(c, i), NULL, v->columns, 0, 0, 0);
    return rows > v->rows ? rows - v->rows : 0;
}

static void draw_log(struct chat_view *v, const struct chat *c,
                     struct canvas *canvas, int top)
{
    if (v->scroll > 0) {
        int most = scroll_most(v, c);
        v->scroll = v->scroll > most ? most : v->scroll;
    }
    int row = top + v->rows + v->scroll;
    for (size_t i = chat_count(c); i-- > 0 && row > top;) {
        const struct chat_entry *e = chat_entry(c, i);
        row -= put_entry(e, NULL, v->columns, 0, 0, 0);
        put_entry(e, canvas, v->columns, row, top, top + v->rows);
    }
}

void chat_view_page(struct chat_view *v, int pages)
{
    int rows = v->rows > 2 ? v->rows - 1 : 1; /* One row stays on screen. */

    v->scroll += pages * rows;
    if (v->scroll < 0)
        v->scroll = 0;
}

void chat_view_grew(struct chat_view *v, const struct chat_entry *entry)
{
    if (v->scroll > 0)
        v->scroll += put_entry(entry, NULL, v->columns, 0, 0, 0);
}

/* --- What stands around it */

static void draw_bar(const struct chat *c, struct canvas *canvas)
{
    const char *name = chat_name(c);
    char text[512];

    canvas_fill(canvas, 0, 0, canvas->columns, STYLE_BAR, " ");
    snprintf(text, sizeof(text), " %s%s%s", name, name[0] ? " \xc2\xb7 " : "",
             chat_room(c));
    int end = canvas_put_string(canvas, 0, 0, canvas->columns, STYLE_BAR, text);
    if (!chat_is_up(c)) {
        canvas_put_right(canvas, 0, end + 1, canvas->columns, STYLE_BAR_WARN,
                         " the edge is away; trying again ");
        return;
    }
    size_t count = chat_roster_count(chat_roster(c));
    snprintf(text, sizeof(text),
             count == 1 ? "%zu other here " : "%zu others here ", count);
    canvas_put_right(canvas, 0, end + 1, canvas->columns, STYLE_BAR, text);
}

static int panel_columns(int columns)
{
    if (columns < PANEL_FROM)
        return 0;
    return columns / 4 < 36 ? columns / 4 : 36;
}

static void draw_person(const struct chat_peer *p, struct canvas *c, int row,
                        int column)
{
    bool has_path = p->path[0] != '\0' && strcmp(p->path, "none") != 0;
    char way[CHAT_PEER_WAY + 8];

    if (!has_path)
        snprintf(way, sizeof(way), " no path");
    else if (p->rtt_ms < 0)
        snprintf(way, sizeof(way), " %s", p->path);
    else
        snprintf(way, sizeof(way), p->rtt_ms < 10 ? " %s %.1f%s" : " %s %.0f%s",
                 p->path, p->rtt_ms, c->columns - column < WIDE ? "" : " ms");
    int end = canvas_put_right(c, row, column, c->columns, STYLE_QUIET, way);
    canvas_put_string(c, row, column, end, has_path ? STYLE_NAME : STYLE_QUIET,
                      p->name);
}

/* Lists the peers in `rows` rows from `top` on; the last row counts those that
 * do not fit. */
static void draw_panel(const struct chat *c, struct canvas *canvas, int column,
                       int top, int rows)
{
    const struct chat_roster *roster = chat_roster(c);
    const struct chat_peer *person;
    size_t cursor = 0, count = chat_roster_count(roster), shown = 0;
    char more[32];

    for (int row = top; row < top + rows; row++)
        canvas_put_string(canvas, row, column, canvas->columns, STYLE_QUIET,
                          "\xe2\x94\x82");
    if (count == 0)
        canvas_put_string(canvas, top, column + 2, canvas->columns, STYLE_QUIET,
                          "nobody yet");
    while ((person = chat_roster_next(roster, &cursor))) {
        int row = top + (int)shown;
        if ((int)shown == rows - 1 && shown + 1 < count) {
            snprintf(more, sizeof(more), "and %zu more", count - shown);
            canvas_put_string(canvas, row, column + 2, canvas->columns,
                              STYLE_QUIET, more);
            return;
        }
        draw_person(person, canvas, row, column + 2);
        shown++;
    }
}

static void draw_rule(const struct chat_view *v, struct canvas *c, int row)
{
    char text[64];

    canvas_fill(c, row, 0, c->columns, STYLE_QUIET, "\xe2\x94\x80");
    if (v->scroll == 0)
        return;
    snprintf(text, sizeof(text), " %d more below: PageDown ", v->scroll);
    canvas_put_string(c, row, 2, c->columns, STYLE_WARN, text);
}

static const char prompt[] = "> ";

void chat_view_draw(struct chat_view *v, const struct chat *c,
                    const struct line_editor *e, struct canvas *canvas)
{
    int panel = panel_columns(canvas->columns);
    int last = canvas->rows - 1;
    bool bar = canvas->rows >= 3, rule = canvas->rows >= 5;
    int top = bar ? 1 : 0;

    v->rows = canvas->rows - top - 1 - (rule ? 1 : 0);
    v->columns = canvas->columns - (panel ? panel + 2 : 0);
    if (bar)
        draw_bar(c, canvas);
    draw_log(v, c, canvas, top);
    if (panel)
        draw_panel(c, canvas, v->columns + 1, top, v->rows);
    if (rule)
        draw_rule(v, canvas, last - 1);
    int begin =
        canvas_put_string(canvas, last, 0, canvas->columns, STYLE_SELF, prompt);
    line_editor_draw(e, canvas, last, begin, canvas->columns);
}
