#include "edge/cli/query.h"
#include "edge/cli/command.h"
#include "edge/cli/peer_row.h"
#include "edge/cli/report.h"

#include <stdlib.h>
#include <string.h>

static const struct option_row rows[] = {
    {"json", 0, OPTION_FLAG, NULL, "print one JSON object, with the counters"},
};

static const struct options_spec spec = {
    .program = "zs status",
    .about = "Shows this node, its relays, its peers, and each problem "
             "with a remedy.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

static void print_node(const json_t *node)
{
    char *info = json_dumps(json_object_get(node, "info"), JSON_COMPACT);
    json_t *group;
    size_t i;

    report_bold(json_text(node, "name"));
    printf("  %s\n", json_text(node, "id"));
    if (info && strcmp(info, "{}") != 0) {
        printf("  info    ");
        command_print(info);
        putchar('\n');
    }
    free(info);
    if (json_text(node, "page")[0] != '\0')
        printf("  pages   %s\n", json_text(node, "page"));
    if (json_array_size(json_object_get(node, "groups")) == 0)
        return;
    printf("  groups ");
    json_array_foreach(json_object_get(node, "groups"), i, group)
        printf(" %s", json_string_value(group));
    putchar('\n');
}

/* "wss through proxy" */
static void add_way(struct text_table *table, const json_t *relay)
{
    char way[64];

    snprintf(way, sizeof way, "%s%s", json_text(relay, "transport"),
             json_is_true(json_object_get(relay, "proxy")) ? " through proxy"
                                                           : "");
    table_add(table, way);
}

static void print_relays(const json_t *relays)
{
    struct text_table table = {.columns = 5};
    char room[PEER_TEXT_SIZE];
    json_t *relay;
    size_t i;

    report_title("Relays");
    if (json_array_size(relays) == 0)
        puts("  none");
    json_array_foreach(relays, i, relay)
    {
        table_add(&table, json_text(relay, "state"));
        add_way(&table, relay);
        table_add(&table, peer_rtt(json_object_get(relay, "rtt_ms"), room));
        table_add(&table, json_text(relay, "url"));
        table_add(&table, json_text(relay, "error"));
    }
    table_print(&table, "  ");
}

/* "relay (nat)": the reason why a peer is relayed. */
static void add_why(json_t *peer)
{
    const char *why = json_text(peer, "why");

    if (why[0] != '\0')
        json_object_set_new(
            peer, "path",
            json_sprintf("%s (%s)", json_text(peer, "path"), why));
}

static void print_peers(json_t *peers)
{
    struct text_table table = {.columns = PEER_COLUMNS};
    char title[64];
    json_t *peer;
    size_t i;

    snprintf(title, sizeof(title), "Peers (%zu)", json_array_size(peers));
    report_title(title);
    if (json_array_size(peers) == 0)
        puts("  none");
    peers_sort(peers);
    json_array_foreach(peers, i, peer)
    {
        add_why(peer);
        peer_row(&table, peer);
    }
    table_print(&table, "  ");
}

static void print_status(json_t *status, const struct options *o)
{
    if (options_flag(o, "json")) {
        command_print_json(status);
        return;
    }
    print_node(json_object_get(status, "node"));
    print_relays(json_object_get(status, "relays"));
    print_peers(json_object_get(status, "peers"));
    report_lines("Health", json_object_get(status, "health"));
}

int cmd_status(int argc, char **argv)
{
    return query_run(&spec, argc, argv, "status", print_status);
}
