#include "edge/term/top_private.h"

#include "common/base/memory.h"
#include "edge/term/sanitize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CELL = 64 };

struct column {
    const char *title;
    int width; /* 0: the rest of the row */
    int from;  /* columns of the terminal from which on it is shown */
    bool right;
};

enum { NAME, PATH, RTT, OUT, IN, SINCE, ENDPOINT, COLUMNS };

static const struct column columns[COLUMNS] = {
    [NAME] = {"NAME", 12, 0, false},
    [PATH] = {"PATH", 6, 0, false},
    [RTT] = {"RTT", 10, 0, true},
    [OUT] = {"OUT", 12, 56, true},
    [IN] = {"IN", 12, 56, true},
    [SINCE] = {"SINCE", 7, 64, true},
    [ENDPOINT] = {"ENDPOINT", 0, 100, false},
};

/* The column of names is wider on a wide terminal. */
static int width_of(const struct canvas *c, int column)
{
    if (column == NAME && c->columns >= 80)
        return c->columns >= 120 ? 32 : 16;
    return columns[column].width;
}

static void put_row(struct canvas *c, int row, enum style style,
                    const char *const cells[COLUMNS], enum style name)
{
    int at = 1;

    for (int i = 0; i < COLUMNS; i++) {
        int width = width_of(c, i);
        if (c->columns < columns[i].from)
            continue;
        int end = width > 0 ? at + width : c->columns;
        char *shown =
            sanitize_string(bytes_of_string(cells[i]), SANITIZE_LINE, 256);
        enum style look = i == NAME ? name : style;
        if (columns[i].right)
            canvas_put_right(c, row, at, end, look, shown);
        else
            canvas_put_string(c, row, at, end, look, shown);
        free(shown);
        at = end + 2;
    }
}

static void draw_titles(const struct top *t, struct canvas *c, int row)
{
    const char *cells[COLUMNS];
    static const int sorted[] = {
        [SORT_NAME] = NAME,   [SORT_PATH] = PATH,   [SORT_RTT] = RTT,
        [SORT_TRAFFIC] = OUT, [SORT_SINCE] = SINCE,
    };
    char mark[CELL];

    for (int i = 0; i < COLUMNS; i++)
        cells[i] = columns[i].title;
    snprintf(mark, sizeof(mark), "%s*", cells[sorted[t->sort]]);
    cells[sorted[t->sort]] = mark;
    put_row(c, row, STYLE_STRONG, cells, STYLE_STRONG);
}

static void draw_peer(const struct top *t, struct canvas *c, int row,
                      const json_t *peer)
{
    char rtt[FIGURE], out[FIGURE], in[FIGURE], since[FIGURE];
    const char *cells[COLUMNS] = {
        [NAME] = top_member(peer, "name"),
        [PATH] = top_member(peer, "path"),
        [RTT] = show_rtt(peer, rtt),
        [OUT] = show_bytes(top_peer_rate(t, peer, "bytes_sent"), out),
        [IN] = show_bytes(top_peer_rate(t, peer, "bytes_received"), in),
        [SINCE] = show_since(t, peer, since),
        [ENDPOINT] = top_member(peer, "endpoint"),
    };
    char endpoint[CELL];

    snprintf(endpoint, sizeof(endpoint), "%.*s",
             (int)strcspn(cells[ENDPOINT], "?"), cells[ENDPOINT]);
    cells[ENDPOINT] = endpoint;
    put_row(c, row, STYLE_PLAIN, cells, STYLE_NAME);
}

/* --- Their order */

struct order {
    const struct top *top;
    const json_t *peer;
    double key; /* smaller ones come first */
};

static double key_of(const struct top *t, const json_t *peer)
{
    const json_t *rtt = json_object_get(peer, "rtt_ms");
    struct tm tm = {0};

    switch (t->sort) {
    case SORT_NAME:
        return 0;
    case SORT_PATH:
        return strcmp(top_member(peer, "path"), "relay") == 0 ? 1 : 0;
    case SORT_RTT:
        return json_is_number(rtt) ? json_number_value(rtt) : INFINITY;
    case SORT_TRAFFIC:
        return -top_peer_rate(t, peer, "bytes_sent") -
               top_peer_rate(t, peer, "bytes_received");
    case SORT_SINCE:
        return strptime(top_member(peer, "since"), "%Y-%m-%dT%H:%M:%SZ", &tm)
                   ? (double)timegm(&tm)
                   : 0;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct order *x = a, *y = b;

    if (x->key < y->key || x->key > y->key)
        return x->key < y->key ? -1 : 1;
    return strcasecmp(top_member(x->peer, "name"), top_member(y->peer, "name"));
}

static struct order *sorted_peers(const struct top *t, size_t *count)
{
    const json_t *peers = json_object_get(t->now, "peers");

    *count = json_array_size(peers);
    struct order *order = memory_array(*count + 1, sizeof(*order));
    for (size_t i = 0; i < *count; i++) {
        order[i].top = t;
        order[i].peer = json_array_get(peers, i);
        order[i].key = key_of(t, order[i].peer);
    }
    qsort(order, *count, sizeof(*order), compare);
    return order;
}

void top_draw_peers(struct top *t, struct canvas *c, int row, int end)
{
    size_t count;
    struct order *order = sorted_peers(t, &count);
    int room = end - row - 2;
    char title[CELL];

    if (room < 1)
        room = 1;
    if (t->scroll > (int)count - room)
        t->scroll = (int)count - room;
    if (t->scroll < 0)
        t->scroll = 0;
    snprintf(title, sizeof(title), "PEERS %zu", count);
    if ((int)count > room)
        snprintf(title, sizeof(title), "PEERS %zu, from %d on", count,
                 t->scroll + 1);
    canvas_put_string(c, row, 1, c->columns, STYLE_STRONG, title);
    if (count > 0)
        draw_titles(t, c, row + 1);
    for (int i = 0; i < room && t->scroll + i < (int)count; i++)
        draw_peer(t, c, row + 2 + i, order[t->scroll + i].peer);
    free(order);
}
