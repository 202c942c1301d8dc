#include "edge/cli/command.h"
#include "edge/cli/submit.h"

static const struct option_row rows[] = {
    SUBMIT_ROWS,
    {"lines", 0, OPTION_FLAG, NULL, "send a message for each line of stdin"},
    {"timeout", 0, OPTION_DURATION, "TIME", "give up after 500ms, 5s, ..."},
};

static const struct options_spec spec = {
    .program = "zs send",
    .synopsis = "TO TYPE [DATA]",
    .about = "Sends a message to one peer. Ends when the peer's node "
             "has the message.\n"
             "DATA comes from standard input if it is missing or -. It "
             "is sent as a JSON\n"
             "string, unless --json-data or --file says otherwise.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
    .positional_min = 2,
    .positional_max = 3,
};

static int run_send(const struct options *o)
{
    return submit_run(
        o, &(struct submission){
               .op = "send",
               .to = o->positionals[0],
               .type = o->positionals[1],
               .timeout = options_text(o, "timeout"),
               .data = o->positional_count > 2 ? o->positionals[2] : NULL,
               .lines = options_flag(o, "lines"),
           });
}

int cmd_send(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_send);
}
