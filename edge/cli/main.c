#include "edge/cli/command.h"

#include "common/base/memory.h"
#include "common/conf/describe.h"
#include "common/conf/nearest.h"
#include "common/io/stdfds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct {
    const char *name;
    const char *arguments;
    const char *help;
    int (*run)(int argc, char **argv);
} commands[] = {
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

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* The list of commands that `zs --help` prints. */
static const char *list_commands(void)
{
    static char list[2048];
    size_t at = 0;

    at += (size_t)snprintf(list, sizeof(list), "Commands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "%s %s", commands[i].name,
                 commands[i].arguments);
        at += (size_t)snprintf(list + at, sizeof(list) - at, "  %-36s %s\n",
                               usage, commands[i].help);
        ASSERT(at < sizeof(list));
    }
    snprintf(list + at, sizeof(list) - at,
             "\n"
             "`zs COMMAND --help` describes a command. Exit codes: 0 "
             "done, 1 failed,\n"
             "2 wrong usage, 3 wrong configuration or identity, 4 no "
             "edge, 5 no such\n"
             "peer, 6 not delivered or answered in time.");
    return list;
}

static int unknown_command(const struct options_spec *spec, const char *name)
{
    struct nearest near = {0};

    for (size_t i = 0; i < COMMANDS; i++)
        nearest_offer(&near, name, commands[i].name);
    if (near.word)
        return options_wrong(spec, "unknown command \"%s\": did you mean %s?",
                             name, near.word);
    return options_wrong(spec, "unknown command \"%s\"", name);
}

/* Runs a command with its own arguments: its name, the --socket that came
 * before the name, and everything after the name. */
static int run_command(size_t command, const struct options *o)
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

    int code = commands[command].run(argc, argv);
    free(spelled);
    free(argv);
    return code;
}

static int run(const struct options_spec *spec, const struct options *o)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, o->positionals[0]) == 0)
            return run_command(i, o);
    return unknown_command(spec, o->positionals[0]);
}

static struct options_spec zs_spec(void)
{
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
        .epilogue = list_commands(),
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

/* zs --describe: describes zs, then lets each command describe itself. */
static int describe(const struct options_spec *spec, char *asked)
{
    int code = EXIT_DONE;

    describe_options(spec, stdout);
    for (size_t i = 0; i < COMMANDS && code == EXIT_DONE; i++) {
        char name[32];
        char *argv[] = {name, asked, NULL};
        snprintf(name, sizeof(name), "%s", commands[i].name);
        describe_command(name, commands[i].arguments, commands[i].help, stdout);
        code = commands[i].run(2, argv);
        describe_command_end(stdout);
    }
    return code;
}

int main(int argc, char **argv)
{
    const struct options_spec spec = zs_spec();
    struct options o;
    int code;

    stdfds_hold();
    if (describe_asked(argc, argv))
        return describe(&spec, argv[1]);
    if (!command_options(&spec, argc, argv, &o, &code))
        return code;
    code = run(&spec, &o);
    options_free(&o);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_FAILED;
    return code;
}
