#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/input.h"

#include "common/conf/revoked.h"

static const struct option_row rows[] = {
    {"json", 0, OPTION_FLAG, NULL, "print the answer as JSON"},
};

static const struct options_spec spec = {
    .program = "zs revoke",
    .synopsis = "FILE",
    .about = "Gives the edge a revocation list, as zs mesh revoke makes it. "
             "The edge checks\nits signature, keeps it, and passes it on to "
             "all others.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static int give(struct edge_client *c, const struct options *o,
                struct bytes list)
{
    const char *wrong;
    int code;

    input_begin(client_out(c), "revoke", NULL, NULL, NULL);
    if (!input_write(client_out(c), INPUT_BYTES, list, &wrong))
        return EXIT_FAILED;
    text_add_string(client_out(c), "}\n");
    json_t *answer = client_ask(c, &code);
    if (!answer) /* A bad list is no usage error. */
        return code == EXIT_USAGE ? EXIT_CONF : code;
    if (options_flag(o, "json"))
        command_print_json(answer);
    else
        printf("%s: list %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
               " revoked\n",
               o->positionals[0],
               json_integer_value(json_object_get(answer, "serial")),
               json_integer_value(json_object_get(answer, "nodes")));
    json_decref(answer);
    return EXIT_DONE;
}

static int run_revoke(const struct options *o)
{
    struct revoked revoked;

    if (!revoked_load(o->positionals[0], &revoked, stderr))
        return EXIT_CONF;
    struct edge_client *c = client_open(o);
    int code =
        c ? give(c, o, bytes_of(revoked.bytes, revoked.size)) : EXIT_NO_DAEMON;
    client_free(c);
    return code;
}

int cmd_revoke(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_revoke);
}
