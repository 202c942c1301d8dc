/*
 * input - what send, publish and request are given to send.
 */
#ifndef EDGE_CLI_INPUT_H
#define EDGE_CLI_INPUT_H

#include "common/base/text.h"
#include "common/conf/options.h"

enum input_form {
    INPUT_TEXT,  /* travels as a JSON string */
    INPUT_JSON,  /* as the JSON that it is */
    INPUT_BYTES, /* as it is */
};

/* --json-data and --file, for all three commands. */
#define INPUT_ROWS                                                             \
    {"json-data", 0, OPTION_FLAG, NULL, "DATA is JSON, and travels as such"},  \
    {                                                                          \
        "file", 0, OPTION_TEXT, "FILE", "send a file's bytes (-: stdin's)"     \
    }

enum input_form input_form(const struct options *o);

/*
 * All of what is to be sent: DATA, the --file, or standard input where DATA is
 * NULL or "-". False after a line on stderr; *code is the exit code then.
 */
bool input_read(const struct options *o, const char *data, struct text *content,
                int *code) MUST_USE;

/* Writes ,"data":... or ,"data_b64":...; on false nothing, and *wrong says what
 * the content is not. */
bool input_write(struct text *out, enum input_form form, struct bytes content,
                 const char **wrong) MUST_USE;

/* Writes {"op":OP and, where not NULL, the members to, type, group. */
void input_begin(struct text *out, const char *op, const char *to,
                 const char *type, const char *group);

/* Reads a whole file; false with errno set. */
bool input_file(const char *path, struct text *content) MUST_USE;

#endif
