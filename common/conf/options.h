/*
 * options - parses a command line by a table.
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
 * Accepted: --name VALUE, --name=VALUE, -c VALUE, -cVALUE, flags, repetition;
 * options and positionals in any order. All arguments after -- are positionals,
 * and so is a lone "-". --help, -h and --version need no row.
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
    EXIT_USAGE = 2,     /* a wrong command line */
    EXIT_CONF = 3,      /* a wrong configuration or identity */
    EXIT_NO_DAEMON = 4, /* the daemon cannot be reached */
    EXIT_NO_PEER = 5,
    /* Not delivered or not answered in time. */
    EXIT_NOT_DELIVERED = 6
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
    /* The value's name in the help: "FILE"; NULL for a flag. */
    const char *value;
    const char *help; /* one line */
};

struct options_spec {
    const char *program;  /* "zs-edge", "zs send" */
    const char *synopsis; /* "TO TYPE [DATA]"; NULL: none */
    const char *about;    /* one or more lines, without the last newline */
    const struct option_row *rows;
    size_t row_count;
    /* More rows, such as those of all commands. */
    const struct option_row *shared;
    size_t shared_count;
    size_t positional_min, positional_max;
    /* From the first positional on, everything is positional: for a program
     * whose commands have options of their own. */
    bool stop_at_positional;
    const char *epilogue; /* the help's text after the options, or NULL */
};

struct option_given;

struct options {
    const struct options_spec *spec;
    char **positionals; /* point to strings of argv */
    size_t positional_count;
    struct option_given *given;
    size_t given_count;
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_DONE, /* help or version was printed to stdout */
    OPTIONS_WRONG /* the mistake was printed to stderr */
};

/* Parses argv from argv[1] on and checks each value by its row's kind. Only
 * after RUN the caller must call options_free. The strings stay in argv. */
enum options_result options_parse(const struct options_spec *spec, int argc,
                                  char *const *argv,
                                  struct options *o) MUST_USE;
void options_free(struct options *o);

/* A name that has no row, or a row of another kind, is a bug (ASSERT). If an
 * option was given several times, these return the last value. */
bool options_flag(const struct options *o, const char *name);
/* NULL if the option was not given. */
const char *options_text(const struct options *o, const char *name);
/* `fallback` if the option was not given; so in the next two. */
int64_t options_integer(const struct options *o, const char *name,
                        int64_t fallback);
struct span options_duration(const struct options *o, const char *name,
                             struct span fallback);
uint64_t options_size(const struct options *o, const char *name,
                      uint64_t fallback);
/* Walks the values of a repeated option: the caller sets *cursor = 0 before the
 * first call; NULL marks the end. */
const char *options_next(const struct options *o, const char *name,
                         size_t *cursor);

/* Walks all rows: the spec's own, the shared ones, help and version. The caller
 * sets *cursor = 0 before the first call; NULL marks the end. */
const struct option_row *options_row(const struct options_spec *spec,
                                     size_t *cursor);
/* Prints the help, as for --help. */
void options_help(const struct options_spec *spec, FILE *out);
/* Prints "zs-edge: MESSAGE" and how to get help to stderr; returns EXIT_USAGE.
 */
int options_wrong(const struct options_spec *spec, const char *message, ...)
    __attribute__((format(printf, 2, 3)));

#endif
