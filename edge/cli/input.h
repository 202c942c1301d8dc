/*
 * input - reads the data for the commands send, publish and request, and puts
 * it into a request.
 */
#ifndef EDGE_CLI_INPUT_H
#define EDGE_CLI_INPUT_H

#include "common/base/text.h"
#include "common/conf/options.h"

enum input_form {
    INPUT_TEXT,  /* sent as a JSON string */
    INPUT_JSON,  /* is JSON, and sent as such */
    INPUT_BYTES, /* sent as bytes, base64 in the API */
};

/* The rows of --json-data and --file, for a table of options. */
#define INPUT_ROWS                                                             \
    {"json-data", 0, OPTION_FLAG, NULL, "DATA is JSON, and is sent as JSON"},  \
    {                                                                          \
        "file", 0, OPTION_TEXT, "FILE", "send a file's bytes (-: stdin's)"     \
    }

enum input_form input_form(const struct options *o);

/*
 * Reads the data: `data`, or the --file, or standard input if `data` is NULL or
 * "-". On failure it prints a line on stderr, sets *code to the exit code, and
 * returns false.
 */
bool input_read(const struct options *o, const char *data, struct text *content,
                int *code) MUST_USE;

/* Appends ,"data":... or ,"data_b64":... to a request. If the content does not
 * have this form, it appends nothing, sets *wrong to the reason ("not JSON"),
 * and returns false. */
bool input_write(struct text *out, enum input_form form, struct bytes content,
                 const char **wrong) MUST_USE;

/* Appends the beginning of a request: {"op":OP and the members to, type and
 * group that are not NULL. */
void input_begin(struct text *out, const char *op, const char *to,
                 const char *type, const char *group);

/* Reads a whole file; returns false with errno set. */
bool input_file(const char *path, struct text *content) MUST_USE;

#endif
