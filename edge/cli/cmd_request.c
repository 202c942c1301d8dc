#include "edge/cli/command.h"
#include "edge/cli/say.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row rows[] = {
    SAY_ROWS,
    {"timeout", 0, OPTION_DURATION, "TIME", "wait so long; default 5s"},
};

static const struct options_spec spec = {
    .program = "zs request",
    .synopsis = "TO TYPE [DATA]",
    .about = "Sends a message to one peer and prints the reply: text as it is, "
             "other JSON as\nJSON, bytes as bytes. DATA comes from standard "
             "input where it is missing or -.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
    .positional_min = 2,
    .positional_max = 3,
};

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
        command_write(bytes_of(bytes, size));
    free(bytes);
    return right;
}

/* So a client answers when the program's handler failed. */
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
    if (json_is_string(data))
        fwrite(json_string_value(data), 1, json_string_length(data), stdout);
    else
        json_dumpf(data, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    putchar('\n');
    return true;
}

static int run(const struct options *o)
{
    return say_run(
        o, &(struct say){
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
    return command_run(&spec, argc, argv, run);
}
