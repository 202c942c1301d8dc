#include "relay/shell/told.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/io/log.h"

enum { LINE_US = 20000, BURST_US = 200 * LINE_US, AGAIN_S = 60 };

static bool may_tell(struct told *t, struct instant now)
{
    if (instant_between(now, t->at).us > BURST_US) {
        t->left_out++;
        return false;
    }
    if (t->left_out > 0)
        log_warn("log_limited", "left_out=%" PRIu64, t->left_out);
    t->left_out = 0;
    t->at = instant_after(instant_max(t->at, now), span_us(LINE_US));
    return true;
}

static bool is_same(const struct told_before *a, const struct told_before *b)
{
    return a->event && strcmp(a->event, b->event) == 0 &&
           strcmp(a->reason, b->reason) == 0 &&
           node_id_equal(&a->node, &b->node) &&
           address_same_ip(&a->address, &b->address);
}

/* True if this was told a moment ago. The table only forgets too early: what
 * falls on the same place takes it. */
static bool is_repeated(struct told *t, struct instant now,
                        struct told_before line)
{
    size_t at = line.node.key[0] ^ line.address.ip[3] ^ line.address.ip[15] ^
                (size_t)line.reason[0];
    struct told_before *before = &t->recent[at % TOLD_RECENT];
    if (is_same(before, &line) && !instant_reached(before->again, now))
        return true;
    line.again = instant_after(now, span_s(AGAIN_S));
    *before = line;
    return false;
}

/* A refusal is of a node, from wherever; without one, of an address. */
static bool is_repeated_refusal(struct told *t, struct instant now,
                                const struct hub_todo *todo)
{
    static const struct node_id nobody;
    struct told_before line = {.event = "edge_refused",
                               .reason = refusal_name(todo->log.reason),
                               .node = todo->log.node};
    if (node_id_equal(&line.node, &nobody))
        line.address = todo->log.address;
    return is_repeated(t, now, line);
}

static const char *departure_word(uint8_t reason)
{
    switch ((enum departure)reason) {
    case DEPARTURE_CLOSED:
        return "closed";
    case DEPARTURE_LOST:
    case DEPARTURE_SILENT:
        return "lost";
    case DEPARTURE_REVOKED:
        return "revoked";
    }
    return "unknown";
}

static void tell(enum log_level level, const char *event, const char *reason,
                 const struct hub_todo *todo)
{
    char id[2 * KEY_SIZE + 1];
    char mesh[2 * KEY_SIZE + 1];
    char address[ADDRESS_TEXT_SIZE];
    hex_encode(bytes_of(todo->log.node.key, KEY_SIZE), id);
    hex_encode(bytes_of(todo->log.mesh.key, KEY_SIZE), mesh);
    log_write(level, event, "%s%s%sname=%s id=%s mesh=%s address=%s",
              *reason ? "reason=" : "", reason, *reason ? " " : "",
              *todo->log.name ? todo->log.name : "-", id, mesh,
              address_format(&todo->log.address, address));
}

void told_of_edge(struct told *t, struct instant now,
                  const struct hub_todo *todo)
{
    if (todo->log.what == HUB_EDGE_REFUSED && is_repeated_refusal(t, now, todo))
        return;
    if (!may_tell(t, now))
        return;
    switch (todo->log.what) {
    case HUB_EDGE_UP:
        tell(LOG_INFO, "edge_up", "", todo);
        return;
    case HUB_EDGE_DOWN:
        tell(LOG_INFO, "edge_down", departure_word(todo->log.reason), todo);
        return;
    case HUB_EDGE_REFUSED:
        tell(LOG_WARN, "edge_refused", refusal_name(todo->log.reason), todo);
        return;
    }
}

void told_of_stranger(struct told *t, struct instant now, const char *event,
                      const struct address *address, const char *reason)
{
    char text[ADDRESS_TEXT_SIZE];
    char quoted[64];
    struct told_before line = {
        .event = event, .reason = reason, .address = *address};
    if (!is_repeated(t, now, line) && may_tell(t, now))
        log_warn(event, "reason=%s address=%s",
                 log_quote(reason, quoted, sizeof quoted),
                 address_format(address, text));
}

void told_lines(const char *event, char *text)
{
    char quoted[512];
    char *rest = text;
    for (char *line; (line = strtok_r(rest, "\n", &rest));)
        log_error(event, "text=%s", log_quote(line, quoted, sizeof quoted));
}
