/*
 * command - the commands of zs, and what they share.
 *
 * Each command is a function of its arguments, with the command's name in
 * argv[0], and returns the program's exit code (common/conf/options.h). main.c
 * moves options before the command's name behind it, so a command reads
 * --socket like any other option.
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
int cmd_netcheck(int argc, char **argv);
int cmd_chat(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_revoke(int argc, char **argv);
int cmd_mesh(int argc, char **argv);
int cmd_keygen(int argc, char **argv);
int cmd_id(int argc, char **argv);

/* The row of --socket, for `shared` of an options_spec. */
extern const struct option_row command_shared[];
enum { COMMAND_SHARED = 1 };

/* Parses a command's arguments into `o`, which the caller frees. False if the
 * command must end with the exit code *code. */
bool command_options(const struct options_spec *spec, int argc, char **argv,
                     struct options *o, int *code) MUST_USE;
/* Runs a whole command: parses its arguments and calls `run`. Returns the exit
 * code. */
int command_run(const struct options_spec *spec, int argc, char **argv,
                int (*run)(const struct options *o));

/* Prints "zs: MESSAGE" on stderr, and returns `code`. */
int command_fail(int code, const char *message, ...)
    __attribute__((format(printf, 2, 3)));

/* From now on SIGINT and SIGTERM do not kill the process: they end its waiting,
 * and the command then sees command_stopped and ends in its own way. If the
 * command does not end within a second, because nobody reads its output, the
 * process exits with EXIT_FAILED. A second signal kills the process. */
void command_stoppable(void);
bool command_stopped(void);

/* Prints text that a peer may have written, escaped by escape.h. */
void command_print(const char *text);
/* Prints the object as one line of JSON, with "version" first and without "ref"
 * and "ok". */
void command_print_json(json_t *object);
/* Returns `code`, an escape sequence, if stdout is a terminal on which colours
 * are wanted; else "". */
const char *command_colour(const char *code);
/* Writes all bytes to stdout, and waits while its reader is slow. False if
 * writing failed, which it prints on stderr, or if a signal stopped the
 * command. */
bool command_write(struct bytes bytes) MUST_USE;
/* The same, but at the deadline it returns false and prints nothing. */
bool command_write_until(struct bytes bytes, struct instant deadline) MUST_USE;

#endif
