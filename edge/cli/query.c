#include "edge/cli/query.h"

#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/input.h"

static int ask(const struct options *o, const char *op, query_print *print)
{
    struct edge_client *c = client_open(o);
    int code;

    if (!c)
        return EXIT_NO_DAEMON;
    input_begin(client_out(c), op, NULL, NULL, NULL);
    text_add_string(client_out(c), "}\n");
    json_t *answer = client_ask(c, &code);
    client_free(c);
    if (!answer)
        return code;
    print(answer, o);
    json_decref(answer);
    return EXIT_DONE;
}

int query_run(const struct options_spec *spec, int argc, char **argv,
              const char *op, query_print *print)
{
    struct options o;
    int code;

    if (!command_options(spec, argc, argv, &o, &code))
        return code;
    code = ask(&o, op, print);
    options_free(&o);
    return code;
}
