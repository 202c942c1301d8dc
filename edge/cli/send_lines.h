/*
 * send_lines - sends each line of standard input as a message, many at once.
 */
#ifndef EDGE_CLI_SEND_LINES_H
#define EDGE_CLI_SEND_LINES_H

#include "edge/cli/client.h"
#include "edge/cli/input.h"

/* Sends a request for each line: `head`, which is a request without its last
 * brace, plus the line as data. Waits until all are answered. Returns the exit
 * code. */
int send_lines(struct edge_client *c, struct bytes head, enum input_form form);

#endif
