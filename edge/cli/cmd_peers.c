#include "edge/cli/query.h"
#include "edge/cli/command.h"
#include "edge/cli/peer_row.h"

static const struct option_row rows[] = {
    {"json", 0, OPTION_FLAG, NULL, "print a JSON object a line"},
};

static const struct options_spec spec = {
    .program = "zs peers",
    .about = "Prints a line for each peer, sorted by name: name, id, "
             "path, round trip,\n"
             "endpoint, groups, info.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

static void print_peers(json_t *answer, const struct options *o)
{
    struct text_table table = {.columns = PEER_COLUMNS};
    json_t *peer;
    size_t i;

    peers_sort(json_object_get(answer, "peers"));
    json_array_foreach(json_object_get(answer, "peers"), i, peer)
    {
        if (options_flag(o, "json"))
            command_print_json(peer);
        else
            peer_row(&table, peer);
    }
    table_print(&table, "");
}

int cmd_peers(int argc, char **argv)
{
    return query_run(&spec, argc, argv, "peers", print_peers);
}
