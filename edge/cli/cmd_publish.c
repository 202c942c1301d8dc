#include "edge/cli/command.h"
#include "edge/cli/submit.h"

static const struct option_row rows[] = {
    SUBMIT_ROWS,
    {"group", 0, OPTION_TEXT, "GROUP", "send only to the nodes in the group"},
    {"lines", 0, OPTION_FLAG, NULL, "send a message for each line of stdin"},
};

static const struct options_spec spec = {
    .program = "zs publish",
    .synopsis = "TYPE [DATA]",
    .about = "Sends a message to every present node, or to the nodes in "
             "a group. Ends when the\n"
             "edge has accepted the message; the edge then delivers it. "
             "DATA comes from\n"
             "standard input if it is missing or -.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
    .positional_min = 1,
    .positional_max = 2,
};

/* Warns, because publishing to no subscriber is mostly a mistake. */
static bool tell_nobody(const json_t *answer)
{
    if (json_integer_value(json_object_get(answer, "peers")) == 0)
        command_fail(EXIT_DONE, "no node is present to receive it");
    return true;
}

static int run_publish(const struct options *o)
{
    return submit_run(
        o, &(struct submission){
               .op = "publish",
               .type = o->positionals[0],
               .group = options_text(o, "group"),
               .data = o->positional_count > 1 ? o->positionals[1] : NULL,
               .lines = options_flag(o, "lines"),
               .print = tell_nobody,
           });
}

int cmd_publish(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_publish);
}
