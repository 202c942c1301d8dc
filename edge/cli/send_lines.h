/*
 * send_lines - a message for each line of standard input, pipelined.
 */
#ifndef EDGE_CLI_SEND_LINES_H
#define EDGE_CLI_SEND_LINES_H

#include "edge/cli/client.h"
#include "edge/cli/input.h"

/* Sends them all, each as `head` (a request without its last brace) with the
 * line as data, and waits until all are answered. The exit code. */
int send_lines(struct client *c, struct bytes head, enum input_form form);

#endif
