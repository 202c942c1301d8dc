/*
 * talk - plays one part of a scripted conversation as a node of its own, with
 * nothing but the C library: see README.md.
 *
 *     talk thread|loop a|b FILE CONFIGURATION
 *
 * thread: the library runs the node; loop: this program does, with poll().
 */
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zeroservices.h>

enum { PATIENCE_MS = 100000, PEER_MS = 60000, LOOK_MS = 20, KEPT = 8 };

static struct {
    struct zs_node *node;
    bool threaded;
    pthread_mutex_t mutex; /* guards what follows: callbacks have a thread */
    pthread_cond_t news;
    json_t *heard;         /* kind -> list of events */
    json_t *types, *kinds; /* that the script wants; NULL: all */
    struct zs_request requests[KEPT];
    size_t request_count;
    json_t *kept; /* name -> index of its request */
} t;

/* An operation of the library, and its outcome. */
struct talk_answer {
    int left; /* callbacks still to come */
    enum zs_error error;
    json_t *result;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- Data */

static json_t *bytes_json(const void *bytes, size_t size)
{
    size_t room =
        sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);

    sodium_bin2base64(text, room, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    json_t *value = json_pack("{s:s}", "$bytes", text);
    free(text);
    return value;
}

static json_t *data_json(const struct zs_data *data)
{
    if (data->encoding == ZS_JSON)
        return json_loadb(data->bytes, data->size,
                          JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return bytes_json(data->bytes, data->size);
}

/* The data that a step sends. The caller frees *room after the call. */
static struct zs_data data_of(const json_t *value, void **room)
{
    const json_t *encoded = json_object_get(value, "$bytes");
    size_t size = 0;

    *room = NULL;
    if (value == NULL)
        return zs_json("null");
    if (json_is_string(value))
        return zs_string(json_string_value(value));
    if (encoded == NULL)
        return zs_json(*room = json_dumps(value, JSON_ENCODE_ANY));
    size_t most = json_string_length(encoded) + 1;
    *room = malloc(most);
    if (sodium_base642bin(*room, most, json_string_value(encoded),
                          json_string_length(encoded), NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        abort();
    return zs_bytes(*room, size);
}

/* ---- Callbacks: they record events in the form of the other clients */

static bool is_wanted(const json_t *list, const char *word)
{
    size_t i;
    json_t *one;

    if (list == NULL)
        return true;
    json_array_foreach(list, i, one) if (strcmp(json_string_value(one), word) ==
                                         0) return true;
    return false;
}

static void hear(const char *kind, json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));

    pthread_mutex_lock(&t.mutex);
    if (is_wanted(t.kinds, kind) &&
        (type == NULL || is_wanted(t.types, type))) {
        if (json_object_get(t.heard, kind) == NULL)
            json_object_set_new(t.heard, kind, json_array());
        json_array_append(json_object_get(t.heard, kind), event);
    }
    json_decref(event);
    pthread_cond_signal(&t.news);
    pthread_mutex_unlock(&t.mutex);
}

static json_t *peer_json(const struct zs_peer *peer)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < peer->group_count; i++)
        json_array_append_new(groups, json_string(peer->groups[i]));
    return json_pack("{s:s, s:s, s:o, s:o, s:s}", "id", peer->id, "name",
                     peer->name, "info", json_loads(peer->info, 0, NULL),
                     "groups", groups, "path", zs_path_name(peer->path));
}

static void on_new_node(void *context, struct zs_node *node,
                        const struct zs_peer *peer)
{
    (void)context, (void)node;
    hear("join", peer_json(peer));
}

static void on_node_close(void *context, struct zs_node *node,
                          const struct zs_peer *peer, enum zs_reason reason)
{
    json_t *event = peer_json(peer);

    (void)context, (void)node;
    json_object_set_new(event, "reason", json_string(zs_reason_name(reason)));
    hear("leave", event);
}

static void on_path(void *context, struct zs_node *node,
                    const struct zs_peer *peer, enum zs_path was)
{
    (void)context, (void)node, (void)was;
    hear("path", peer_json(peer));
}

static json_t *message_json(const struct zs_message *m)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:s*}", "from", m->from, "name",
                     m->name, "type", m->type, "data", data_json(&m->data),
                     "group", m->group[0] != '\0' ? m->group : NULL);
}

static void on_message(void *context, const struct zs_message *m)
{
    json_t *event = message_json(m);

    (void)context;
    json_object_set_new(event, "request", json_null());
    if (m->request != NULL) {
        pthread_mutex_lock(&t.mutex);
        if (t.request_count == KEPT)
            abort();
        t.requests[t.request_count] = *m->request;
        json_object_set_new(event, "request",
                            json_integer((json_int_t)t.request_count++));
        pthread_mutex_unlock(&t.mutex);
    }
    hear("message", event);
}

static void on_event(void *context, const struct zs_message *m)
{
    json_t *event = message_json(m);

    (void)context;
    if (json_object_get(event, "group") == NULL)
        json_object_set_new(event, "group", json_null());
    hear("event", event);
}

static void settle(struct talk_answer *a, enum zs_error error, json_t *result)
{
    pthread_mutex_lock(&t.mutex);
    json_decref(a->result);
    a->result = result;
    if (error != ZS_OK)
        a->error = error;
    a->left--;
    pthread_cond_signal(&t.news);
    pthread_mutex_unlock(&t.mutex);
}

static void on_delivered(void *context, const struct zs_delivery *d)
{
    settle(context, d->error,
           json_pack("{s:s}", "path", zs_path_name(d->path)));
}

static void on_measured(void *context, const struct zs_delivery *d)
{
    settle(context, d->rtt_us < 0 && d->error == ZS_OK ? ZS_SYSTEM : d->error,
           json_pack("{s:s}", "path", zs_path_name(d->path)));
}

static void on_published(void *context, const struct zs_delivery *d)
{
    settle(context, d->error, json_integer(d->peers));
}

static void on_replied(void *context, enum zs_error error,
                       const struct zs_message *reply)
{
    settle(context, error, reply != NULL ? message_json(reply) : json_null());
}

/* ---- Waiting, with the mutex held, which callbacks take too */

static void wait_in_loop(int ms)
{
    struct pollfd fd = {.fd = zs_node_fd(t.node), .events = POLLIN};
    int timeout = zs_node_timeout(t.node);

    pthread_mutex_unlock(&t.mutex);
    poll(&fd, 1, timeout < 0 || timeout > ms ? ms : timeout);
    zs_node_process(t.node);
    pthread_mutex_lock(&t.mutex);
}

static void wait_for_news(int ms)
{
    struct timespec until;

    if (!t.threaded) {
        wait_in_loop(ms);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&t.news, &t.mutex, &until);
}

static json_t *wrong(const char *error)
{
    return json_pack("{s:s}", "error", error);
}

/* The outcome of a call that returned `error`. */
static json_t *await(struct talk_answer *a, enum zs_error error)
{
    int64_t until = now_ms() + PATIENCE_MS;

    if (error != ZS_OK)
        return wrong(zs_error_name(error));
    pthread_mutex_lock(&t.mutex);
    while (a->left > 0 && now_ms() < until)
        wait_for_news(LOOK_MS);
    bool told = a->left <= 0;
    pthread_mutex_unlock(&t.mutex);
    if (!told) {
        fputs("talk: a callback was never called\n", stderr);
        exit(1); /* A late callback would use this stack frame. */
    }
    if (a->error == ZS_OK)
        return a->result;
    json_decref(a->result);
    return wrong(zs_error_name(a->error));
}

/* ---- Steps */

static const char *text_of(const json_t *step, const char *member)
{
    return json_string_value(json_object_get(step, member));
}

static json_t *do_send(const json_t *step)
{
    struct talk_answer a = {.left = 1};
    void *room;
    struct zs_data data = data_of(json_object_get(step, "data"), &room);
    enum zs_error error =
        zs_send(t.node, text_of(step, "to"), text_of(step, "type"), data,
                on_delivered, &a);

    free(room);
    return await(&a, error);
}

static json_t *do_request(const json_t *step)
{
    struct talk_answer a = {.left = 1};
    void *room;
    struct zs_data data = data_of(json_object_get(step, "data"), &room);
    double timeout = json_number_value(json_object_get(step, "timeout"));
    enum zs_error error =
        zs_request(t.node, text_of(step, "to"), text_of(step, "type"), data,
                   (int)(timeout * 1000), on_replied, &a);

    free(room);
    return await(&a, error);
}

static json_t *do_reply(const json_t *step)
{
    struct talk_answer a = {.left = 1};
    void *room;
    struct zs_data data = data_of(json_object_get(step, "data"), &room);
    const char *type = text_of(step, "type");
    json_int_t which =
        json_integer_value(json_object_get(t.kept, text_of(step, "request")));
    enum zs_error error =
        zs_reply(t.node, &t.requests[which], type != NULL ? type : "reply",
                 data, on_delivered, &a);

    free(room);
    return await(&a, error);
}

static json_t *do_publish(const json_t *step)
{
    struct talk_answer a = {.left = 1};
    void *room;
    struct zs_data data = data_of(json_object_get(step, "data"), &room);
    enum zs_error error =
        zs_publish(t.node, text_of(step, "group"), text_of(step, "type"), data,
                   on_published, &a);

    free(room);
    return await(&a, error);
}

static json_t *do_burst(const json_t *step)
{
    json_int_t count = json_integer_value(json_object_get(step, "count"));
    struct talk_answer a = {.left = (int)count};
    enum zs_error error = ZS_OK;

    for (json_int_t i = 0; i < count && error == ZS_OK; i++) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)i);
        error = zs_send(t.node, text_of(step, "to"), text_of(step, "type"),
                        zs_json(number), on_delivered, &a);
    }
    return await(&a, error);
}

static json_t *of_error(enum zs_error error)
{
    return error == ZS_OK ? json_null() : wrong(zs_error_name(error));
}

static json_t *do_join(const json_t *step)
{
    return of_error(zs_join(t.node, text_of(step, "group")));
}

static json_t *do_leave(const json_t *step)
{
    return of_error(zs_leave(t.node, text_of(step, "group")));
}

static json_t *do_status(const json_t *step)
{
    struct zs_relays *relays = zs_relays_get(t.node);
    json_t *list = json_array();

    (void)step;
    for (size_t i = 0; i < zs_relays_count(relays); i++)
        json_array_append_new(list, json_string(zs_relays_at(relays, i)->url));
    zs_relays_free(&relays);
    return json_pack("{s:{s:s, s:s}, s:o}", "node", "name",
                     zs_node_name(t.node), "id", zs_node_id(t.node), "relays",
                     list);
}

static json_t *do_subscribe(const json_t *step)
{
    pthread_mutex_lock(&t.mutex);
    json_decref(t.types);
    json_decref(t.kinds);
    t.types = json_incref(json_object_get(step, "types"));
    t.kinds = json_incref(json_object_get(step, "events"));
    pthread_mutex_unlock(&t.mutex);
    return json_null();
}

static json_t *do_hear(const json_t *step)
{
    const char *kind = text_of(step, "event");
    int64_t until = now_ms() + PATIENCE_MS;
    json_t *event;

    pthread_mutex_lock(&t.mutex);
    while (json_array_size(json_object_get(t.heard, kind)) == 0 &&
           now_ms() < until)
        wait_for_news(LOOK_MS);
    json_t *list = json_object_get(t.heard, kind);
    event = json_incref(json_array_get(list, 0));
    json_array_remove(list, 0);
    if (event != NULL && text_of(step, "as") != NULL)
        json_object_set(t.kept, text_of(step, "as"),
                        json_object_get(event, "request"));
    pthread_mutex_unlock(&t.mutex);
    return event != NULL ? event : wrong("nothing was heard");
}

static json_t *do_hear_burst(const json_t *step)
{
    json_int_t count = json_integer_value(json_object_get(step, "count"));
    json_t *hear_one = json_pack("{s:s}", "event", "message");
    bool good = true;

    for (json_int_t i = 0; i < count && good; i++) {
        json_t *event = do_hear(hear_one);
        const char *type = text_of(event, "type");
        json_t *data = json_object_get(event, "data");
        good = type != NULL && strcmp(type, text_of(step, "type")) == 0 &&
               json_is_integer(data) && json_integer_value(data) == i;
        json_decref(event);
    }
    json_decref(hear_one);
    return good ? json_null() : wrong("not in order");
}

static bool fits(const json_t *got, const json_t *expected);

static json_t *find_peer(const char *name)
{
    struct zs_peers *peers = zs_peers_get(t.node);
    json_t *found = NULL;

    for (size_t i = 0; i < zs_peers_count(peers); i++)
        if (strcmp(zs_peers_at(peers, i)->name, name) == 0)
            found = peer_json(zs_peers_at(peers, i));
    zs_peers_free(&peers);
    return found != NULL ? found : wrong("not present");
}

static json_t *do_ping(const json_t *step)
{
    struct talk_answer a = {.left = 1};
    const char *to = text_of(step, "to");
    json_t *got = await(&a, zs_ping(t.node, to, 0, on_measured, &a));
    json_t *peer = find_peer(to);

    json_object_set(got, "name", json_object_get(peer, "name"));
    json_decref(peer);
    return got;
}

static json_t *do_until_peer(const json_t *step)
{
    int64_t until = now_ms() + PEER_MS;

    for (;;) {
        json_t *peer = find_peer(text_of(step, "name"));
        if (fits(peer, json_object_get(step, "expect")) || now_ms() > until)
            return peer;
        json_decref(peer);
        pthread_mutex_lock(&t.mutex);
        wait_for_news(LOOK_MS);
        pthread_mutex_unlock(&t.mutex);
    }
}

static json_t *do_tell(const json_t *step)
{
    puts(text_of(step, "text"));
    fflush(stdout);
    return json_null();
}

static const struct {
    const char *name;
    json_t *(*run)(const json_t *step);
} steps[] = {
    {"send", do_send},
    {"request", do_request},
    {"reply", do_reply},
    {"publish", do_publish},
    {"burst", do_burst},
    {"ping", do_ping},
    {"join", do_join},
    {"leave", do_leave},
    {"status", do_status},
    {"subscribe", do_subscribe},
    {"hear", do_hear},
    {"hear_burst", do_hear_burst},
    {"until_peer", do_until_peer},
    {"tell", do_tell},
};

static json_t *run_step(const json_t *step)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(text_of(step, "do"), steps[i].name) == 0)
            return steps[i].run(step);
    return wrong("no such step");
}

/* ---- The script */

/* Replaces $repeat by its value; $bytes stays, and is compared as such. */
static json_t *meant(json_t *value)
{
    json_t *repeat = json_object_get(value, "$repeat");
    const char *key;
    json_t *one;

    if (repeat != NULL) {
        const char *text = json_string_value(json_array_get(repeat, 0));
        size_t size = strlen(text);
        size_t count = (size_t)json_integer_value(json_array_get(repeat, 1));
        char *all = malloc(size * count + 1);
        for (size_t i = 0; i < count; i++)
            memcpy(all + i * size, text, size);
        json_t *long_text = json_stringn(all, size * count);
        free(all);
        return long_text;
    }
    if (!json_is_object(value))
        return json_incref(value);
    json_t *copy = json_object();
    json_object_foreach(value, key, one)
        json_object_set_new(copy, key, meant(one));
    return copy;
}

static bool fits(const json_t *got, const json_t *expected)
{
    const char *key;
    json_t *value;
    void *iterator = json_object_iter((json_t *)(uintptr_t)expected);

    if (!json_is_object(got) || !json_is_object(expected))
        return json_equal(got, expected) != 0;
    for (; iterator != NULL; iterator = json_object_iter_next(
                                 (json_t *)(uintptr_t)expected, iterator)) {
        key = json_object_iter_key(iterator);
        value = json_object_iter_value(iterator);
        if (!fits(json_object_get(got, key), value))
            return false;
    }
    return true;
}

static bool is_right(const json_t *step, const json_t *got)
{
    const json_t *expected = json_object_get(step, "expect");

    return expected != NULL ? fits(got, expected)
                            : json_object_get(got, "error") == NULL;
}

static bool take_step(size_t number, const char *who, json_t *written)
{
    json_t *step = meant(written);
    json_t *got = run_step(step);
    bool good = is_right(step, got);

    if (!good) {
        char *what = json_dumps(written, JSON_COMPACT);
        char *instead = json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);
        fprintf(stderr, "step %zu of %s, %.200s: got %.200s\n", number, who,
                what, instead);
        free(what);
        free(instead);
    }
    json_decref(got);
    json_decref(step);
    return good;
}

static bool talk(const char *who, json_t *script)
{
    size_t i;
    json_t *step;

    json_array_foreach(script, i,
                       step) if (strcmp(text_of(step, "who"), who) == 0 &&
                                 json_object_get(step, "at") == NULL &&
                                 !take_step(i + 1, who, step)) return false;
    return true;
}

static bool open_node(const char *conf)
{
    struct zs_callbacks on = {.on_new_node = on_new_node,
                              .on_node_close = on_node_close,
                              .on_message = on_message,
                              .on_event = on_event,
                              .on_path = on_path};
    struct zs_options *options = zs_options_new();
    enum zs_error error = zs_options_load(options, conf);

    if (error == ZS_OK)
        error = zs_node_open(&t.node, options, &on);
    if (error == ZS_OK && t.threaded)
        error = zs_node_start(t.node);
    if (error != ZS_OK)
        fprintf(stderr, "talk: %s\n", zs_options_error(options));
    zs_options_free(&options);
    return error == ZS_OK;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    pthread_mutex_init(&t.mutex, NULL);
    pthread_cond_init(&t.news, NULL);
    t.threaded = strcmp(argv[1], "thread") == 0;
    t.heard = json_object();
    t.kept = json_object();
    json_t *script = json_load_file(argv[3], 0, NULL);
    bool good = script != NULL && open_node(argv[4]) && talk(argv[2], script);
    zs_node_close(&t.node);
    json_decref(script);
    json_decref(t.heard);
    json_decref(t.kept);
    json_decref(t.types);
    json_decref(t.kinds);
    return !good;
}
