#include "edge/cli/subcommands.h"

#include "common/base/assert.h"
#include "common/conf/describe.h"
#include "common/conf/nearest.h"

#include <stdio.h>
#include <string.h>

const char *subcommands_help(const struct subcommands *all,
                             char room[static SUBCOMMANDS_HELP])
{
    size_t at = (size_t)snprintf(room, SUBCOMMANDS_HELP, "Commands:\n");

    for (size_t i = 0; i < all->count; i++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "%s %s", all->rows[i].name,
                 all->rows[i].arguments);
        at += (size_t)snprintf(room + at, SUBCOMMANDS_HELP - at, "  %-*s %s\n",
                               all->columns, usage, all->rows[i].help);
        ASSERT(at < SUBCOMMANDS_HELP);
    }
    snprintf(room + at, SUBCOMMANDS_HELP - at, "\n%s", all->notes);
    return room;
}

const struct subcommand *subcommands_find(const struct subcommands *all,
                                          const struct options_spec *spec,
                                          const char *name)
{
    struct nearest near = {0};

    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->rows[i].name, name) == 0)
            return &all->rows[i];
        nearest_offer(&near, name, all->rows[i].name);
    }
    options_wrong(spec, "unknown command \"%s\"%s%s%s", name,
                  near.word ? ": did you mean " : "",
                  near.word ? near.word : "", near.word ? "?" : "");
    return NULL;
}

int subcommands_describe(const struct subcommands *all,
                         const struct options_spec *spec, char *asked)
{
    int code = EXIT_DONE;

    describe_options(spec, stdout);
    for (size_t i = 0; i < all->count && code == EXIT_DONE; i++) {
        char name[32];
        char *argv[] = {name, asked, NULL};
        snprintf(name, sizeof(name), "%s", all->rows[i].name);
        describe_command(name, all->rows[i].arguments, all->rows[i].help,
                         stdout);
        code = all->rows[i].run(2, argv);
        describe_command_end(stdout);
    }
    return code;
}
