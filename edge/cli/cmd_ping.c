#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/peer_row.h"

#include "common/io/clock.h"

#include <inttypes.h>
#include <string.h>

static const struct option_row rows[] = {
    {"count", 'c', OPTION_INTEGER, "N",
     "number of pings; default 5, with --until-direct 30"},
    {"until-direct", 0, OPTION_FLAG, NULL,
     "ping until a reply comes by a direct path"},
    {"interval", 'i', OPTION_DURATION, "TIME",
     "time between two pings; default 1s"},
    {"timeout", 0, OPTION_DURATION, "TIME",
     "time to wait for each reply; default 5s"},
    {"json", 0, OPTION_FLAG, NULL, "print a JSON object a line"},
};

static const struct options_spec spec = {
    .program = "zs ping",
    .synopsis = "TO",
    .about = "Measures round trips to a peer's node, over the path that "
             "messages take.\n"
             "Ends with exit code 6 if no reply came, or, with "
             "--until-direct, if the relay\n"
             "stayed the only path.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

struct pinging {
    const struct options *o;
    struct edge_client *client;
    int64_t replies;
    bool direct; /* a reply came by a path without a relay */
};

static void print_reply(struct pinging *p, json_t *answer, int64_t number)
{
    char rtt[PEER_TEXT_SIZE];

    if (options_flag(p->o, "json")) {
        json_object_set_new(answer, "seq", json_integer(number));
        command_print_json(answer);
    } else {
        printf("reply from %s via %s %s: %s\n", json_text(answer, "name"),
               json_text(answer, "path"), json_text(answer, "endpoint"),
               peer_rtt(json_object_get(answer, "rtt_ms"), rtt));
    }
    fflush(stdout);
}

static int ping_once(struct pinging *p, int64_t number)
{
    struct text *out = client_out(p->client);
    const char *timeout = options_text(p->o, "timeout");
    int code;

    text_add_string(out, "{\"op\":\"ping\",\"to\":");
    text_add_json(out, bytes_of_string(p->o->positionals[0]));
    text_add_string(out, ",\"timeout\":");
    text_add_json(out, bytes_of_string(timeout ? timeout : "5s"));
    text_add_string(out, "}\n");
    json_t *answer = client_ask(p->client, &code);
    if (!answer)
        return code;
    p->replies++;
    p->direct = p->direct || strcmp(json_text(answer, "path"), "relay") != 0;
    print_reply(p, answer, number);
    json_decref(answer);
    return EXIT_DONE;
}

/* Tells whether to ping again. After a missing reply the next may come. */
static bool goes_on(const struct pinging *p, int code)
{
    if (code != EXIT_DONE && code != EXIT_NOT_DELIVERED)
        return false;
    return !(p->direct && options_flag(p->o, "until-direct"));
}

/* Waits until the next ping; false if the edge closes the connection. */
static bool rest(struct pinging *p)
{
    struct instant end = instant_after(
        clock_now(), options_duration(p->o, "interval", span_s(1)));
    struct bytes line;

    return client_line(p->client, end, &line) == CLIENT_LATE;
}

static int ping_on(struct pinging *p)
{
    bool until_direct = options_flag(p->o, "until-direct");
    int64_t count = options_integer(p->o, "count", until_direct ? 30 : 5);
    int code = EXIT_DONE;

    for (int64_t i = 1; i <= count; i++) {
        code = ping_once(p, i);
        if (!goes_on(p, code) || command_stopped())
            break;
        if (i < count && !rest(p))
            return command_stopped() ? EXIT_DONE : EXIT_NO_DAEMON;
    }
    if (code != EXIT_DONE && code != EXIT_NOT_DELIVERED)
        return code;
    if (until_direct && !p->direct)
        return command_fail(EXIT_NOT_DELIVERED,
                            "no direct path was found; zs netcheck says why");
    return p->replies > 0 || count == 0 ? EXIT_DONE : EXIT_NOT_DELIVERED;
}

static int run_ping(const struct options *o)
{
    struct pinging p = {.o = o, .client = client_open(o)};
    command_stoppable();
    int code = p.client ? ping_on(&p) : EXIT_NO_DAEMON;
    client_free(p.client);
    return code;
}

int cmd_ping(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_ping);
}
