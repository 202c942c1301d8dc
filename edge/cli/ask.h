/*
 * ask - commands that put one question to the edge and print its answer.
 */
#ifndef EDGE_CLI_ASK_H
#define EDGE_CLI_ASK_H

#include "common/conf/options.h"

#include <jansson.h>

/* Prints the answer as the options say. */
typedef void ask_print(json_t *answer, const struct options *o);

/* Reads the options, asks the operation `op`, prints. The exit code. */
int ask_run(const struct options_spec *spec, int argc, char **argv,
            const char *op, ask_print *print);

#endif
