/*
 * command - what zs can do: each command is a function of its own arguments.
 *
 * argv[0] is the command's name. What is returned is the program's exit code
 * (common/conf/options.h). Options that stood before the command's name are
 * moved behind it, so a command reads --socket like any other option.
 */
#ifndef EDGE_CLI_COMMAND_H
#define EDGE_CLI_COMMAND_H

#include "common/base/bytes.h"
#include "common/conf/options.h"

#include <jansson.h>

int cmd_status(int argc, char **argv);
int cmd_peers(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_publish(int argc, char **argv);
int cmd_request(int argc, char **argv);
int cmd_listen(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_chat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_revoke(int argc, char **argv);
int cmd_mesh(int argc, char **argv);
int cmd_keygen(int argc, char **argv);
int cmd_id(int argc, char **argv);

/* The rows of --socket, for `shared` of an options_spec. */
extern const struct option_row command_shared[];
enum { COMMAND_SHARED = 1 };

/* Parses a command's arguments. False: it ends with *code. */
bool command_options(const struct options_spec *spec, int argc, char **argv,
                     struct options *o, int *code) MUST_USE;
/* A whole command: parses its arguments and runs it; its exit code. */
int command_run(const struct options_spec *spec, int argc, char **argv,
                int (*run)(const struct options *o));

/* "zs: MESSAGE" on stderr; returns `code`. */
int command_fail(int code, const char *message, ...)
    __attribute__((format(printf, 2, 3)));

/* From now on SIGINT and SIGTERM do not kill, but end the waiting; the command
 * looks at command_stopped and ends in its own way. A command that does not, as
 * nobody reads what it prints, ends with EXIT_FAILED a second later; a second
 * signal kills it. */
void command_stoppable(void);
bool command_stopped(void);

/* Prints what a peer may have written, see escape.h. */
void command_print(const char *text);
/* Prints the object as a line, "version" first, less "ref" and "ok". */
void command_print_json(json_t *object);
/* `code`, an escape sequence, where stdout is a terminal that is to show
 * colours; else "". */
const char *command_colour(const char *code);
/* Writes all to stdout, which may wait for who reads it; false if it cannot be
 * (told on stderr), or the command was stopped meanwhile. */
bool command_write(struct bytes bytes) MUST_USE;
/* The same, false without a word at the deadline. */
bool command_write_until(struct bytes bytes, struct instant deadline) MUST_USE;

#endif
