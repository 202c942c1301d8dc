/*
 * options - the command line of a program or a command, by one table.
 *
 *     static const struct option_row rows[] = {
 *         {"config", 'c', OPTION_TEXT, "FILE", "the configuration file"},
 *         {"check", 0, OPTION_FLAG, NULL, "only check the file"},
 *         {"relay", 0, OPTION_TEXT, "URL", "a relay; may be repeated"},
 *     };
 *     static const struct options_spec spec = {
 *         .program = "zs-edge", .synopsis = "-c FILE [--check]",
 *         .about = "Runs one node of a mesh.",
 *         .rows = rows, .row_count = 3,
 *     };
 *     struct options o;
 *     switch (options_parse(&spec, argc, argv, &o)) {
 *     case OPTIONS_DONE: return EXIT_DONE;
 *     case OPTIONS_WRONG: return EXIT_USAGE;
 *     case OPTIONS_RUN: break;
 *     }
 *     const char *file = options_text(&o, "config");
 *     options_free(&o);
 *
 * Taken: --name VALUE, --name=VALUE, -c VALUE, -cVALUE, flags, repetition;
 * options and positionals in any order; what follows -- is positional, and so
 * is a lone "-". --help, -h and --version need no row.
 */
#ifndef COMMON_CONF_OPTIONS_H
#define COMMON_CONF_OPTIONS_H

#include "common/base/assert.h"
#include "common/base/instant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The exit codes of every program. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,     /* wrong usage */
    EXIT_CONF = 3,      /* wrong configuration or identity */
    EXIT_NO_DAEMON = 4, /* the daemon is not reachable */
    EXIT_NO_PEER = 5,
    EXIT_NOT_DELIVERED = 6 /* or not answered, in time */
};

enum option_kind {
    OPTION_FLAG, /* no value */
    OPTION_TEXT,
    OPTION_INTEGER,  /* 0 or more */
    OPTION_DURATION, /* 250ms 5s, see units.h */
    OPTION_SIZE,     /* 64KiB */
};

struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* 'c' for -c, or 0 */
    enum option_kind kind;
    const char *value; /* what the help calls it: "FILE"; NULL for a flag */
    const char *help;  /* one line */
};

struct options_spec {
    const char *program;  /* "zs-edge", "zs send" */
    const char *synopsis; /* "TO TYPE [DATA]"; NULL: none */
    const char *about;    /* a line or more, without the last newline */
    const struct option_row *rows;
    size_t row_count;
    const struct option_row *shared; /* more rows, as of all commands */
    size_t shared_count;
    size_t positional_min, positional_max;
    /* Everything from the first positional on is positional: for a program
     * whose commands have options of their own. */
    bool stop_at_positional;
    const char *epilogue; /* after the options in the help, or NULL */
};

struct option_given;

struct options {
    const struct options_spec *spec;
    char **positionals; /* argv's strings */
    size_t positional_count;
    struct option_given *given;
    size_t given_count;
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_DONE, /* help or version was printed to stdout */
    OPTIONS_WRONG /* what is wrong was printed to stderr */
};

/* argv[0] is skipped. Values are checked as their row's kind says. Only RUN
 * leaves something to free. The strings stay argv's. */
enum options_result options_parse(const struct options_spec *spec, int argc,
                                  char *const *argv,
                                  struct options *o) MUST_USE;
void options_free(struct options *o);

/* Asking for a name that has no row, or as another kind, is a bug (ASSERT).
 * Of an option given more than once these tell the last. */
bool options_flag(const struct options *o, const char *name);
/* NULL if not given. */
const char *options_text(const struct options *o, const char *name);
int64_t options_integer(const struct options *o, const char *name,
                        int64_t fallback);
struct span options_duration(const struct options *o, const char *name,
                             struct span fallback);
uint64_t options_size(const struct options *o, const char *name,
                      uint64_t fallback);
/* Walks a repeated option: *cursor = 0 at first; NULL at the end. */
const char *options_next(const struct options *o, const char *name,
                         size_t *cursor);

/* Walks the rows that are taken: the spec's, the shared, help and version.
 * *cursor = 0 at first; NULL at the end. */
const struct option_row *options_row(const struct options_spec *spec,
                                     size_t *cursor);
/* The help as --help prints it. */
void options_help(const struct options_spec *spec, FILE *out);
/* "zs-edge: MESSAGE" and how to get help, on stderr; returns EXIT_USAGE. */
int options_wrong(const struct options_spec *spec, const char *message, ...)
    __attribute__((format(printf, 2, 3)));

#endif
