/*
 * describe - prints a program's options, commands and configuration keys for
 * the tool that makes man pages and completions.
 *
 * With --describe as its only argument, each program and each command prints
 * the tables that it works by. deploy/pages makes the pages from that output,
 * so that they agree with --help.
 *
 * One record a line, fields separated by tabs; "\n" stands for a line break
 * inside a field:
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

/* True if --describe is the only argument. */
bool describe_asked(int argc, char *const *argv) MUST_USE;

/* Prints a program and its options; options_parse calls it for --describe. */
void describe_options(const struct options_spec *spec, FILE *out);
/* Prints the line before and the line after a command's own lines. */
void describe_command(const char *name, const char *arguments, const char *help,
                      FILE *out);
void describe_command_end(FILE *out);
void describe_conf(const struct conf_table *table, FILE *out);

#endif
