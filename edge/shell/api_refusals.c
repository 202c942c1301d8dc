/*
 * Refusals between this node and others, for status and for health lines.
 */
#include "edge/shell/api_internal.h"

#include "edge/shell/remedies.h"

#include <stdlib.h>

enum { TOLD = 8, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 24 * 3600 };

static void add_skew(struct text *t, const struct node_refusal *r)
{
    if (!r->skew_known) {
        text_add_string(t, ",\"skew_s\":null}");
        return;
    }
    text_add_string(t, r->skew_s < 0 ? ",\"skew_s\":-" : ",\"skew_s\":");
    text_add_number(t, (uint64_t)llabs(r->skew_s));
    text_add_char(t, '}');
}

void refusals_write(const struct api *a, struct text *t)
{
    struct node_refusals cursor = {0};
    struct node_refusal r;
    bool first = true;

    text_add_string(t, ",\"refusals\":[");
    while (node_refusal_next(edge_node(a->edge), &cursor, &r)) {
        text_add_string(t, first ? "{\"id\":\"" : ",{\"id\":\"");
        text_add_hex(t, bytes_of(r.id.key, KEY_SIZE));
        text_add_string(t, "\",\"name\":");
        text_add_json(t, bytes_of_string(r.name));
        text_add_string(t, ",\"by_peer\":");
        text_add_string(t, r.by_peer ? "true" : "false");
        text_add_string(t, ",\"reason\":");
        text_add_json(t, bytes_of_string(refusal_name(r.reason)));
        add_skew(t, &r);
        first = false;
    }
    text_add_char(t, ']');
}

/* ---- For people */

static void add_how_long(struct text *t, uint64_t seconds)
{
    static const struct {
        uint64_t seconds;
        const char *unit;
    } units[] = {
        {DAY_S, "day"}, {HOUR_S, "hour"}, {MINUTE_S, "minute"}, {1, "second"}};
    size_t i = 0;

    while (i < 3 && seconds < 2 * units[i].seconds)
        i++;
    uint64_t count = (seconds + units[i].seconds / 2) / units[i].seconds;
    text_add_number(t, count);
    text_add_char(t, ' ');
    text_add_string(t, units[i].unit);
    text_add_string(t, count == 1 ? "" : "s");
}

static void add_clocks(struct text *t, const struct node_refusal *r)
{
    bool of_time = r->reason == REFUSAL_NOT_YET || r->reason == REFUSAL_EXPIRED;

    if (!of_time || !r->skew_known)
        return;
    text_add_string(t, " Its clock ");
    if (llabs(r->skew_s) < 2) {
        text_add_string(t, "agrees with this one's.");
        return;
    }
    text_add_string(t, "is ");
    add_how_long(t, (uint64_t)llabs(r->skew_s));
    text_add_string(t, r->skew_s < 0 ? " behind this one's."
                                     : " ahead of this one's.");
}

void refusal_say_it(struct text *t, const struct node_refusal *r)
{
    if (r->by_peer) {
        text_add_string(t, r->name);
        text_add_string(t, " refuses this node: ");
    } else {
        text_add_string(t, "This node refuses ");
        text_add_string(t, r->name);
        text_add_string(t, ": ");
    }
    text_add_string(t, refusal_name(r->reason));
    text_add_char(t, '.');
    add_clocks(t, r);
}

static void add_line(struct text *t, struct text *what,
                     const struct node_refusal *r)
{
    struct health by_peer = {"warning", "refused_by_peer", NULL};
    struct health by_us = {"info", "peer_refused", NULL};
    struct health *h = r->by_peer ? &by_peer : &by_us;
    struct remedy remedy =
        remedy_of_refusal((enum refusal)r->reason, r->by_peer);

    refusal_say_it(what, r);
    h->severity = remedy.severity;
    h->remedy = remedy.text;
    health_add(t, h, what);
}

void health_refusals(const struct api *a, struct text *t, struct text *what)
{
    static const struct health replaced = {
        "error", "replaced",
        "End that process or this one, and give each node an identity of its "
        "own. When that process has ended, the others accept this one again."};
    static const struct health more = {"info", "more_refusals",
                                       "zs status --json shows all of them."};
    const struct node *n = edge_node(a->edge);
    struct node_refusals cursor = {0};
    struct node_refusal r;
    size_t count = 0;

    if (node_is_replaced(n, edge_now(a->edge))) {
        text_add_string(what, "This node was replaced: a process with the same "
                              "identity was started elsewhere later.");
        health_add(t, &replaced, what);
    }
    while (node_refusal_next(n, &cursor, &r))
        if (++count <= TOLD)
            add_line(t, what, &r);
    if (count <= TOLD)
        return;
    text_add_number(what, count - TOLD);
    text_add_string(what,
                    " more nodes refuse this node, or this node refuses them.");
    health_add(t, &more, what);
}

/* ---- For who named a peer */

bool refusal_of_peer(const struct api *a, const char *name,
                     const struct node_id *id, struct node_refusal *r)
{
    struct node_refusals cursor = {0};

    while (node_refusal_next(edge_node(a->edge), &cursor, r))
        if (id != NULL ? node_id_equal(&r->id, id) : strcmp(r->name, name) == 0)
            return true;
    return false;
}
