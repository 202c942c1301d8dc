#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/escape.h"

#include "common/base/jtext.h"
#include "common/io/clock.h"

#include <inttypes.h>

static const struct option_row rows[] = {
    {"type", 0, OPTION_TEXT, "TYPE", "only messages of this type (repeatable)"},
    {"group", 0, OPTION_TEXT, "GROUP",
     "join the group and print its messages (repeatable)"},
    {"count", 'n', OPTION_INTEGER, "N", "end after N messages"},
    {"timeout", 0, OPTION_DURATION, "TIME",
     "end after 5s, ...; exit 6 if N messages did not come"},
    {"json", 0, OPTION_FLAG, NULL,
     "print a JSON object a line, also for presence"},
};

static const struct options_spec spec = {
    .program = "zs listen",
    .about = "Prints each incoming message on a line: sender, type, "
             "data. A line break inside\n"
             "them is printed as \\n"
             ", a control character as \\u001b. With --json prints "
             "every\n"
             "event, including joins, leaves and paths if neither "
             "--type nor --group is given.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

struct listen_command {
    struct edge_client *client;
    bool json;
    bool presence; /* print events other than messages too */
    bool cut;      /* the edge closed the connection */
    int64_t count; /* messages still to print; < 0: no limit */
    struct instant deadline;
    struct text out;
};

static void add_list(struct text *t, const struct options *o, const char *name,
                     const char *key)
{
    const char *item;
    size_t cursor = 0;
    bool first = true;

    while ((item = options_next(o, name, &cursor))) {
        text_add_string(t, first ? ",\"" : ",");
        if (first) {
            text_add_string(t, key);
            text_add_string(t, "\":[");
        }
        first = false;
        text_add_json(t, bytes_of_string(item));
    }
    if (!first)
        text_add_char(t, ']');
}

static void subscribe(struct text *t, const struct options *o, bool presence)
{
    text_add_string(t, "{\"op\":\"subscribe\",\"ref\":0");
    add_list(t, o, "type", "types");
    add_list(t, o, "group", "groups");
    if (options_text(o, "group"))
        text_add_string(t, ",\"events\":[\"event\",\"gap\"]");
    else if (!presence)
        text_add_string(t, ",\"events\":[\"message\",\"event\",\"gap\"]");
    text_add_string(t, "}\n");
}

/* Appends the event to l->out if it is to be printed; true if it is a message.
 * The edge writes each event so that it begins with {"event":"KIND". */
static bool print_json(struct listen_command *l, struct bytes line)
{
    struct jtext_walk walk;
    struct bytes key, kind;

    if (!jtext_enter(&walk, line, '{') || !jtext_member(&walk, &key, &kind) ||
        !jtext_is(key, "event"))
        return false;
    bool message = jtext_is(kind, "\"message\"") || jtext_is(kind, "\"event\"");
    l->cut = jtext_is(kind, "\"closed\"");
    if (message || l->cut || jtext_is(kind, "\"gap\"") || l->presence) {
        text_add_string(&l->out, "{\"version\":1,");
        escape_text(&l->out, bytes_of(line.data + 1, line.size - 1),
                    ESCAPE_LINE);
        text_add_char(&l->out, '\n');
    }
    return message;
}

/* Prints on stderr, because a gap is no message. */
static void tell_gap(struct bytes name, struct bytes missed)
{
    struct text who = {0};

    escape_string(&who, name);
    command_fail(EXIT_DONE, "%.*s messages from %s are lost", (int)missed.size,
                 (const char *)missed.data, text_string(&who));
    text_close(&who);
}

static bool print_text(struct listen_command *l, struct bytes line)
{
    struct jtext_walk walk;
    struct bytes key, value, event = {0}, name = {0}, type = {0}, data = {0},
                             data_b64 = {0}, missed = {0};

    if (!jtext_enter(&walk, line, '{'))
        return false;
    while (jtext_member(&walk, &key, &value)) {
        if (jtext_is(key, "event"))
            event = value;
        else if (jtext_is(key, "name"))
            name = value;
        else if (jtext_is(key, "type"))
            type = value;
        else if (jtext_is(key, "data"))
            data = value;
        else if (jtext_is(key, "data_b64"))
            data_b64 = value;
        else if (jtext_is(key, "missed"))
            missed = value;
    }
    l->cut = jtext_is(event, "\"closed\"");
    if (jtext_is(event, "\"gap\""))
        tell_gap(name, missed);
    if (!jtext_is(event, "\"message\"") && !jtext_is(event, "\"event\""))
        return false;
    escape_string(&l->out, name);
    text_add_char(&l->out, ' ');
    escape_string(&l->out, type);
    text_add_char(&l->out, ' ');
    escape_data(&l->out, data, data_b64);
    text_add_char(&l->out, '\n');
    return true;
}

static bool print_line(struct listen_command *l, struct bytes line)
{
    bool message = l->json ? print_json(l, line) : print_text(l, line);

    if (message && l->count > 0)
        l->count--;
    return l->count != 0 && !l->cut;
}

/* Waits for the answer to the subscription; returns the exit code. */
static int subscribed(struct listen_command *l)
{
    int code;
    json_t *answer = client_ask(l->client, &code);

    if (!answer)
        return code;
    json_decref(answer);
    return EXIT_DONE;
}

/* Prints events until the end. Events that were read together are written
 * together, without delay. */
static int listen_on(struct listen_command *l)
{
    struct bytes line;

    for (;;) {
        enum client_got got = client_line(l->client, l->deadline, &line);
        if (got == CLIENT_STOPPED)
            return l->count > 0 ? EXIT_FAILED : EXIT_DONE;
        if (got == CLIENT_ENDED)
            return EXIT_NO_DAEMON;
        if (got == CLIENT_LATE || instant_reached(l->deadline, clock_now()))
            return l->count > 0 ? EXIT_NOT_DELIVERED : EXIT_DONE;
        bool more = print_line(l, line);
        while (more && client_next(l->client, &line))
            more = print_line(l, line);
        if (!command_write_until(text_bytes(&l->out), l->deadline))
            return instant_reached(l->deadline, clock_now())
                       ? EXIT_NOT_DELIVERED
                       : EXIT_FAILED;
        text_clear(&l->out);
        if (l->cut)
            return command_fail(
                EXIT_FAILED,
                "the edge ended the connection: this program read its "
                "messages too slowly");
        if (!more)
            return EXIT_DONE;
    }
}

static int run_listen(const struct options *o)
{
    bool filtered = options_text(o, "type") || options_text(o, "group");
    struct listen_command l = {
        .client = client_open(o),
        .json = options_flag(o, "json"),
        .presence = options_flag(o, "json") && !filtered,
        .count = options_integer(o, "count", -1),
        .deadline = INSTANT_NEVER,
    };

    if (!l.client)
        return EXIT_NO_DAEMON;
    if (options_text(o, "timeout"))
        l.deadline = instant_after(clock_now(),
                                   options_duration(o, "timeout", span_us(0)));
    command_stoppable();
    subscribe(client_out(l.client), o, l.presence);
    int code = subscribed(&l);
    if (code == EXIT_DONE && l.count != 0)
        code = listen_on(&l);
    text_close(&l.out);
    client_free(l.client);
    return code;
}

int cmd_listen(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_listen);
}
