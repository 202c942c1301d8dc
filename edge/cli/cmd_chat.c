#include "edge/cli/command.h"
#include "edge/cli/screen.h"
#include "edge/cli/chat_session.h"

static const struct option_row rows[] = {
    {"group", 0, OPTION_TEXT, "GROUP",
     "with those in the group, and while here be in it"},
};

static const struct options_spec spec = {
    .program = "zs chat",
    .about = "A chat with everyone, or with a group: the same as the chat "
             "page's. A line is a\nmessage to all, `@NAME TEXT` to one alone; "
             "/help names the rest. `//TEXT` and\n`@@TEXT` are messages that "
             "begin with / and @. Where standard input or output\nis no "
             "terminal, lines in are messages and lines out what happened.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

static int run_chat(const struct options *o)
{
    const char *group = options_text(o, "group");
    struct chat_session session = {0};

    if (!reconnecting_client_open(&session.edge, o))
        return EXIT_NO_DAEMON;
    command_stoppable();
    screen_locale();
    int code = screen_open() ? chat_terminal(&session, group)
                             : chat_plain(&session, group);
    reconnecting_client_close(&session.edge);
    return code;
}

int cmd_chat(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_chat);
}
