/*
 * describe - what a program takes, for those who write its pages.
 *
 * With the one argument --describe each program (and command) prints its
 * options, commands and configuration keys from the tables that it works by.
 * deploy/pages makes man pages and completions of that, so that these cannot
 * say anything else than --help.
 *
 * A line a record, its fields parted by tabs; "\n" is a line break in a field:
 *
 *     program   NAME SYNOPSIS ABOUT EPILOGUE
 *     option    NAME LETTER VALUE HELP        of the program before it
 *     shared    NAME LETTER VALUE HELP        the same; all commands have it
 *     command   NAME ARGUMENTS HELP           its own lines follow
 *     end                                     of the command's lines
 *     conf      TITLE
 *     key       PATH KIND DEFAULT LIVE HELP
 */
#ifndef COMMON_CONF_DESCRIBE_H
#define COMMON_CONF_DESCRIBE_H

#include "common/conf/conf.h"
#include "common/conf/options.h"

/* The arguments are --describe and no other. */
bool describe_asked(int argc, char *const *argv) MUST_USE;

/* options_parse does this by itself, when it is asked. */
void describe_options(const struct options_spec *spec, FILE *out);
/* Around what the command describes of itself. */
void describe_command(const char *name, const char *arguments, const char *help,
                      FILE *out);
void describe_command_end(FILE *out);
void describe_conf(const struct conf_table *table, FILE *out);

#endif
