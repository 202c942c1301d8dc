/*
 * submit - what send, publish and request have in common: a message, or one for
 * each line of standard input, is given to the edge, and its answer awaited.
 */
#ifndef EDGE_CLI_SUBMIT_H
#define EDGE_CLI_SUBMIT_H

#include "edge/cli/input.h"

#include <jansson.h>

/* The rows that all three have: see input.h for --json-data and --file. */
#define SUBMIT_ROWS                                                            \
    INPUT_ROWS,                                                                \
    {                                                                          \
        "json", 0, OPTION_FLAG, NULL, "print the answer as JSON"               \
    }

struct submission {
    const char *op;
    const char *to; /* these four: NULL for none */
    const char *type;
    const char *group;
    const char *timeout;
    const char *data; /* NULL or "-": standard input */
    bool lines;
    /* Prints the answer where --json is not given; NULL: nothing. */
    bool (*print)(const json_t *answer);
    /* True if the answer tells of a failure, told on stderr; NULL: never. */
    bool (*failed)(const json_t *answer);
};

/* The exit code. */
int submit_run(const struct options *o, const struct submission *s);

#endif
