/*
 * submit - what the commands send, publish and request share.
 *
 * They give one message to the edge, or one for each line of standard input,
 * and wait for the answer.
 */
#ifndef EDGE_CLI_SUBMIT_H
#define EDGE_CLI_SUBMIT_H

#include "edge/cli/input.h"

#include <jansson.h>

/* The rows of the options that all three have; input.h describes INPUT_ROWS. */
#define SUBMIT_ROWS                                                            \
    INPUT_ROWS,                                                                \
    {                                                                          \
        "json", 0, OPTION_FLAG, NULL, "print the answer as JSON"               \
    }

struct submission {
    const char *op;      /* the API's operation */
    const char *to;      /* node; this and the next three may be NULL */
    const char *type;    /* of the message */
    const char *group;   /* to publish to */
    const char *timeout; /* for a reply */
    const char *data;    /* NULL or "-": standard input */
    bool lines;          /* one message for each line of standard input */
    /* Prints the answer, if --json is not given; false if printing failed. May
     * be NULL. */
    bool (*print)(const json_t *answer);
    /* Returns true, after a line on stderr, if the answer means a failure. May
     * be NULL. */
    bool (*failed)(const json_t *answer);
};

/* Submits the message or messages. Returns the exit code. */
int submit_run(const struct options *o, const struct submission *s);

#endif
