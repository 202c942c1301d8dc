#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/peer_row.h"

#include "common/io/clock.h"

#include <inttypes.h>
#include <string.h>

static const struct option_row rows[] = {
    {"peers", 0, OPTION_INTEGER, "N", "wait until N peers are present"},
    {"peer", 0, OPTION_TEXT, "NAME",
     "wait until this peer is present (repeatable)"},
    {"path", 0, OPTION_TEXT, "PATH", "count only peers over tcp, udp or relay"},
    {"timeout", 0, OPTION_DURATION, "TIME",
     "give up after this time; default 10s; 0: never"},
};

static const struct options_spec spec = {
    .program = "zs wait",
    .synopsis = "--peers N | --peer NAME [--path PATH]",
    .about = "Waits until peers are present. Ends with exit code 6 if "
             "the time is up first.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

struct waiting {
    const struct options *o;
    struct edge_client *client;
    json_t *peers; /* id -> the peer, from its join and path events */
    bool synced;   /* the edge has told all present peers */
};

static void take_event(struct waiting *w, struct bytes line)
{
    json_t *event = json_loadb((const char *)line.data, line.size, 0, NULL);
    const char *kind = json_text(event, "event");
    const char *id = json_text(event, "id");
    json_t *known = json_object_get(w->peers, id);

    if (strcmp(kind, "join") == 0)
        json_object_set(w->peers, id, event);
    else if (strcmp(kind, "leave") == 0)
        json_object_del(w->peers, id);
    else if (strcmp(kind, "path") == 0 && known)
        json_object_set(known, "path", json_object_get(event, "path"));
    else if (strcmp(kind, "synced") == 0)
        w->synced = true;
    json_decref(event);
}

static bool counts(const struct waiting *w, const json_t *peer)
{
    const char *path = options_text(w->o, "path");

    return !path || strcmp(json_text(peer, "path"), path) == 0;
}

static bool is_named(const json_t *peer, const char *name)
{
    const char *id = json_text(peer, "id");
    size_t length = strlen(name);

    return strcmp(json_text(peer, "name"), name) == 0 ||
           (length >= 8 && strncasecmp(id, name, length) == 0);
}

static size_t count_peers(const struct waiting *w, const char *name)
{
    const char *id;
    json_t *peer;
    size_t count = 0;

    json_object_foreach(w->peers, id, peer) count +=
        counts(w, peer) && (!name || is_named(peer, name));
    return count;
}

/* The first named peer that is missing, or NULL. */
static const char *missing(const struct waiting *w)
{
    const char *name;
    size_t cursor = 0;

    while ((name = options_next(w->o, "peer", &cursor)))
        if (count_peers(w, name) == 0)
            return name;
    return NULL;
}

static bool is_done(const struct waiting *w)
{
    int64_t wanted = options_integer(w->o, "peers", 0);

    return w->synced && count_peers(w, NULL) >= (size_t)wanted && !missing(w);
}

/* The path of the named peer; NULL: it is not present. */
static const char *path_of(const struct waiting *w, const char *name)
{
    const char *id;
    json_t *peer;

    json_object_foreach(w->peers, id, peer)
    {
        if (is_named(peer, name))
            return json_text(peer, "path");
    }
    return NULL;
}

static int tell_late(const struct waiting *w)
{
    const char *path = options_text(w->o, "path");
    const char *name = missing(w);
    const char *other = name && path ? path_of(w, name) : NULL;

    if (other)
        return command_fail(EXIT_NOT_DELIVERED,
                            "%s is present, but its path is %s, not %s; zs "
                            "netcheck says why",
                            name, other, path);
    if (name)
        return command_fail(EXIT_NOT_DELIVERED, "%s is not present%s%s", name,
                            path ? " over " : "", path ? path : "");
    return command_fail(EXIT_NOT_DELIVERED,
                        "%zu of %" PRId64 " peers are present%s%s",
                        count_peers(w, NULL), options_integer(w->o, "peers", 0),
                        path ? " over " : "", path ? path : "");
}

static int wait_on(struct waiting *w)
{
    struct span timeout = options_duration(w->o, "timeout", span_s(10));
    struct instant deadline =
        timeout.us > 0 ? instant_after(clock_now(), timeout) : INSTANT_NEVER;
    struct bytes line;

    text_add_string(client_out(w->client),
                    "{\"op\":\"subscribe\",\"events\":[\"join\",\"leave\","
                    "\"path\"]}\n");
    while (!is_done(w)) {
        switch (client_line(w->client, deadline, &line)) {
        case CLIENT_LINE:
            take_event(w, line);
            break;
        case CLIENT_LATE:
            return tell_late(w);
        case CLIENT_ENDED:
            return EXIT_NO_DAEMON;
        case CLIENT_STOPPED:
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}

/* An edge that was started just before this command has this long until it
 * listens. */
static const struct span start_within = {3 * 1000 * 1000};

static bool is_path(const char *path)
{
    return strcmp(path, "tcp") == 0 || strcmp(path, "udp") == 0 ||
           strcmp(path, "relay") == 0;
}

static int run_wait(const struct options *o)
{
    const char *path = options_text(o, "path");

    if (options_integer(o, "peers", -1) < 0 && !options_text(o, "peer"))
        return options_wrong(&spec, "--peers N or --peer NAME is missing");
    if (path && !is_path(path))
        return options_wrong(&spec, "--path is tcp, udp or relay");

    struct span patience = options_duration(o, "timeout", start_within);
    client_await(o, span_min(patience, start_within));
    struct waiting w = {.o = o, .client = client_open(o)};
    if (!w.client)
        return EXIT_NO_DAEMON;
    w.peers = json_object();
    int code = wait_on(&w);
    json_decref(w.peers);
    client_free(w.client);
    return code;
}

int cmd_wait(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_wait);
}
