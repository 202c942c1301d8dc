/*
 * no_memory - opens, uses and closes a node of the library while the n-th
 * allocation of the library's own fails, or all from the n-th on, for every n.
 *
 *     no_memory once|ever ALICE.zs BOB.zs [FROM [TO]]
 *
 * alice is the node under test, on the main thread; bob has a thread of his
 * own, and his allocations never fail. The library must report the truth to
 * alice: bob has each delivered message and no refused one, each accepted
 * message gets one report, and no memory leaks. Exits with 0 after a round in
 * which no allocation failed.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zeroservices.h>

enum {
    MESSAGES = 6,
    LARGE = 300 * 1000,
    PATIENCE_MS = 20000,
    PORT_FIRST = 20000,
    LOOK_EVERY = 32,
};

/* ---- The allocator: the linker sends the library's calls here */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static _Thread_local bool armed;
static unsigned long calls, fail_at;
static bool for_ever, failed;

static bool fails(void)
{
    if (!armed)
        return false;
    calls++;
    bool now = for_ever ? calls >= fail_at : calls == fail_at;
    failed = failed || now;
    return now;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

#if defined(__SANITIZE_ADDRESS__)
int __lsan_do_recoverable_leak_check(void);
#else
static int __lsan_do_recoverable_leak_check(void)
{
    return 0;
}
#endif

/* ---- The messages and their outcomes */

struct call {
    enum zs_error accepted;
    int told;
    enum zs_error error; /* reported */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned long round_now;
static struct call called[MESSAGES];
static int bob_has[MESSAGES]; /* messages of this round */
static bool alice_joined, alice_has_word;
static bool bob_said, bob_was_told; /* his message to alice: sent, delivered */
static bool bob_sees_alice;
static enum zs_error bob_error;

static void lock(void)
{
    pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

static _Noreturn void die(const char *what, long a, long b)
{
    armed = false;
    fprintf(stderr, "no_memory: at %lu: %s (%ld, %ld)\n", fail_at, what, a, b);
    exit(1);
}

/* ---- bob */

static void on_bob_delivered(void *context, const struct zs_delivery *d)
{
    unsigned long *round_of = context;

    lock();
    if (*round_of == round_now) {
        bob_was_told = true;
        bob_error = d->error;
    }
    unlock();
    free(round_of);
}

/* Reads a number after `begin`; sets *end to the text after the number. False
 * if the text is different. */
static bool read_number(const char *text, const char *begin,
                        unsigned long *number, const char **end)
{
    size_t skip = strlen(begin);
    char *after;

    if (strncmp(text, begin, skip) != 0)
        return false;
    *number = strtoul(text + skip, &after, 10);
    if (end != NULL)
        *end = after;
    return after != text + skip;
}

static void on_bob_message(void *context, const struct zs_message *m)
{
    unsigned long round_of = 0;
    unsigned long number = 0;
    const char *dash;

    (void)context;
    if (!read_number(m->type, "m-", &round_of, &dash) ||
        !read_number(dash, "-", &number, NULL) || number >= MESSAGES)
        return;
    lock();
    if (round_of == round_now)
        bob_has[number]++;
    unlock();
    if (m->request != NULL)
        (void)zs_reply(m->node, m->request, "answer", zs_string("yes"), NULL,
                       NULL);
}

static void on_bob_new_node(void *context, struct zs_node *node,
                            const struct zs_peer *peer)
{
    char type[32];
    unsigned long *round_of = malloc(sizeof *round_of);

    (void)context;
    lock();
    *round_of = round_now;
    bob_sees_alice = true;
    bob_said = true;
    snprintf(type, sizeof type, "w-%lu", round_now);
    unlock();
    if (zs_send(node, peer->id, type, zs_string("word"), on_bob_delivered,
                round_of) != ZS_OK)
        die("bob cannot send", 0, 0);
}

static void on_bob_close(void *context, struct zs_node *node,
                         const struct zs_peer *peer, enum zs_reason reason)
{
    (void)context;
    (void)node;
    (void)peer;
    (void)reason;
    lock();
    bob_sees_alice = false;
    unlock();
}

/* ---- alice */

static void on_alice_new_node(void *context, struct zs_node *node,
                              const struct zs_peer *peer)
{
    (void)context;
    (void)node;
    alice_joined = alice_joined || strcmp(peer->name, "bob") == 0;
}

static void on_alice_message(void *context, const struct zs_message *m)
{
    unsigned long round_of = 0;

    (void)context;
    if (read_number(m->type, "w-", &round_of, NULL) && round_of == round_now)
        alice_has_word = true;
}

static void on_delivered(void *context, const struct zs_delivery *d)
{
    struct call *call = context;

    call->told++;
    call->error = d->error;
}

static void on_replied(void *context, enum zs_error error,
                       const struct zs_message *reply)
{
    struct call *call = context;

    call->told++;
    call->error = error;
    if ((error == ZS_OK) != (reply != NULL))
        die("a reply is there or not", error, reply != NULL);
}

static bool all_told(void)
{
    for (int i = 0; i < MESSAGES; i++)
        if (called[i].accepted == ZS_OK && called[i].told == 0)
            return false;
    return true;
}

static bool is_done(void)
{
    lock();
    bool word = alice_has_word && bob_was_told;
    unlock();
    return all_told() && word;
}

static bool has_joined(void)
{
    return alice_joined;
}

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Runs the node until done(); false if the node ended before. */
static bool run_until(struct zs_node *n, bool (*done)(void))
{
    long end = now_ms() + PATIENCE_MS;

    while (!done()) {
        if (zs_node_process(n) == ZS_CLOSED)
            return false;
        if (now_ms() > end)
            die("waited in vain", alice_joined, all_told());
        int timeout = zs_node_timeout(n);
        struct pollfd fd = {.fd = zs_node_fd(n), .events = POLLIN};
        (void)poll(&fd, 1, timeout < 0 || timeout > 20 ? 20 : timeout);
    }
    return true;
}

/* Tells whether a call may return this error because of missing memory. */
static bool is_refused(enum zs_error error)
{
    if (error != ZS_OK && (error != ZS_NO_MEMORY || !failed))
        die("a call was refused", error, failed);
    return error != ZS_OK;
}

static struct zs_options *options_for(const char *identity, int port, int of)
{
    char own[16], other[32];
    const char *const settings[][2] = {
        {"node.identity", identity},   {"discovery.multicast", "false"},
        {"listen.interfaces", ""},     {"listen.interfaces", "lo"},
        {"node.info", "{role: test}"}, {"listen.port", own},
        {"discovery.peers", other},    {"node.groups", "lab"},
    };
    struct zs_options *o = zs_options_new();

    if (o == NULL && !failed)
        die("there are no options", 0, 0);
    snprintf(own, sizeof own, "%d", port);
    snprintf(other, sizeof other, "127.0.0.1:%d", of);
    for (size_t i = 0; o != NULL && i < sizeof settings / sizeof *settings; i++)
        if (is_refused(zs_options_set(o, settings[i][0], settings[i][1])))
            zs_options_free(&o);
    return o;
}

static void say_all(struct zs_node *n)
{
    static char large[LARGE];
    char type[32];

    memset(large, 'x', sizeof large);
    for (unsigned i = 0; i < MESSAGES; i++) {
        struct call *c = &called[i];
        struct zs_data data = zs_string("hello \"you\"");
        snprintf(type, sizeof type, "m-%lu-%u", round_now, i);
        if (i == 1)
            data = zs_bytes(large, sizeof large);
        if (i == 2)
            c->accepted =
                zs_request(n, "bob", type, data, 10000, on_replied, c);
        else if (i == 3 || i == 4)
            c->accepted = zs_publish(n, i == 4 ? "lab" : NULL, type,
                                     i == 4 ? zs_bytes(large, LARGE) : data,
                                     on_delivered, c);
        else
            c->accepted = zs_send(n, "bob", type, data, on_delivered, c);
        (void)is_refused(c->accepted);
    }
}

static void look_around(struct zs_node *n)
{
    struct zs_peers *peers = zs_peers_get(n);
    struct zs_relays *relays = zs_relays_get(n);

    if ((peers == NULL || relays == NULL) && !failed)
        die("nothing is shown", 0, 0);
    if (peers != NULL && zs_peers_count(peers) != 1)
        die("bob is not shown", (long)zs_peers_count(peers), 0);
    zs_peers_free(&peers);
    zs_relays_free(&relays);
    (void)is_refused(zs_join(n, "more"));
    (void)is_refused(zs_leave(n, "lab"));
}

static void use(struct zs_node *n)
{
    if (!run_until(n, has_joined))
        return;
    say_all(n);
    look_around(n);
    (void)run_until(n, is_done);
}

static void take_round(const char *identity, int port, int of)
{
    const struct zs_callbacks on = {.on_new_node = on_alice_new_node,
                                    .on_message = on_alice_message};
    struct zs_node *n = NULL;

    armed = true;
    struct zs_options *o = options_for(identity, port, of);
    if (o != NULL && !is_refused(zs_node_open(&n, o, &on))) {
        use(n);
        if (zs_node_close(&n) != ZS_OK || n != NULL)
            die("it does not close", 0, 0);
    }
    zs_options_free(&o);
    armed = false;
}

/* ---- The checks */

static void check(void)
{
    lock();
    for (int i = 0; i < MESSAGES; i++) {
        const struct call *c = &called[i];
        bool ended = c->error == ZS_NO_MEMORY && failed;
        if (c->accepted != ZS_OK && (c->told > 0 || bob_has[i] > 0))
            die("what was refused was sent", i, c->told);
        if (c->accepted == ZS_OK && c->told != 1)
            die("what was accepted is told once", i, c->told);
        if (c->accepted == ZS_OK && c->error != ZS_OK && !ended)
            die("it failed for something else", i, c->error);
        bool published = i == 3 || i == 4;
        if (c->accepted == ZS_OK && c->error == ZS_OK && bob_has[i] != 1 &&
            !published)
            die("what was delivered is there once", i, bob_has[i]);
        if (bob_has[i] > 1)
            die("it came twice", i, bob_has[i]);
    }
    if (bob_was_told && bob_error == ZS_OK && !alice_has_word)
        die("bob's word was lost", 0, 0);
    unlock();
}

/* The check stops the process for a while, so it does not run in each round. */
static void check_leaks(void)
{
    if (__lsan_do_recoverable_leak_check() != 0)
        die("memory is left behind since the last look", LOOK_EVERY, 0);
}

static void begin(unsigned long n)
{
    lock();
    round_now++;
    memset(called, 0, sizeof called);
    for (int i = 0; i < MESSAGES; i++)
        called[i].accepted = ZS_CLOSED; /* Not called. */
    memset(bob_has, 0, sizeof bob_has);
    alice_joined = alice_has_word = bob_said = bob_was_told = failed = false;
    calls = 0;
    fail_at = n;
    unlock();
}

int main(int argc, char **argv)
{
    const struct zs_callbacks on = {.on_message = on_bob_message,
                                    .on_event = on_bob_message,
                                    .on_new_node = on_bob_new_node,
                                    .on_node_close = on_bob_close};
    struct zs_node *bob = NULL;

    if (argc < 4)
        return 2;
    for_ever = strcmp(argv[1], "ever") == 0;
    unsigned long from = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
    unsigned long to = argc > 5 ? strtoul(argv[5], NULL, 10) : 1000000;
    int port = PORT_FIRST + (int)getpid() % 10000 * 2;
    struct zs_options *o = options_for(argv[3], port, port + 1);
    if (zs_node_open(&bob, o, &on) != ZS_OK || zs_node_start(bob) != ZS_OK) {
        fprintf(stderr, "bob: %s\n", zs_options_error(o));
        return 1;
    }
    unsigned long n = from;
    do {
        begin(n);
        long start = now_ms();
        take_round(argv[2], 0, port);
        long took = now_ms() - start;
        check();
        if (n % LOOK_EVERY == 0 || !failed)
            check_leaks();
        if (getenv("NO_MEMORY_TIMES") != NULL)
            fprintf(stderr, "%lu: %ld ms, %lu calls\n", n, took, calls);
    } while (failed && n++ < to);
    printf("%lu allocations failed %s; the last round made %lu\n", n - from,
           argv[1], calls);
    zs_node_close(&bob);
    zs_options_free(&o);
    return failed && to == 1000000;
}
