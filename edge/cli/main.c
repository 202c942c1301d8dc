#include "edge/cli/command.h"

#include "common/base/memory.h"
#include "common/conf/describe.h"
#include "common/io/stdfds.h"
#include "edge/cli/subcommands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct subcommand rows[] = {
    {"status", "", "shows node, relays, peers and problems", cmd_status},
    {"peers", "", "prints a line for each peer", cmd_peers},
    {"wait", "--peers N | --peer NAME", "waits until peers are present",
     cmd_wait},
    {"send", "TO TYPE [DATA]", "sends a message to one peer", cmd_send},
    {"publish", "TYPE [DATA]", "sends a message to all peers, or a group",
     cmd_publish},
    {"request", "TO TYPE [DATA]", "sends a message and prints the reply",
     cmd_request},
    {"listen", "", "prints incoming messages", cmd_listen},
    {"ping", "TO", "measures round trips to a peer", cmd_ping},
    {"netcheck", "", "looks at the network, and says what to do", cmd_netcheck},
    {"chat", "", "opens a chat in the terminal", cmd_chat},
    {"top", "", "shows the traffic of this node, live", cmd_top},
    {"bench", "serve | TO", "measures throughput or round trips", cmd_bench},
    {"mesh", "create | add | relay | revoke", "makes and manages a mesh",
     cmd_mesh},
    {"keygen", "FILE", "makes a key on this device", cmd_keygen},
    {"id", "FILE", "shows an identity or key file", cmd_id},
    {"revoke", "FILE", "gives the edge a revocation list", cmd_revoke},
    {"help", "[COMMAND]", "describes a command, as COMMAND --help", cmd_help},
    {"version", "", "prints the version, as --version", cmd_version},
};

static const struct subcommands commands = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .columns = 36,
    .notes = "`zs COMMAND --help` describes a command. Exit codes: 0 "
             "done, 1 failed,\n"
             "2 wrong usage, 3 wrong configuration or identity, 4 no "
             "edge, 5 no such\n"
             "peer, 6 not delivered or answered in time.",
};

/* Runs a command with its own arguments: its name, the --socket that came
 * before the name, and everything after the name. */
static int run_command(const struct subcommand *command,
                       const struct options *o)
{
    const char *socket = options_text(o, "socket");
    char **argv = memory_array(o->positional_count + 3, sizeof(*argv));
    char *spelled = NULL;
    int argc = 0;

    argv[argc++] = o->positionals[0];
    if (socket) {
        size_t size = strlen(socket) + sizeof("--socket=");
        spelled = memory_new(size);
        snprintf(spelled, size, "--socket=%s", socket);
        argv[argc++] = spelled;
    }
    for (size_t i = 1; i < o->positional_count; i++)
        argv[argc++] = o->positionals[i];

    int code = command->run(argc, argv);
    free(spelled);
    free(argv);
    return code;
}

static int run(const struct options_spec *spec, const struct options *o)
{
    const struct subcommand *command =
        subcommands_find(&commands, spec, o->positionals[0]);

    return command ? run_command(command, o) : EXIT_USAGE;
}

static struct options_spec zs_spec(void)
{
    static char list[SUBCOMMANDS_HELP];

    return (struct options_spec){
        .program = "zs",
        .synopsis = "[--socket PATH] COMMAND ...",
        .about = "Uses the edge on this host, and makes meshes and "
                 "identities.",
        .shared = command_shared,
        .shared_count = COMMAND_SHARED,
        .positional_min = 1,
        .positional_max = SIZE_MAX,
        .stop_at_positional = true,
        .epilogue = subcommands_help(&commands, list),
    };
}

/* `zs help mesh add` is `zs mesh add --help`. */
static int help(const struct options *o)
{
    const struct options_spec spec = zs_spec();
    struct options asked = {.spec = &spec};
    char option[] = "--help";

    if (o->positional_count == 0) {
        options_help(&spec, stdout);
        return EXIT_DONE;
    }
    asked.positionals =
        memory_array(o->positional_count + 1, sizeof(*asked.positionals));
    for (size_t i = 0; i < o->positional_count; i++)
        asked.positionals[asked.positional_count++] = o->positionals[i];
    asked.positionals[asked.positional_count++] = option;
    int code = run(&spec, &asked);
    options_free(&asked);
    return code;
}

static int cmd_help(int argc, char **argv)
{
    static const struct options_spec spec = {
        .program = "zs help",
        .synopsis = "[COMMAND]",
        .about = "Describes a command; without COMMAND, lists all commands.",
        .shared = command_shared,
        .shared_count = COMMAND_SHARED,
        .positional_max = SIZE_MAX,
    };

    return command_run(&spec, argc, argv, help);
}

static int version(const struct options *o)
{
    (void)o;
    printf("zs %s\n", ZS_VERSION);
    return EXIT_DONE;
}

static int cmd_version(int argc, char **argv)
{
    static const struct options_spec spec = {
        .program = "zs version",
        .about = "Prints the version.",
        .shared = command_shared,
        .shared_count = COMMAND_SHARED,
    };

    return command_run(&spec, argc, argv, version);
}

int main(int argc, char **argv)
{
    const struct options_spec spec = zs_spec();
    struct options o;
    int code;

    stdfds_hold();
    if (describe_asked(argc, argv))
        return subcommands_describe(&commands, &spec, argv[1]);
    if (!command_options(&spec, argc, argv, &o, &code))
        return code;
    code = run(&spec, &o);
    options_free(&o);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_FAILED;
    return code;
}
