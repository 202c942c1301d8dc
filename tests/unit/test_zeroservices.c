/* The library as a program sees it: two nodes in one process, one in a thread
 * of its own and one in the test's loop, over loopback. */
#include "tests/unit/patience.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zeroservices.h>

enum {
    MANY = 20000,
    THREADS = 8,
    EACH = 2000,
    LARGE = 200,
    LARGEST = 100000,
};

/* The events of a node. The mutex protects them, because alice has a thread. */
struct seen {
    struct zs_node *node;
    pthread_mutex_t mutex;
    int joins, leaves, messages, events, logs, readies;
    int delivered, failed, replies;
    enum zs_error error; /* of the last callback */
    enum zs_reason reason;
    enum zs_path path;
    int64_t rtt_us;
    struct zs_request request;
    uint32_t peers;
    char text[64];
    char group[64];
    int next[THREADS]; /* the next number of each thread */
    bool disorder;
};

static struct seen alice, bob;

static void lock(struct seen *s)
{
    pthread_mutex_lock(&s->mutex);
}

static void unlock(struct seen *s)
{
    pthread_mutex_unlock(&s->mutex);
}

/* ---- Callbacks */

static void on_new_node(void *context, struct zs_node *node,
                        const struct zs_peer *peer)
{
    struct seen *s = context;

    (void)node;
    lock(s);
    s->joins++;
    snprintf(s->text, sizeof s->text, "%s %s", peer->name, peer->info);
    unlock(s);
}

static void on_node_close(void *context, struct zs_node *node,
                          const struct zs_peer *peer, enum zs_reason reason)
{
    struct seen *s = context;

    (void)node;
    (void)peer;
    lock(s);
    s->leaves++;
    s->reason = reason;
    unlock(s);
}

/* Counts "N" or "THREAD N", and checks their order. */
static void count_number(struct seen *s, const char *text)
{
    char *space, *end;
    long thread = strtol(text, &space, 10);
    long number = strtol(space, &end, 10);

    if (*space != ' ' || end == space)
        return;
    if (thread < 0 || thread >= THREADS || number != s->next[thread]++)
        s->disorder = true;
}

/* Each message has another size, and each of its bytes depends on its place. */
static size_t fill_large(int n, uint8_t *data)
{
    size_t size = 8000 + (size_t)n * 457;

    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)((size_t)n + i + (i >> 8));
    return size;
}

static void check_large(struct seen *s, const struct zs_message *m)
{
    uint8_t data[LARGEST];
    size_t size = fill_large(s->next[0]++, data);

    if (m->data.size != size || memcmp(m->data.bytes, data, size) != 0)
        s->disorder = true;
}

static void on_message(void *context, const struct zs_message *m)
{
    struct seen *s = context;

    lock(s);
    zs_text(m, s->text, sizeof s->text);
    if (strcmp(m->type, "number") == 0)
        count_number(s, s->text);
    if (strcmp(m->type, "large") == 0)
        check_large(s, m);
    if (m->request != NULL)
        s->request = *m->request;
    s->messages++;
    unlock(s);
    /* These calls are refused here, without harm. */
    struct zs_node *node = m->node;
    assert_int_equal(zs_node_close(&node), ZS_BAD_REQUEST);
    if (m->request != NULL && strcmp(m->type, "later") != 0)
        zs_reply(m->node, m->request, "answer", m->data, NULL, NULL);
}

static void on_event(void *context, const struct zs_message *m)
{
    struct seen *s = context;

    lock(s);
    s->events++;
    zs_text(m, s->text, sizeof s->text);
    if (strcmp(m->type, "number") == 0)
        count_number(s, s->text);
    snprintf(s->group, sizeof s->group, "%s", m->group);
    unlock(s);
}

static void on_ready(void *context, struct zs_node *node)
{
    struct seen *s = context;

    (void)node;
    lock(s);
    s->readies++;
    unlock(s);
}

static void on_log(void *context, enum zs_level level, const char *event,
                   const char *details)
{
    struct seen *s = context;

    (void)level;
    (void)details;
    lock(s);
    s->logs += event[0] != '\0';
    unlock(s);
}

static void on_delivered(void *context, const struct zs_delivery *d)
{
    struct seen *s = context;

    lock(s);
    s->error = d->error;
    s->peers = d->peers;
    if (d->error == ZS_OK)
        s->delivered++;
    else
        s->failed++;
    unlock(s);
}

static void on_replied(void *context, enum zs_error error,
                       const struct zs_message *reply)
{
    struct seen *s = context;

    lock(s);
    s->replies++;
    s->error = error;
    assert_true((reply != NULL) == (error == ZS_OK));
    if (reply != NULL)
        zs_text(reply, s->text, sizeof s->text);
    unlock(s);
}

/* ---- Running */

static int read_count(struct seen *s, const int *count)
{
    lock(s);
    int value = *count;
    unlock(s);
    return value;
}

/* Runs bob until the count is reached. */
static void until(struct seen *s, const int *count, int wanted)
{
    int64_t deadline = patience_now_ms() + PATIENCE_MS;

    while (read_count(s, count) < wanted && patience_now_ms() < deadline) {
        int timeout = zs_node_timeout(bob.node);
        struct pollfd fd = {zs_node_fd(bob.node), POLLIN, 0};
        (void)poll(&fd, 1, timeout < 0 || timeout > 20 ? 20 : timeout);
        assert_int_equal(zs_node_process(bob.node), ZS_OK);
    }
    assert_true(read_count(s, count) >= wanted);
}

/* Runs the node only when its descriptor or its timeout asks for it. */
static void until_asked(struct seen *s, const int *count, int wanted)
{
    int64_t deadline = patience_now_ms() + PATIENCE_MS;

    while (read_count(s, count) < wanted && patience_now_ms() < deadline) {
        struct pollfd fd = {zs_node_fd(bob.node), POLLIN, 0};
        (void)poll(&fd, 1, zs_node_timeout(bob.node));
        assert_int_equal(zs_node_process(bob.node), ZS_OK);
    }
    assert_true(read_count(s, count) >= wanted);
}

/* Two ports that nobody has. */
static void free_ports(uint16_t ports[2])
{
    int fds[2];

    for (int i = 0; i < 2; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof a;
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(fds[i], (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(getsockname(fds[i], (struct sockaddr *)&a, &size), 0);
        ports[i] = ntohs(a.sin_port);
    }
    close(fds[0]);
    close(fds[1]);
}

static struct zs_options *options_for(const char *name, int port, int of)
{
    struct zs_options *o = zs_options_new();
    char text[64];

    assert_int_equal(zs_options_passphrase(o, name, "only for this test"),
                     ZS_OK);
    assert_int_equal(zs_options_set(o, "discovery.multicast", "false"), ZS_OK);
    assert_int_equal(zs_options_set(o, "listen.interfaces", ""), ZS_OK);
    assert_int_equal(zs_options_set(o, "listen.interfaces", "lo"), ZS_OK);
    assert_int_equal(zs_options_set(o, "node.info", "{role: test}"), ZS_OK);
    assert_int_equal(zs_options_set(o, "limits.window", "64KiB"), ZS_OK);
    snprintf(text, sizeof text, "%d", port);
    assert_int_equal(zs_options_set(o, "listen.port", text), ZS_OK);
    snprintf(text, sizeof text, "127.0.0.1:%d", of);
    assert_int_equal(zs_options_set(o, "discovery.peers", text), ZS_OK);
    return o;
}

static void open_node(struct seen *s, const char *name, int port, int of)
{
    struct zs_options *o = options_for(name, port, of);
    struct zs_callbacks on = {s,          on_new_node, on_node_close,
                              on_message, on_event,    NULL,
                              NULL,       on_ready,    on_log};

    *s = (struct seen){.mutex = PTHREAD_MUTEX_INITIALIZER};
    if (s == &alice)
        zs_options_wait(o, 1);
    if (zs_node_open(&s->node, o, &on) != ZS_OK)
        fail_msg("%s", zs_options_error(o));
    assert_int_equal(zs_options_set(o, "log.level", "debug"), ZS_BAD_REQUEST);
    zs_options_free(&o);
    assert_string_equal(zs_node_name(s->node), name);
    assert_int_equal(strlen(zs_node_id(s->node)), 64);
}

static int meet(void **state)
{
    uint16_t ports[2];

    (void)state;
    free_ports(ports);
    open_node(&alice, "alice", ports[0], ports[1]);
    open_node(&bob, "bob", ports[1], ports[0]);
    assert_int_equal(zs_node_timeout(bob.node), 0);
    assert_int_equal(zs_node_start(alice.node), ZS_OK);
    assert_int_equal(zs_node_start(alice.node), ZS_BAD_REQUEST);
    assert_int_equal(zs_node_process(alice.node), ZS_BAD_REQUEST);
    until_asked(&bob, &bob.joins, 1);
    until_asked(&alice, &alice.joins, 1);
    assert_int_equal(zs_node_start(bob.node), ZS_BAD_REQUEST);
    return 0;
}

static int part(void **state)
{
    (void)state;
    assert_int_equal(zs_node_close(&alice.node), ZS_OK);
    assert_int_equal(zs_node_close(&bob.node), ZS_OK);
    assert_null(bob.node);
    return 0;
}

/* ---- The tests */

static void wrong_options_are_told(void **state)
{
    struct zs_options *o = zs_options_new();
    struct zs_node *node = (struct zs_node *)1;

    (void)state;
    assert_string_equal(zs_options_error(o), "");
    assert_int_equal(zs_options_set(o, "listen.prot", "1"), ZS_CONFIGURATION);
    assert_non_null(strstr(zs_options_error(o), "did you mean `listen.port`"));
    assert_int_equal(zs_options_set(o, "listen.port", "x"), ZS_CONFIGURATION);
    assert_non_null(strstr(zs_options_error(o), "listen.port"));
    assert_int_equal(zs_options_set(o, "relays", "x"), ZS_CONFIGURATION);
    assert_int_equal(zs_options_passphrase(o, "-", "x"), ZS_CONFIGURATION);
    assert_int_equal(zs_options_passphrase(o, "a", ""), ZS_CONFIGURATION);
    assert_int_equal(zs_options_set(NULL, "a", "b"), ZS_BAD_REQUEST);
    assert_int_equal(zs_options_load(o, "/no/such/file"), ZS_CONFIGURATION);
    assert_non_null(strstr(zs_options_error(o), "/no/such/file"));
    assert_int_equal(zs_node_open(&node, o, NULL), ZS_CONFIGURATION);
    assert_null(node);
    assert_int_equal(zs_options_set(o, "node.identity", "/no/id"), ZS_OK);
    assert_string_equal(zs_options_error(o), "");
    assert_int_equal(zs_node_open(&node, o, NULL), ZS_CONFIGURATION);
    assert_non_null(strstr(zs_options_error(o), "/no/id"));
    zs_options_free(&o);
    assert_null(o);
    zs_options_free(&o);
}

static void a_taken_port_is_told(void **state)
{
    struct zs_options *o = options_for("carol", 0, 1);
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct zs_node *node;
    char port[16];

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    snprintf(port, sizeof port, "%d", ntohs(a.sin_port));
    assert_int_equal(zs_options_set(o, "listen.port", port), ZS_OK);
    assert_int_equal(zs_options_set(o, "listen.interfaces", ""), ZS_OK);
    assert_int_equal(zs_node_open(&node, o, NULL), ZS_SYSTEM);
    assert_non_null(strstr(zs_options_error(o), port));
    close(fd);
    /* The same options work in another try. */
    assert_int_equal(zs_node_open(&node, o, NULL), ZS_OK);
    assert_int_equal(zs_node_close(&node), ZS_OK);
    zs_options_free(&o);
}

static void enum_values_have_names(void **state)
{
    (void)state;
    for (int e = ZS_OK; e <= ZS_NO_MEMORY; e++)
        assert_true(zs_error_name((enum zs_error)e)[0] != '\0' &&
                    zs_error_text((enum zs_error)e)[0] != '\0');
    assert_string_equal(zs_error_name(ZS_PEER_RESTARTED), "peer_restarted");
    assert_string_equal(zs_error_name((enum zs_error)99), "unknown");
    assert_string_equal(zs_path_name(ZS_PATH_RELAY), "relay");
    assert_string_equal(zs_reason_name(ZS_LEFT_LOST), "lost");
    assert_string_equal(zs_relay_state_name(ZS_RELAY_UP), "up");
    assert_string_equal(zs_relay_state_name((enum zs_relay_state)99), "down");
    assert_true(zs_version()[0] != '\0');
}

static void text_is_cut_between_characters(void **state)
{
    struct zs_message m = {.data = zs_json("\"a\\u00e9\\n\xc3\xa9\\ud83d"
                                           "\\ude00z\"")};
    char room[16];

    (void)state;
    assert_string_equal(zs_text(&m, room, sizeof room),
                        "a\xc3\xa9\n\xc3\xa9\xf0\x9f\x98\x80z");
    assert_string_equal(zs_text(&m, room, 10), "a\xc3\xa9\n\xc3\xa9");
    assert_string_equal(zs_text(&m, room, 3), "a");
    assert_string_equal(zs_text(&m, room, 1), "");
    m.data = zs_json("{\"a\":1}");
    assert_string_equal(zs_text(&m, room, 5), "{\"a\"");
    m.data = zs_bytes("xyz", 3);
    assert_string_equal(zs_text(&m, room, sizeof room), "xyz");
}

static void present_peers_are_known(void **state)
{
    struct zs_peers *peers = zs_peers_get(alice.node);

    (void)state;
    assert_int_equal(zs_peers_count(peers), 1);
    const struct zs_peer *p = zs_peers_at(peers, 0);
    assert_string_equal(p->name, "bob");
    assert_string_equal(p->id, zs_node_id(bob.node));
    assert_string_equal(p->info, "{\"role\":\"test\"}");
    assert_null(zs_peers_at(peers, 1));
    zs_peers_free(&peers);
    assert_null(peers);
    assert_true(alice.logs > 0);
}

static void both_ways_with_delivery(void **state)
{
    (void)state;
    assert_int_equal(zs_send(alice.node, "bob", "t", zs_string("h\"i\n"),
                             on_delivered, &alice),
                     ZS_OK);
    until_asked(&alice, &alice.delivered, 1);
    until_asked(&bob, &bob.messages, 1);
    assert_string_equal(bob.text, "h\"i\n");
    assert_int_equal(zs_send(bob.node, zs_node_id(alice.node), "t",
                             zs_json("[1]"), on_delivered, &bob),
                     ZS_OK);
    until_asked(&bob, &bob.delivered, 1);
    assert_int_equal(bob.error, ZS_OK);
}

/* Returns the first call that does not fail as it should, counted from 1; 0:
 * all fail. */
static int try_parents_node(struct zs_node *n)
{
    struct zs_data d = zs_string("x");
    struct zs_peers *peers = zs_peers_get(n);
    struct zs_relays *relays = zs_relays_get(n);
    const bool fails[] = {
        zs_send(n, "bob", "t", d, on_delivered, &alice) == ZS_CLOSED,
        zs_publish(n, NULL, "t", d, on_delivered, &alice) == ZS_CLOSED,
        zs_request(n, "bob", "t", d, 10, NULL, &alice) == ZS_CLOSED,
        zs_ping(n, "bob", 10, on_delivered, &alice) == ZS_CLOSED,
        zs_join(n, "lab") == ZS_CLOSED,
        zs_leave(n, "lab") == ZS_CLOSED,
        zs_node_start(n) == ZS_CLOSED,
        zs_node_process(n) == ZS_CLOSED,
        zs_node_fd(n) == -1,
        zs_node_timeout(n) == -1,
        zs_peers_count(peers) == 0,
        zs_relays_count(relays) == 0,
    };

    for (size_t i = 0; i < sizeof fails / sizeof fails[0]; i++)
        if (!fails[i])
            return (int)i + 1;
    zs_node_stop(n);
    if (zs_node_close(&n) != ZS_CLOSED || n != NULL)
        return 100;
    return 0;
}

static void in_a_child(struct zs_node *n)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        alarm(PATIENCE_S); /* A call must not wait for a lock that nobody
                              releases. */
        _exit(try_parents_node(n));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_child_cannot_use_its_parents_node(void **state)
{
    (void)state;
    in_a_child(bob.node);
    /* alice's thread may hold a lock at one of these moments. */
    for (int i = 0; i < 20; i++)
        in_a_child(alice.node);
    /* The parent's nodes go on. */
    both_ways_with_delivery(state);
}

static void impossible_calls_are_refused(void **state)
{
    struct zs_data big = {calloc(1, 17 << 20), 17 << 20, ZS_BYTES};
    struct zs_node *n = alice.node;

    (void)state;
    assert_int_equal(zs_send(n, "bob", "", zs_json("1"), NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "bob", NULL, zs_json("1"), NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "bob", "t", zs_json("{"), NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "bob", "t", zs_string("\xff"), NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "bob", "t", big, NULL, NULL), ZS_TOO_LARGE);
    assert_int_equal(zs_send(NULL, "bob", "t", big, NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_publish(n, "no group", "t", zs_json("1"), NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_join(n, "-"), ZS_BAD_REQUEST);
    free((void *)(uintptr_t)big.bytes);
    assert_int_equal(
        zs_send(n, "nobody", "t", zs_json("1"), on_delivered, &alice), ZS_OK);
    until(&alice, &alice.failed, 1);
    assert_int_equal(alice.error, ZS_UNKNOWN_PEER);
}

static void requests_are_replied_to(void **state)
{
    (void)state;
    assert_int_equal(zs_request(alice.node, "bob", "q", zs_string("echo"), 0,
                                on_replied, &alice),
                     ZS_OK);
    until_asked(&alice, &alice.replies, 1);
    assert_int_equal(alice.error, ZS_OK);
    assert_string_equal(alice.text, "echo");
}

static void a_reply_may_come_later_but_once(void **state)
{
    (void)state;
    assert_int_equal(zs_request(alice.node, "bob", "later", zs_json("1"), 0,
                                on_replied, &alice),
                     ZS_OK);
    until(&bob, &bob.messages, 1);
    assert_int_equal(read_count(&alice, &alice.replies), 0);
    struct zs_request kept = bob.request;
    zs_reply(bob.node, &kept, "a", zs_string("late"), on_delivered, &bob);
    until_asked(&alice, &alice.replies, 1);
    assert_string_equal(alice.text, "late");
    until(&bob, &bob.delivered, 1);
    zs_reply(bob.node, &kept, "a", zs_string("again"), on_delivered, &bob);
    until(&bob, &bob.failed, 1);
    assert_int_equal(bob.error, ZS_UNKNOWN_REQUEST);
}

static void on_pinged(void *context, const struct zs_delivery *d)
{
    struct seen *s = context;

    lock(s);
    s->replies++;
    s->error = d->error;
    s->path = d->path;
    s->rtt_us = d->rtt_us;
    unlock(s);
}

/* Bob's node answers; his program is not asked. */
static void a_ping_measures_the_way(void **state)
{
    (void)state;
    assert_int_equal(zs_ping(alice.node, "bob", 0, on_pinged, &alice), ZS_OK);
    until_asked(&alice, &alice.replies, 1);
    assert_int_equal(alice.error, ZS_OK);
    assert_int_equal(alice.path, ZS_PATH_TCP);
    assert_in_range(alice.rtt_us, 1, PATIENCE_MS * 1000LL);
    assert_int_equal(bob.messages, 0);

    assert_int_equal(zs_ping(alice.node, "nobody", 0, on_pinged, &alice),
                     ZS_OK);
    until_asked(&alice, &alice.replies, 2);
    assert_int_equal(alice.error, ZS_UNKNOWN_PEER);
    assert_int_equal(zs_ping(alice.node, NULL, 0, on_pinged, &alice),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_ping(NULL, "bob", 0, on_pinged, &alice),
                     ZS_BAD_REQUEST);
}

/* Bob does not run meanwhile, so nobody answers. */
static void a_ping_has_its_time(void **state)
{
    int64_t begin = patience_now_ms();

    (void)state;
    assert_int_equal(zs_ping(alice.node, "bob", 80, on_pinged, &alice), ZS_OK);
    PATIENCE_UNTIL(read_count(&alice, &alice.replies) > 0,
                   (void)poll(NULL, 0, 5));
    assert_int_equal(alice.error, ZS_TIMEOUT);
    assert_true(patience_now_ms() - begin >= 80);
}

/* The ping overtakes messages that wait in the window. */
static void a_ping_does_not_wait_in_line(void **state)
{
    struct zs_data kibibytes = {calloc(1, 16 << 10), 16 << 10, ZS_BYTES};
    enum { WAITING = 2000 };

    (void)state;
    for (int i = 0; i < WAITING; i++)
        assert_int_equal(
            zs_send(bob.node, "alice", "t", kibibytes, on_delivered, &bob),
            ZS_OK);
    free((void *)(uintptr_t)kibibytes.bytes);
    until_asked(&bob, &bob.delivered, 1);
    assert_int_equal(zs_ping(bob.node, "alice", 0, on_pinged, &bob), ZS_OK);
    until_asked(&bob, &bob.replies, 1);
    assert_int_equal(bob.error, ZS_OK);
    assert_true(bob.delivered < WAITING / 2);
    until_asked(&bob, &bob.delivered, WAITING);
}

/* Nobody listens there; the node itself is well. */
static void relays_are_listed(void **state)
{
    static const char *const url =
        "tcp://127.0.0.1:1?key="
        "7ee6f79d1b69414a1b37a0540cc097dfb1d3fe434f76b567792a44f8ea171826";
    struct zs_options *o = options_for("carol", 0, 1);
    struct zs_node *node = NULL;
    struct zs_relays *relays = zs_relays_get(alice.node);

    (void)state;
    assert_int_equal(zs_relays_count(relays), 0);
    assert_null(zs_relays_at(relays, 0));
    zs_relays_free(&relays);
    if (zs_options_set(o, "relays", url) != ZS_OK ||
        zs_node_open(&node, o, NULL) != ZS_OK)
        fail_msg("%s", zs_options_error(o));
    assert_int_equal(zs_node_start(node), ZS_OK);
    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        relays = zs_relays_get(node);
        assert_int_equal(zs_relays_count(relays), 1);
        if (zs_relays_at(relays, 0)->error[0] != '\0')
            break;
        zs_relays_free(&relays);
        (void)poll(NULL, 0, 20);
    }
    const struct zs_relay *relay = zs_relays_at(relays, 0);
    assert_non_null(relay);
    assert_string_equal(relay->url, url);
    assert_int_not_equal(relay->state, ZS_RELAY_UP);
    assert_string_equal(relay->error, "refused");
    assert_string_equal(relay->name, "");
    assert_string_equal(relay->outside, "");
    assert_true(relay->rtt_us < 0);
    zs_relays_free(&relays);
    assert_null(relays);
    zs_relays_free(&relays);
    zs_relays_free(NULL);
    zs_node_close(&node);
    zs_options_free(&o);
}

static void a_request_has_its_time(void **state)
{
    int64_t begin = patience_now_ms();

    (void)state;
    zs_request(bob.node, "alice", "later", zs_json("1"), 80, on_replied, &bob);
    until_asked(&bob, &bob.replies, 1);
    assert_int_equal(bob.error, ZS_TIMEOUT);
    assert_true(patience_now_ms() - begin >= 80);
}

static void groups_get_their_events(void **state)
{
    (void)state;
    assert_int_equal(zs_join(bob.node, "lab"), ZS_OK);
    assert_int_equal(zs_join(bob.node, "lab"), ZS_OK);
    /* Alice knows of the group when she has heard from bob again. Until then
     * her events go to nobody. */
    int64_t end = patience_now_ms() + PATIENCE_MS;
    for (int i = 1; alice.peers == 0; i++) {
        assert_true(patience_now_ms() < end);
        (void)poll(NULL, 0, 4);
        zs_node_process(bob.node);
        zs_publish(alice.node, "lab", "t", zs_string("to the lab"),
                   on_delivered, &alice);
        until(&alice, &alice.delivered, i);
    }
    assert_int_equal(alice.peers, 1);
    until(&bob, &bob.events, 1);
    assert_string_equal(bob.group, "lab");
    assert_string_equal(bob.text, "to the lab");
    int before = bob.events;
    assert_int_equal(before, 1);
    zs_publish(alice.node, NULL, "t", zs_string("to all"), NULL, NULL);
    until_asked(&bob, &bob.events, before + 1);
    assert_string_equal(bob.group, "");
    zs_publish(alice.node, "other", "t", zs_string("no"), on_delivered, &alice);
    until(&alice, &alice.delivered, 1);
    assert_int_equal(zs_leave(bob.node, "lab"), ZS_OK);
}

/* More messages than the window takes wait in order, and none is lost. */
static void a_flood_arrives_in_order(void **state)
{
    char text[64];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "0 %d", i);
        assert_int_equal(zs_send(bob.node, "alice", "number", zs_string(text),
                                 on_delivered, &bob),
                         ZS_OK);
    }
    until_asked(&bob, &bob.delivered, MANY);
    assert_int_equal(read_count(&alice, &alice.messages), MANY);
    assert_false(alice.disorder);
    assert_int_equal(bob.failed, 0);
}

/* libzmq's thread reads the lent bytes while the library adds others. The
 * messages arrive unchanged, whatever the sender does with its bytes. */
static void large_messages_arrive_unchanged(void **state)
{
    uint8_t *data = malloc(LARGEST);

    (void)state;
    for (int i = 0; i < LARGE; i++) {
        size_t size = fill_large(i, data);
        assert_int_equal(zs_send(bob.node, "alice", "large",
                                 zs_bytes(data, size), on_delivered, &bob),
                         ZS_OK);
        assert_int_equal(zs_send(alice.node, "bob", "large",
                                 zs_bytes(data, size), on_delivered, &alice),
                         ZS_OK);
        assert_int_equal(zs_node_process(bob.node), ZS_OK);
        memset(data, 0, size);
    }
    free(data);
    until_asked(&bob, &bob.delivered, LARGE);
    until(&alice, &alice.delivered, LARGE);
    assert_int_equal(read_count(&alice, &alice.messages), LARGE);
    assert_int_equal(read_count(&bob, &bob.messages), LARGE);
    assert_false(alice.disorder);
    assert_false(bob.disorder);
}

/* The program asked for the timeout before, so the descriptor must become
 * readable. */
static void sending_wakes_the_loop(void **state)
{
    (void)state;
    while (zs_node_timeout(bob.node) == 0)
        assert_int_equal(zs_node_process(bob.node), ZS_OK);
    assert_int_equal(
        zs_send(bob.node, "alice", "t", zs_string("now"), on_delivered, &bob),
        ZS_OK);
    struct pollfd fd = {zs_node_fd(bob.node), POLLIN, 0};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    until_asked(&bob, &bob.delivered, 1);
    assert_string_equal(alice.text, "now");
}

/* Each delivery sends the next number, whatever earlier messages still wait. */
static void on_delivered_send(void *context, const struct zs_delivery *d)
{
    char text[1000];

    on_delivered(&bob, d);
    int *next = context;
    for (int i = 0; i < 2 && *next < MANY / 10; i++) {
        memset(text, ' ', sizeof text);
        text[sizeof text - 1] = '\0';
        int size = snprintf(text, sizeof text, "0 %d", (*next)++);
        text[size] = ' ';
        assert_int_equal(zs_send(d->node, "alice", "number", zs_string(text),
                                 on_delivered_send, next),
                         ZS_OK);
    }
}

static void messages_of_callbacks_keep_their_order(void **state)
{
    int next = 1;

    (void)state;
    assert_int_equal(zs_send(bob.node, "alice", "number", zs_string("0 0"),
                             on_delivered_send, &next),
                     ZS_OK);
    until_asked(&bob, &bob.delivered, MANY / 10);
    assert_int_equal(read_count(&alice, &alice.messages), MANY / 10);
    assert_false(alice.disorder);
}

static void publish_number(int number, zs_delivered *delivered)
{
    char text[1000];

    memset(text, ' ', sizeof text);
    text[sizeof text - 1] = '\0';
    text[snprintf(text, sizeof text, "0 %d", number)] = ' ';
    assert_int_equal(
        zs_publish(bob.node, NULL, "number", zs_string(text), delivered, &bob),
        ZS_OK);
}

/* Sends the last one, from within the loop. */
static void on_all_published(void *context, const struct zs_delivery *d)
{
    on_delivered(context, d);
    publish_number(MANY + 1, NULL);
}

/* Publications without a callback take a shorter way, which must overtake
 * nothing. There are more than the window takes. */
static void publications_keep_their_order(void **state)
{
    (void)state;
    for (int i = 0; i < MANY; i++)
        publish_number(i, i % 10 == 9 ? on_delivered : NULL);
    publish_number(MANY, on_all_published);
    until_asked(&bob, &bob.delivered, MANY / 10 + 1);
    until(&alice, &alice.events, MANY + 2);
    assert_false(alice.disorder);
    zs_node_stop(bob.node);
    assert_int_equal(zs_publish(bob.node, NULL, "t", zs_string(""), NULL, NULL),
                     ZS_CLOSED);
}

static void a_full_queue_is_busy(void **state)
{
    struct zs_data mebibyte = {calloc(1, 1 << 20), 1 << 20, ZS_BYTES};
    int taken = 0;

    (void)state;
    while (zs_send(bob.node, "alice", "t", mebibyte, on_delivered, &bob) ==
               ZS_OK &&
           taken < 100)
        taken++;
    free((void *)(uintptr_t)mebibyte.bytes);
    assert_in_range(taken, 60, 64);
    until_asked(&bob, &bob.delivered, taken);
    assert_int_equal(bob.readies, 1);
}

static void *send_numbers(void *context)
{
    int thread = *(int *)context;
    char text[2048];

    memset(text, ' ', sizeof text);
    for (int i = 0; i < EACH; i++) {
        int size = snprintf(text, sizeof text, "%d %d", thread, i);
        text[size] = ' ';
        struct zs_data d = {text, sizeof text, ZS_STRING};
        if (zs_send(alice.node, "bob", "number", d, on_delivered, &alice) !=
            ZS_OK)
            break;
        struct zs_peers *peers = zs_peers_get(alice.node);
        zs_peers_free(&peers);
        if (i % 100 == 0)
            zs_publish(alice.node, NULL, "t", d, NULL, NULL);
    }
    return NULL;
}

/* The messages of each thread keep their order; the full queue makes the
 * threads wait. */
static void many_threads_send(void **state)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(
            pthread_create(&threads[i], NULL, send_numbers, &numbers[i]), 0);
    }
    until(&alice, &alice.delivered, THREADS * EACH);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(bob.messages, THREADS * EACH);
    assert_false(bob.disorder);
    assert_int_equal(alice.failed, 0);
}

/* Messages accepted before the end are delivered, and the node says goodbye.
 * They are more than the window takes, and so few that a slow machine delivers
 * them in the 2 s that a node waits for that. */
static void closing_delivers(void **state)
{
    enum { LAST = 2000 };
    char text[64];

    (void)state;
    for (int i = 0; i < LAST; i++) {
        snprintf(text, sizeof text, "0 %d", i);
        zs_send(bob.node, "alice", "number", zs_string(text), on_delivered,
                &bob);
    }
    zs_node_stop(bob.node);
    assert_int_equal(zs_send(bob.node, "alice", "t", zs_string(""), NULL, NULL),
                     ZS_CLOSED);
    assert_int_equal(zs_node_close(&bob.node), ZS_OK);
    assert_int_equal(bob.delivered + bob.failed, LAST);
    assert_int_equal(bob.failed, 0);
    PATIENCE_UNTIL(read_count(&alice, &alice.leaves) > 0,
                   (void)poll(NULL, 0, 5));
    assert_int_equal(read_count(&alice, &alice.leaves), 1);
    assert_int_equal(alice.reason, ZS_LEFT_CLOSED);
    assert_int_equal(read_count(&alice, &alice.messages), LAST);
    assert_false(alice.disorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_told),
        cmocka_unit_test(a_taken_port_is_told),
        cmocka_unit_test(enum_values_have_names),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test_setup_teardown(present_peers_are_known, meet, part),
        cmocka_unit_test_setup_teardown(both_ways_with_delivery, meet, part),
        cmocka_unit_test_setup_teardown(a_child_cannot_use_its_parents_node,
                                        meet, part),
        cmocka_unit_test_setup_teardown(impossible_calls_are_refused, meet,
                                        part),
        cmocka_unit_test_setup_teardown(requests_are_replied_to, meet, part),
        cmocka_unit_test_setup_teardown(a_reply_may_come_later_but_once, meet,
                                        part),
        cmocka_unit_test_setup_teardown(a_request_has_its_time, meet, part),
        cmocka_unit_test_setup_teardown(a_ping_measures_the_way, meet, part),
        cmocka_unit_test_setup_teardown(a_ping_has_its_time, meet, part),
        cmocka_unit_test_setup_teardown(a_ping_does_not_wait_in_line, meet,
                                        part),
        cmocka_unit_test_setup_teardown(relays_are_listed, meet, part),
        cmocka_unit_test_setup_teardown(groups_get_their_events, meet, part),
        cmocka_unit_test_setup_teardown(a_flood_arrives_in_order, meet, part),
        cmocka_unit_test_setup_teardown(large_messages_arrive_unchanged, meet,
                                        part),
        cmocka_unit_test_setup_teardown(sending_wakes_the_loop, meet, part),
        cmocka_unit_test_setup_teardown(messages_of_callbacks_keep_their_order,
                                        meet, part),
        cmocka_unit_test_setup_teardown(publications_keep_their_order, meet,
                                        part),
        cmocka_unit_test_setup_teardown(a_full_queue_is_busy, meet, part),
        cmocka_unit_test_setup_teardown(many_threads_send, meet, part),
        cmocka_unit_test_setup_teardown(closing_delivers, meet, part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
