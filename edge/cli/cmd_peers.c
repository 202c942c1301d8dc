#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/peer_row.h"

static const struct option_row rows[] = {
    {"json", 0, OPTION_FLAG, NULL, "a JSON object a line"},
};

static const struct options_spec spec = {
    .program = "zs peers",
    .about = "A line for each peer: name, id, path, round trip, endpoint, "
             "info.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

static void print_peers(const json_t *peers, bool json)
{
    struct table table = {.columns = PEER_COLUMNS};
    json_t *peer;
    size_t i;

    json_array_foreach(peers, i, peer)
    {
        if (json)
            command_print_json(peer);
        else
            peer_row(&table, peer);
    }
    table_print(&table, "");
}

int cmd_peers(int argc, char **argv)
{
    struct options o;
    int code;

    if (!command_options(&spec, argc, argv, &o, &code))
        return code;
    struct client *c = client_open(&o);
    code = EXIT_NO_DAEMON;
    if (c) {
        text_add_string(client_out(c), "{\"op\":\"peers\"}\n");
        json_t *answer = client_ask(c, &code);
        if (answer) {
            print_peers(json_object_get(answer, "peers"),
                        options_flag(&o, "json"));
            code = EXIT_DONE;
        }
        json_decref(answer);
    }
    client_free(c);
    options_free(&o);
    return code;
}
