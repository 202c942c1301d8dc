#include "edge/cli/command.h"
#include "edge/cli/screen.h"
#include "edge/cli/chat_session.h"

static const struct option_row rows[] = {
    {"group", 0, OPTION_TEXT, "GROUP",
     "chat in this group; meanwhile the node is a member"},
};

static const struct options_spec spec = {
    .program = "zs chat",
    .about = "Chats with everyone, or with a group, in the same "
             "conversation as the chat page.\n"
             "A line is a message to all; `@NAME TEXT` is a message to "
             "one. /help lists the\n"
             "other commands. `//TEXT` and `@@TEXT` are messages that "
             "begin with / and @. If\n"
             "standard input or output is no terminal, each input line "
             "is a message and each\n"
             "output line an event.",
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
