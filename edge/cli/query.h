/*
 * query - commands that put one question to the edge and print its answer.
 */
#ifndef EDGE_CLI_QUERY_H
#define EDGE_CLI_QUERY_H

#include "common/conf/options.h"

#include <jansson.h>

/* Prints the answer as the options say. */
typedef void query_print(json_t *answer, const struct options *o);

/* Reads the options, asks the operation `op`, prints. The exit code. */
int query_run(const struct options_spec *spec, int argc, char **argv,
              const char *op, query_print *print);

#endif
