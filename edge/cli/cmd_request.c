#include "edge/cli/command.h"
#include "edge/cli/submit.h"
#include "edge/cli/escape.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_row rows[] = {
    SUBMIT_ROWS,
    {"timeout", 0, OPTION_DURATION, "TIME",
     "time to wait for the reply; default 5s"},
};

static const struct options_spec spec = {
    .program = "zs request",
    .synopsis = "TO TYPE [DATA]",
    .about = "Sends a message to one peer and prints the reply: text as "
             "it is, other JSON as\n"
             "JSON, bytes as bytes. DATA comes from standard input if "
             "it is missing or -.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
    .positional_min = 2,
    .positional_max = 3,
};

/* Writes the reply's data: unchanged to a pipe, escaped to a terminal. */
static bool write_reply(struct bytes data)
{
    struct text shown = {0};

    if (!isatty(STDOUT_FILENO))
        return command_write(data);
    escape_text(&shown, data, ESCAPE_LINES);
    bool done = command_write(text_bytes(&shown));
    text_close(&shown);
    return done;
}

static bool print_bytes(const char *base64)
{
    size_t length = strlen(base64);
    size_t size = 0;
    uint8_t *bytes = malloc(length + 1);

    if (!bytes)
        return false;
    bool right =
        sodium_base642bin(bytes, length + 1, base64, length, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) == 0 &&
        write_reply(bytes_of(bytes, size));
    free(bytes);
    return right;
}

/* Tells whether this is the reply that a client library sends when the
 * program's handler failed. */
static bool is_failure(const json_t *answer)
{
    const json_t *data = json_object_get(answer, "data");
    const char *type = json_string_value(json_object_get(answer, "type"));
    const char *error = json_string_value(json_object_get(data, "error"));

    if (!type || !error || strcmp(type, "error") != 0 ||
        strcmp(error, "handler_failed") != 0)
        return false;
    command_fail(EXIT_FAILED,
                 "handler_failed: the program that answers failed");
    return true;
}

static bool print_reply(const json_t *answer)
{
    const json_t *data = json_object_get(answer, "data");
    const json_t *base64 = json_object_get(answer, "data_b64");

    if (base64)
        return print_bytes(json_string_value(base64));
    struct text said = {0};
    char *json = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY);
    if (json_is_string(data))
        text_add(&said,
                 bytes_of(json_string_value(data), json_string_length(data)));
    else
        text_add_string(&said, json ? json : "null");
    text_add_char(&said, '\n');
    bool done = write_reply(text_bytes(&said));
    text_close(&said);
    free(json);
    return done;
}

static int run_request(const struct options *o)
{
    return submit_run(
        o, &(struct submission){
               .op = "request",
               .to = o->positionals[0],
               .type = o->positionals[1],
               .timeout = options_text(o, "timeout"),
               .data = o->positional_count > 2 ? o->positionals[2] : NULL,
               .print = print_reply,
               .failed = is_failure,
           });
}

int cmd_request(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_request);
}
