/* Wrong uses of the library: none crashes, hangs or prints anything. A node
 * reports only by its callbacks. */
#include "tests/unit/patience.h"

#include "common/conf/identity.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zeroservices.h>

/* ---- Whatever is written to standard output and error is caught */

static int kept[2];
static FILE *caught;

static int be_quiet(void **state)
{
    (void)state;
    fflush(NULL);
    caught = tmpfile();
    assert_non_null(caught);
    for (int fd = 1; fd <= 2; fd++) {
        kept[fd - 1] = dup(fd);
        dup2(fileno(caught), fd);
    }
    return 0;
}

static void speak_again(void)
{
    fflush(NULL);
    for (int fd = 1; fd <= 2; fd++) {
        dup2(kept[fd - 1], fd);
        close(kept[fd - 1]);
    }
}

static int nothing_was_said(void **state)
{
    char line[256] = "";

    (void)state;
    speak_again();
    rewind(caught);
    bool quiet = true;
    while (fgets(line, sizeof line, caught) != NULL) {
        fprintf(stderr, "said: %s", line);
        quiet = false;
    }
    fclose(caught);
    return quiet ? 0 : -1;
}

/* ---- Nodes of one process that meet over loopback */

static struct zs_options *options_of(const char *name)
{
    struct zs_options *o = zs_options_new();

    assert_non_null(o);
    if (name != NULL)
        assert_int_equal(zs_options_passphrase(o, name, "hostile"), ZS_OK);
    assert_int_equal(zs_options_set(o, "listen.interfaces", ""), ZS_OK);
    assert_int_equal(zs_options_set(o, "listen.interfaces", "lo"), ZS_OK);
    assert_int_equal(zs_options_set(o, "discovery.multicast", "false"), ZS_OK);
    return o;
}

static struct zs_node *open_as(struct zs_options *o,
                               const struct zs_callbacks *on)
{
    struct zs_node *node = NULL;

    if (zs_node_open(&node, o, on) != ZS_OK)
        fail_msg("%s", zs_options_error(o));
    return node;
}

/* Gives the two nodes neighbouring ports. */
static void set_ports(struct zs_options *one, struct zs_options *other)
{
    char a[16], b[16], at_a[32], at_b[32];
    int port = 21000 + getpid() % 10000;

    snprintf(a, sizeof a, "%d", port);
    snprintf(b, sizeof b, "%d", port + 1);
    snprintf(at_a, sizeof at_a, "127.0.0.1:%d", port);
    snprintf(at_b, sizeof at_b, "127.0.0.1:%d", port + 1);
    zs_options_set(one, "listen.port", a);
    zs_options_set(other, "listen.port", b);
    zs_options_set(one, "discovery.peers", at_b);
    zs_options_set(other, "discovery.peers", at_a);
}

static void await(const atomic_int *count, int wanted)
{
    PATIENCE_UNTIL(atomic_load(count) >= wanted, (void)poll(NULL, 0, 5));
}

/* ---- Nothing, where something is expected */

static void no_node_and_no_options(void **state)
{
    struct zs_node *none = NULL;
    struct zs_options *no_options = NULL;
    const struct zs_data d = zs_string("x");
    const struct zs_request r = {{0}, 1};
    char room[4] = "abc";

    (void)state;
    assert_int_equal(zs_options_load(NULL, "x"), ZS_BAD_REQUEST);
    assert_int_equal(zs_options_set(NULL, "a", "b"), ZS_BAD_REQUEST);
    assert_int_equal(zs_options_passphrase(NULL, "a", "b"), ZS_BAD_REQUEST);
    assert_int_equal(zs_options_wait(NULL, 1), ZS_BAD_REQUEST);
    assert_string_equal(zs_options_error(NULL), "");
    zs_options_free(NULL);
    zs_options_free(&no_options);
    assert_int_equal(zs_node_open(NULL, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_node_open(&none, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_node_start(NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_node_process(NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_node_fd(NULL), -1);
    assert_int_equal(zs_node_timeout(NULL), -1);
    zs_node_stop(NULL);
    assert_int_equal(zs_node_close(NULL), ZS_OK);
    assert_int_equal(zs_node_close(&none), ZS_OK);
    assert_string_equal(zs_node_name(NULL), "");
    assert_string_equal(zs_node_id(NULL), "");
    assert_int_equal(zs_send(NULL, "b", "t", d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_publish(NULL, "b", "t", d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_request(NULL, "b", "t", d, 1, NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_ping(NULL, "b", 1, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_reply(NULL, &r, "t", d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_join(NULL, "g"), ZS_BAD_REQUEST);
    assert_int_equal(zs_leave(NULL, "g"), ZS_BAD_REQUEST);
    struct zs_peers *peers = zs_peers_get(NULL);
    assert_int_equal(zs_peers_count(peers) + zs_peers_count(NULL), 0);
    assert_null(zs_peers_at(NULL, 0));
    zs_peers_free(&peers);
    zs_peers_free(NULL);
    struct zs_relays *relays = zs_relays_get(NULL);
    assert_int_equal(zs_relays_count(relays) + zs_relays_count(NULL), 0);
    assert_null(zs_relays_at(relays, 7));
    zs_relays_free(&relays);
    assert_string_equal(zs_text(NULL, room, sizeof room), "");
    assert_string_equal(zs_text(&(struct zs_message){0}, NULL, 4), "");
    assert_string_equal(zs_text(&(struct zs_message){0}, room, 0), "");
    assert_string_equal(zs_error_name((enum zs_error)INT_MAX), "unknown");
    assert_true(zs_error_text((enum zs_error) - 1)[0] != '\0');
    assert_string_equal(zs_path_name((enum zs_path)99), "none");
}

/* ---- What cannot be */

static void count_told(void *context, const struct zs_delivery *d)
{
    atomic_fetch_add((atomic_int *)context, 1 + 100 * (d->error == ZS_OK));
}

static void arguments_that_cannot_be(struct zs_node *n)
{
    char *long_text = malloc(100001);
    struct zs_data all = {"x", SIZE_MAX, ZS_BYTES};
    struct zs_data hollow = {NULL, 5, ZS_BYTES};
    struct zs_data strange = {"x", 1, (enum zs_encoding)77};
    const struct zs_data d = zs_string(NULL);

    memset(long_text, 'a', 100000);
    long_text[100000] = '\0';
    assert_int_equal(zs_send(n, long_text, "t", d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "b", long_text, d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "b", "\xc3", d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, NULL, NULL, d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "b", "t", all, NULL, NULL), ZS_TOO_LARGE);
    assert_int_equal(zs_send(n, "b", "t", hollow, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_send(n, "b", "t", strange, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_publish(n, long_text, "t", d, NULL, NULL),
                     ZS_BAD_REQUEST);
    assert_int_equal(zs_publish(n, "", "t", d, NULL, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_join(n, long_text), ZS_BAD_REQUEST);
    assert_int_equal(zs_join(n, NULL), ZS_BAD_REQUEST);
    assert_int_equal(zs_leave(n, "-"), ZS_BAD_REQUEST);
    assert_int_equal(zs_reply(n, NULL, "t", d, NULL, NULL), ZS_BAD_REQUEST);
    free(long_text);
}

static void wrong_arguments(void **state)
{
    struct zs_options *o = options_of("alone");
    struct zs_node *n = open_as(o, NULL);
    atomic_int told = 0;
    char group[16];

    (void)state;
    arguments_that_cannot_be(n);
    assert_int_equal(zs_node_start(n), ZS_OK);
    arguments_that_cannot_be(n);
    for (int i = 0; i < 200; i++) { /* At most 64 fit, and more do no harm. */
        snprintf(group, sizeof group, "g%d", i);
        assert_int_equal(zs_join(n, group), i < 64 ? ZS_OK : ZS_BAD_REQUEST);
    }
    struct zs_request made_up = {{1, 2, 3}, 4};
    assert_int_equal(
        zs_reply(n, &made_up, "t", zs_json("1"), count_told, &told), ZS_OK);
    assert_int_equal(zs_ping(n, "", INT_MAX, count_told, &told), ZS_OK);
    assert_int_equal(
        zs_send(n, zs_node_name(n), "t", zs_json("1"), count_told, &told),
        ZS_OK);
    assert_int_equal(zs_request(n, "x", "t", zs_json("1"), INT_MIN, NULL, NULL),
                     ZS_OK);
    await(&told, 3);
    assert_int_equal(told, 3); /* And none of the messages was delivered. */
    assert_int_equal(zs_node_close(&n), ZS_OK);
    zs_options_free(&o);
}

static void wrong_settings(void **state)
{
    static const char *const wrong[][2] = {
        {"limits.message", "-1"},
        {"limits.window", "0"},
        {"limits.peers", "99999999999"},
        {"node.info", "{a: [}"},
        {"node.name", "x"},
        {"", ""},
        {"listen.port", "65536"},
        {"discovery.group", "10.0.0.1.1"},
        {"relays", "tcp://"},
        {"log.level", "loud"},
        {"node.groups", "no group"},
        {"presence.probe", "1 year"},
    };
    struct zs_options *o = options_of("alone");
    struct zs_node *n;
    char empty[] = "/tmp/zs-empty-XXXXXX";
    int fd = mkstemp(empty);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        if (zs_options_set(o, wrong[i][0], wrong[i][1]) == ZS_OK)
            fail_msg("%s: %s was taken", wrong[i][0], wrong[i][1]);
        assert_true(zs_options_error(o)[0] != '\0');
    }
    assert_int_equal(zs_options_load(o, "/"), ZS_CONFIGURATION);
    assert_int_equal(zs_options_load(o, "/dev/null"), ZS_CONFIGURATION);
    assert_non_null(strstr(zs_options_error(o), "/dev/null"));
    assert_int_equal(zs_options_load(o, empty), ZS_CONFIGURATION);
    assert_non_null(strstr(zs_options_error(o), "`node.identity` is missing"));
    unlink(empty);
    zs_options_free(&o);
    o = options_of(NULL);
    assert_int_equal(zs_options_set(o, "node.identity", "/dev/null"), ZS_OK);
    assert_int_equal(zs_node_open(&n, o, NULL), ZS_CONFIGURATION);
    assert_null(n);
    assert_non_null(strstr(zs_options_error(o), "/dev/null"));
    zs_options_free(&o);
}

/* ---- At the wrong time */

static void after_the_end(void **state)
{
    const struct zs_data d = zs_string("late");
    const struct zs_request r = {{0}, 1};
    struct zs_options *o = options_of("alone");
    atomic_int told = 0;

    (void)state;
    for (int threaded = 0; threaded <= 1; threaded++) {
        struct zs_node *n = open_as(o, NULL);
        if (threaded)
            assert_int_equal(zs_node_start(n), ZS_OK);
        zs_node_stop(n);
        zs_node_stop(n);
        assert_int_equal(zs_send(n, "b", "t", d, count_told, &told), ZS_CLOSED);
        assert_int_equal(zs_publish(n, NULL, "t", d, count_told, &told),
                         ZS_CLOSED);
        assert_int_equal(zs_request(n, "b", "t", d, 1, NULL, NULL), ZS_CLOSED);
        assert_int_equal(zs_ping(n, "b", 1, count_told, &told), ZS_CLOSED);
        assert_int_equal(zs_reply(n, &r, "t", d, count_told, &told), ZS_CLOSED);
        assert_int_equal(zs_join(n, "g"), ZS_CLOSED);
        struct zs_peers *peers = zs_peers_get(n);
        assert_int_equal(zs_peers_count(peers), 0);
        zs_peers_free(&peers);
        while (!threaded && zs_node_process(n) != ZS_CLOSED)
            (void)poll(NULL, 0, 1);
        if (!threaded) {
            assert_int_equal(zs_node_process(n), ZS_CLOSED);
            assert_int_equal(zs_node_start(n), ZS_BAD_REQUEST);
        }
        assert_int_equal(zs_node_close(&n), ZS_OK);
    }
    assert_int_equal(told, 0);
    zs_options_free(&o);
}

/* Operations accepted before the first turn get a result, although the loop
 * never runs. */
static void closed_before_it_ran(void **state)
{
    struct zs_options *o = options_of("alone");
    struct zs_node *n = open_as(o, NULL);
    atomic_int told = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            zs_send(n, "b", "t", zs_string("x"), count_told, &told), ZS_OK);
    assert_int_equal(zs_node_close(&n), ZS_OK);
    assert_int_equal(told, 100);
    zs_options_free(&o);
}

/* ---- Callbacks that do everything */

static struct {
    atomic_int joins, heard, told;
    struct zs_node *victim;
    struct zs_options *options;
} wild;

static void wild_told(void *context, const struct zs_delivery *d);

/* Makes every call, on the loop. */
static void do_everything(struct zs_node *n)
{
    struct zs_node *self = n, *another = NULL;
    const struct zs_data d = zs_string("x");

    if (zs_node_close(&self) != ZS_BAD_REQUEST || self != n ||
        zs_node_start(n) != ZS_BAD_REQUEST ||
        zs_node_process(n) != ZS_BAD_REQUEST ||
        zs_options_set(wild.options, "listen.port", "0") != ZS_BAD_REQUEST)
        abort();
    (void)zs_node_timeout(n);
    (void)zs_node_fd(n);
    struct zs_peers *peers = zs_peers_get(n);
    for (size_t i = 0; i < zs_peers_count(peers); i++)
        zs_send(n, zs_peers_at(peers, i)->id, "t", d, NULL, NULL);
    zs_peers_free(&peers);
    struct zs_relays *relays = zs_relays_get(n);
    zs_relays_free(&relays);
    zs_join(n, "wild");
    zs_leave(n, "wild");
    zs_publish(n, NULL, "t", d, NULL, NULL);
    zs_ping(n, "nobody", 1, NULL, NULL);
    zs_request(n, "nobody", "t", d, 1, NULL, NULL);
    struct zs_options *o = zs_options_new();
    if (zs_node_open(&another, o, NULL) != ZS_CONFIGURATION)
        abort();
    zs_options_free(&o);
}

static void wild_new_node(void *context, struct zs_node *n,
                          const struct zs_peer *peer)
{
    (void)context;
    do_everything(n);
    atomic_fetch_add(&wild.joins, 1);
    zs_send(n, peer->name, "first", zs_string("x"), wild_told, NULL);
}

static void wild_node_close(void *context, struct zs_node *n,
                            const struct zs_peer *peer, enum zs_reason reason)
{
    (void)context, (void)reason;
    do_everything(n);
    zs_send(n, peer->id, "t", zs_string("gone"), NULL, NULL);
}

/* A callback closes another node, from within. */
static void wild_message(void *context, const struct zs_message *m)
{
    (void)context;
    if (strcmp(m->type, "first") != 0)
        return;
    do_everything(m->node);
    if (m->request != NULL)
        zs_reply(m->node, m->request, "t", m->data, wild_told, NULL);
    if (strcmp(zs_node_name(m->node), "one") == 0)
        zs_node_close(&wild.victim);
    atomic_fetch_add(&wild.heard, 1);
}

static void wild_event(void *context, const struct zs_message *m)
{
    (void)context, (void)m;
}

static void wild_path(void *context, struct zs_node *n,
                      const struct zs_peer *peer, enum zs_path was)
{
    (void)context, (void)peer, (void)was;
    do_everything(n);
}

static void wild_told(void *context, const struct zs_delivery *d)
{
    (void)context;
    do_everything(d->node);
    atomic_fetch_add(&wild.told, 1);
}

static void wild_log(void *context, enum zs_level level, const char *event,
                     const char *details)
{
    (void)context, (void)level, (void)event, (void)details;
    struct zs_options *o = zs_options_new();
    zs_options_free(&o);
}

static const struct zs_callbacks everything = {
    .on_new_node = wild_new_node,
    .on_node_close = wild_node_close,
    .on_message = wild_message,
    .on_event = wild_event,
    .on_path = wild_path,
    .on_log = wild_log,
};

static void callbacks_that_do_everything(void **state)
{
    struct zs_options *one = options_of("one");
    struct zs_options *two = options_of("two");
    struct zs_options *three = options_of("victim");

    (void)state;
    set_ports(one, two);
    wild.options = one;
    wild.victim = open_as(three, NULL);
    assert_int_equal(zs_node_start(wild.victim), ZS_OK);
    struct zs_node *a = open_as(one, &everything);
    struct zs_node *b = open_as(two, &everything);
    assert_int_equal(zs_node_start(a), ZS_OK);
    assert_int_equal(zs_node_start(b), ZS_OK);
    await(&wild.joins, 2);
    await(&wild.heard, 2);
    await(&wild.told, 2);
    assert_null(wild.victim);
    assert_int_equal(zs_node_close(&b), ZS_OK);
    assert_int_equal(zs_node_close(&a), ZS_OK);
    zs_options_free(&one);
    zs_options_free(&two);
    zs_options_free(&three);
}

/* ---- One identity, two nodes */

static void save_identity(const char *path)
{
    struct edge_identity identity;
    const char *phrase = "hostile";

    assert_true(identity_from_passphrase_text(bytes_of(phrase, strlen(phrase)),
                                              "twin", NULL, &identity, stderr));
    assert_true(identity_save(path, &identity, true, stderr));
    identity_wipe(&identity);
}

/* The later process counts [P-3.3]; both go on, and a third sees one node. */
static void two_of_one_identity(void **state)
{
    char path[] = "/tmp/test_zs_hostile.XXXXXX";
    struct zs_options *twin = options_of(NULL);
    struct zs_options *other = options_of("other");
    atomic_int told = 0;

    (void)state;
    close(mkstemp(path));
    save_identity(path);
    set_ports(twin, other);
    zs_options_set(twin, "node.identity", path);
    zs_options_set(twin, "listen.port", "0");
    struct zs_node *first = open_as(twin, NULL);
    struct zs_node *second = open_as(twin, NULL);
    struct zs_node *third = open_as(other, NULL);
    assert_string_equal(zs_node_id(first), zs_node_id(second));
    assert_int_equal(zs_node_start(first), ZS_OK);
    assert_int_equal(zs_node_start(second), ZS_OK);
    assert_int_equal(zs_node_start(third), ZS_OK);
    int64_t until = patience_now_ms() + 1500;
    while (patience_now_ms() < until) {
        struct zs_peers *peers = zs_peers_get(third);
        assert_true(zs_peers_count(peers) <= 1);
        zs_peers_free(&peers);
        zs_send(third, "twin", "t", zs_string("x"), count_told, &told);
        zs_send(first, "other", "t", zs_string("x"), NULL, NULL);
        zs_send(second, "other", "t", zs_string("x"), NULL, NULL);
        (void)poll(NULL, 0, 20);
    }
    assert_int_equal(zs_node_close(&first), ZS_OK);
    assert_int_equal(zs_node_close(&third), ZS_OK);
    assert_int_equal(zs_node_close(&second), ZS_OK);
    assert_true(told > 0);
    unlink(path);
    zs_options_free(&twin);
    zs_options_free(&other);
}

/* ---- A child of the process */

/* The child ends as any program does; the parent's node does not notice. */
static void a_child_that_ends(void **state)
{
    struct zs_options *one = options_of("one");
    struct zs_options *two = options_of("two");
    int status = -1;
    atomic_int told = 0;

    (void)state;
    set_ports(one, two);
    struct zs_node *a = open_as(one, NULL);
    struct zs_node *b = open_as(two, NULL);
    assert_int_equal(zs_node_start(a), ZS_OK);
    assert_int_equal(zs_node_start(b), ZS_OK);
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE_S);
        _exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    int64_t until = patience_now_ms() + PATIENCE_MS;
    while (atomic_load(&told) < 100 && patience_now_ms() < until) {
        zs_send(a, "two", "t", zs_string("x"), count_told, &told);
        (void)poll(NULL, 0, 20);
    }
    assert_true(told >= 100); /* One message was delivered. */
    assert_int_equal(zs_node_close(&a), ZS_OK);
    assert_int_equal(zs_node_close(&b), ZS_OK);
    zs_options_free(&one);
    zs_options_free(&two);
}

#define QUIETLY(f)                                                             \
    cmocka_unit_test_setup_teardown(f, be_quiet, nothing_was_said)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIETLY(no_node_and_no_options), QUIETLY(wrong_arguments),
        QUIETLY(wrong_settings),         QUIETLY(after_the_end),
        QUIETLY(closed_before_it_ran),   QUIETLY(callbacks_that_do_everything),
        QUIETLY(two_of_one_identity),    QUIETLY(a_child_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
