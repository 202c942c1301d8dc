#include "edge/cli/submit.h"

#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/send_lines.h"

static void begin(struct text *out, const struct submission *s)
{
    input_begin(out, s->op, s->to, s->type, s->group);
    if (!s->timeout)
        return;
    text_add_string(out, ",\"timeout\":");
    text_add_json(out, bytes_of_string(s->timeout));
}

static int ask(struct edge_client *c, const struct options *o,
               const struct submission *s)
{
    int code;

    json_t *answer = client_ask(c, &code);
    if (!answer)
        return code;
    code = EXIT_DONE;
    if (options_flag(o, "json"))
        command_print_json(answer);
    if (s->failed && s->failed(answer))
        code = EXIT_FAILED;
    else if (!options_flag(o, "json") && s->print && !s->print(answer))
        code = EXIT_FAILED;
    json_decref(answer);
    return code;
}

static int submit_one(const struct options *o, const struct submission *s)
{
    struct text content = {0}, request = {0};
    const char *wrong;
    int code;

    if (!input_read(o, s->data, &content, &code)) {
        text_close(&content);
        return code;
    }
    begin(&request, s);
    bool right =
        input_write(&request, input_form(o), text_bytes(&content), &wrong);
    text_close(&content);
    text_add_string(&request, "}\n");
    struct edge_client *c = NULL;
    if (!right)
        code = command_fail(EXIT_FAILED, "the data is %s", wrong);
    else if (!(c = client_open(o)))
        code = EXIT_NO_DAEMON;
    else
        text_add(client_out(c), text_bytes(&request));
    text_close(&request);
    if (c)
        code = ask(c, o, s);
    client_free(c);
    return code;
}

static int submit_lines(const struct options *o, const struct submission *s)
{
    struct text head = {0};

    if (s->data || options_text(o, "file"))
        return options_wrong(o->spec, "--lines excludes DATA and --file");
    struct edge_client *c = client_open(o);
    if (!c)
        return EXIT_NO_DAEMON;
    begin(&head, s);
    int code = send_lines(c, text_bytes(&head), input_form(o));
    text_close(&head);
    client_free(c);
    return code;
}

int submit_run(const struct options *o, const struct submission *s)
{
    return s->lines ? submit_lines(o, s) : submit_one(o, s);
}
