/*
 * query - runs a command that sends the edge one request and prints the answer.
 */
#ifndef EDGE_CLI_QUERY_H
#define EDGE_CLI_QUERY_H

#include "common/conf/options.h"

#include <jansson.h>

/* Prints the answer to stdout, as the options say. */
typedef void query_print(json_t *answer, const struct options *o);

/* Parses the options, requests the API's operation `op`, and prints the answer.
 * Returns the exit code. */
int query_run(const struct options_spec *spec, int argc, char **argv,
              const char *op, query_print *print);

#endif
