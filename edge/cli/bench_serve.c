#include "edge/cli/bench.h"

#include "common/base/jtext.h"
#include "edge/cli/command.h"
#include "edge/cli/escape.h"

#include <inttypes.h>
#include <string.h>

enum { RUNS = 64, ID_SIZE = 66 }; /* an id as a JSON string */

struct run {
    char from[ID_SIZE];
    struct bench_tally tally;
};

struct server {
    struct edge_client *client;
    struct run runs[RUNS];
    size_t next_run; /* the run that the next new sender replaces */
};

/* The members of a message's event, as JSON values. */
struct message_event {
    struct bytes event, from, name, type, request, data;
};

static bool parse_event(struct bytes line, struct message_event *e)
{
    struct jtext_walk walk;
    struct bytes key, value;

    *e = (struct message_event){0};
    if (!jtext_enter(&walk, line, '{'))
        return false;
    while (jtext_member(&walk, &key, &value)) {
        if (jtext_is(key, "event"))
            e->event = value;
        else if (jtext_is(key, "from"))
            e->from = value;
        else if (jtext_is(key, "name"))
            e->name = value;
        else if (jtext_is(key, "type"))
            e->type = value;
        else if (jtext_is(key, "request"))
            e->request = value;
        else if (jtext_is(key, "data"))
            e->data = value;
    }
    return jtext_left(&walk) && jtext_is(e->event, "\"message\"") &&
           e->from.size == ID_SIZE;
}

static struct run *run_of(struct server *s, struct bytes from)
{
    for (size_t i = 0; i < RUNS; i++)
        if (memcmp(s->runs[i].from, from.data, ID_SIZE) == 0)
            return &s->runs[i];

    struct run *run = &s->runs[s->next_run];
    s->next_run = (s->next_run + 1) % RUNS;
    bench_tally_clear(&run->tally);
    memcpy(run->from, from.data, ID_SIZE);
    return run;
}

/* Reads the number at the beginning of a message's data; false if there is
 * none. */
static bool number_of(struct bytes data, uint64_t *number)
{
    *number = 0;
    if (data.size < BENCH_DIGITS + 2 || data.data[0] != '"')
        return false;
    for (size_t i = 1; i <= BENCH_DIGITS; i++) {
        uint8_t c = data.data[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'f'))
            return false;
        *number = *number * 16 + (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    return true;
}

static struct text *reply_begin(struct server *s, const struct message_event *e)
{
    struct text *out = client_out(s->client);

    text_add_string(out, "{\"op\":\"reply\",\"to\":");
    text_add(out, e->from);
    text_add_string(out, ",\"request\":");
    text_add(out, e->request);
    text_add_string(out, ",\"data\":");
    return out;
}

static void reply_counts(struct server *s, const struct message_event *e,
                         const struct bench_tally *t)
{
    struct text *out = reply_begin(s, e);

    text_add_string(out, "{\"received\":");
    text_add_number(out, t->received);
    text_add_string(out, ",\"duplicated\":");
    text_add_number(out, t->duplicated);
    text_add_string(out, ",\"reordered\":");
    text_add_number(out, t->reordered);
    text_add_string(out, "}}\n");
}

static void tell_counts(const struct message_event *e,
                        const struct bench_tally *t)
{
    struct text name = {0};

    escape_string(&name, e->name);
    printf("%s: %" PRIu64 " messages, %" PRIu64 " duplicated, %" PRIu64
           " out of order\n",
           text_string(&name), t->received, t->duplicated, t->reordered);
    fflush(stdout);
    text_close(&name);
}

static void take_message(struct server *s, const struct message_event *e)
{
    struct run *run;
    uint64_t number;

    if (jtext_is(e->type, "\"" BENCH_DATA "\"")) {
        if (number_of(e->data, &number))
            bench_tally_count(&run_of(s, e->from)->tally, number);
    } else if (e->request.size == 0) {
        return;
    } else if (jtext_is(e->type, "\"" BENCH_ECHO "\"")) {
        text_add(reply_begin(s, e), e->data);
        text_add_string(client_out(s->client), "}\n");
    } else if (jtext_is(e->type, "\"" BENCH_BEGIN "\"")) {
        bench_tally_clear(&run_of(s, e->from)->tally);
        text_add_string(reply_begin(s, e), "true}\n");
    } else if (jtext_is(e->type, "\"" BENCH_END "\"")) {
        run = run_of(s, e->from);
        reply_counts(s, e, &run->tally);
        tell_counts(e, &run->tally);
        bench_tally_clear(&run->tally);
    }
}

int bench_serve(struct edge_client *c)
{
    struct server s = {.client = c};
    struct bytes line;
    enum client_got got;

    command_stoppable();
    text_add_string(client_out(c),
                    "{\"op\":\"subscribe\",\"events\":[\"message\"],\"types\":["
                    "\"" BENCH_BEGIN "\",\"" BENCH_DATA "\",\"" BENCH_END
                    "\",\"" BENCH_ECHO "\"]}\n");
    while ((got = client_line(c, INSTANT_NEVER, &line)) == CLIENT_LINE) {
        struct message_event event;
        do {
            if (parse_event(line, &event))
                take_message(&s, &event);
        } while (client_next(c, &line));
    }
    for (size_t i = 0; i < RUNS; i++)
        bench_tally_clear(&s.runs[i].tally);
    return got == CLIENT_STOPPED ? EXIT_DONE : EXIT_NO_DAEMON;
}
