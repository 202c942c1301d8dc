/*
 * subcommands - a table of commands, for `zs` and for `zs mesh`.
 */
#ifndef EDGE_CLI_SUBCOMMANDS_H
#define EDGE_CLI_SUBCOMMANDS_H

#include "common/conf/options.h"

enum { SUBCOMMANDS_HELP = 2048 };

struct subcommand {
    const char *name;
    const char *arguments;
    const char *help;
    /* argv[0] is the command's name. Returns the exit code. */
    int (*run)(int argc, char **argv);
};

struct subcommands {
    const struct subcommand *rows;
    size_t count;
    int columns; /* of names with arguments, in the list */
    const char *notes;
};

/* Writes the list of commands, then the notes, into `room`; returns it. The
 * list is the epilogue of --help. */
const char *subcommands_help(const struct subcommands *all,
                             char room[static SUBCOMMANDS_HELP]);
/* Finds the command. If there is none, prints that on stderr with the nearest
 * name, and returns NULL. */
const struct subcommand *subcommands_find(const struct subcommands *all,
                                          const struct options_spec *spec,
                                          const char *name) MUST_USE;
/* --describe (see describe.h): describes `spec`, then each command. `asked` is
 * the argument --describe. Returns the exit code. */
int subcommands_describe(const struct subcommands *all,
                         const struct options_spec *spec, char *asked);

#endif
