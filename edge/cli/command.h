/*
 * command - what zs can do: each command is a function of its own arguments.
 *
 * argv[0] is the command's name. What is returned is the program's exit code
 * (common/conf/options.h). Options that stood before the command's name are
 * moved behind it, so a command reads --socket like any other option.
 */
#ifndef EDGE_CLI_COMMAND_H
#define EDGE_CLI_COMMAND_H

#include "common/conf/options.h"

int cmd_status(int argc, char **argv);
int cmd_peers(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_publish(int argc, char **argv);
int cmd_request(int argc, char **argv);
int cmd_listen(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_revoke(int argc, char **argv);
int cmd_mesh(int argc, char **argv);
int cmd_keygen(int argc, char **argv);
int cmd_id(int argc, char **argv);

/* The rows of --socket, for `shared` of an options_spec. */
extern const struct option_row command_shared[];
enum { COMMAND_SHARED = 1 };

/* "zs: MESSAGE" on stderr; returns `code`. */
int command_fail(int code, const char *message, ...)
    __attribute__((format(printf, 2, 3)));

#endif
