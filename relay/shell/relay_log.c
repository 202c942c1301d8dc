#include "relay/shell/relay_log.h"

#include <string.h>

#include "common/base/hex.h"
#include "common/io/log.h"

/* The key by which lines about an address are limited. An IPv6 host usually has
 * a whole /64. */
static struct bytes who_of(const struct address *a)
{
    return bytes_of(a->ip, a->family == ADDRESS_V6 ? 8 : 4);
}

/* Refusals are limited by node if the node is known, else by address. */
static bool may_tell(struct log_limit *l, struct instant now,
                     const struct hub_todo *todo)
{
    static const struct node_id nobody;
    struct bytes node = bytes_of(todo->log.node.key, KEY_SIZE);

    switch (todo->log.what) {
    case HUB_EDGE_UP:
        return log_limit_passes(l, now, LOG_BY_MEMBERS, "edge_up", NULL, node);
    case HUB_EDGE_DOWN:
        return log_limit_passes(l, now, LOG_BY_MEMBERS, "edge_down", NULL,
                                node);
    case HUB_EDGE_REFUSED:
        return log_limit_passes(l, now, LOG_BY_STRANGERS, "edge_refused",
                                refusal_name(todo->log.reason),
                                node_id_equal(&todo->log.node, &nobody)
                                    ? who_of(&todo->log.address)
                                    : node);
    }
    return false;
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

void relay_log_edge(struct log_limit *l, struct instant now,
                    const struct hub_todo *todo)
{
    if (!may_tell(l, now, todo))
        return;
    switch (todo->log.what) {
    case HUB_EDGE_UP:
        tell(LOG_INFO, "edge_up", "", todo);
        return;
    case HUB_EDGE_DOWN:
        tell(LOG_INFO, "edge_down",
             departure_name((enum departure)todo->log.reason), todo);
        return;
    case HUB_EDGE_REFUSED:
        tell(LOG_WARN, "edge_refused", refusal_name(todo->log.reason), todo);
        return;
    }
}

void relay_log_stranger(struct log_limit *l, struct instant now,
                        const char *event, const struct address *address,
                        const char *reason)
{
    char text[ADDRESS_TEXT_SIZE];
    char quoted[64];
    if (log_limit_passes(l, now, LOG_BY_STRANGERS, event, reason,
                         who_of(address)))
        log_warn(event, "reason=%s address=%s",
                 log_quote(reason, quoted, sizeof quoted),
                 address_format(address, text));
}

void relay_log_lines(const char *event, char *text)
{
    char quoted[512];
    char *rest = text;
    for (char *line; (line = strtok_r(rest, "\n", &rest));)
        log_error(event, "text=%s", log_quote(line, quoted, sizeof quoted));
}
