/*
 * link_zs - the load generator on the library's public API, in both forms.
 *
 * The nodes are `src` and `dst`, or src-PAIR and dst-PAIR; in mode fan `src`
 * publishes, and dst-0 ... dst-N are nodes of one process. They meet at the
 * relay; in mode direct the program waits for the link between them. In role
 * idle the nodes idle-FIRST and on are present and send nothing.
 *
 * A sink of many nodes has a loop and a thread for each processor, as a real
 * program would; each node belongs to one loop.
 */
#include "tests/bench/load/load.h"
#include "tests/bench/load/news.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zeroservices.h>

enum { PATIENCE_S = 900, LOOPS_MOST = 64 };

struct bench_node {
    struct zs_node *node;
    uint64_t due_ns; /* when the node must run, even if nothing comes */
    bool met;        /* it knows a peer: the relay has admitted it */
};

struct loop {
    int epoll_fd;
    size_t first, end; /* its members */
    bool unsent;       /* messages were sent outside of callbacks */
    unsigned long handed;
};

static struct bench_node *members;
static size_t member_count;
static struct loop loops[LOOPS_MOST];
static size_t loop_count = 1;
static _Thread_local struct loop *mine; /* NULL: the library's own thread */
static load_message *took;
static long reached; /* peers with the wanted path */
static bool threaded;
static char to[64]; /* empty: published, to all */

/* Form thread: the callbacks wake a waiting thread by this. */
static struct load_news news = LOAD_NEWS;

/* ---- Callbacks */

static enum zs_path wanted(void)
{
    return load_is("direct") ? ZS_PATH_TCP
           : load_is("udp")  ? ZS_PATH_UDP
                             : ZS_PATH_RELAY;
}

static void on_any(void *context, const struct zs_message *m)
{
    if (mine != NULL)
        mine->handed++;
    took((size_t)((struct bench_node *)context - members), m->data.bytes,
         m->data.size);
    /* The main thread of a sink or source need not wake for each message. */
    if (threaded &&
        (m->data.size < LOAD_SMALLEST || strcmp(load.role, "ping") == 0))
        load_news_tell(&news);
}

static void on_new_node(void *context, struct zs_node *node,
                        const struct zs_peer *peer)
{
    (void)node;
    ((struct bench_node *)context)->met = true;
    if (context == members)
        __atomic_add_fetch(&reached, peer->path == wanted(), __ATOMIC_SEQ_CST);
}

static void on_path(void *context, struct zs_node *node,
                    const struct zs_peer *peer, enum zs_path was)
{
    (void)node;
    if (context == members)
        __atomic_add_fetch(&reached,
                           (peer->path == wanted()) - (was == wanted()),
                           __ATOMIC_SEQ_CST);
}

static void on_gap(void *context, struct zs_node *node,
                   const struct zs_peer *peer, uint64_t missed)
{
    (void)context, (void)node;
    fprintf(stderr, "gap: %lu of %s\n", (unsigned long)missed, peer->name);
}

/* ---- Opening */

static void set(struct zs_options *o, const char *key, const char *value)
{
    if (zs_options_set(o, key, value) != ZS_OK)
        load_die("%s: %s", key, zs_options_error(o));
}

static void open_node(struct bench_node *m, const char *name)
{
    struct zs_callbacks on = {.context = m,
                              .on_message = on_any,
                              .on_event = on_any,
                              .on_new_node = on_new_node,
                              .on_path = on_path,
                              .on_gap = on_gap};
    struct zs_options *o = zs_options_new();
    char identity[PATH_MAX];
    bool idle = strcmp(load.role, "idle") == 0;
    snprintf(identity, sizeof identity, "%s/%s.zs", load.mesh, name);
    set(o, "node.identity", identity);
    set(o, "relays", load.relay);
    set(o, "proxy", load.proxy);
    set(o, "listen.interfaces", ""); /* this one, and no other */
    set(o, "listen.interfaces", load.interface);
    set(o, "discovery.multicast", "false");
    set(o, "paths.tcp", load_is("direct") && !idle ? "true" : "false");
    set(o, "paths.udp", load_is("udp") && !idle ? "true" : "false");
    if (idle) { /* a thousand idle nodes must not use the machine */
        set(o, "presence.probe", "10s");
        set(o, "presence.lost_after", "30s");
    }
    zs_options_wait(o, threaded);
    if (zs_node_open(&m->node, o, &on) != ZS_OK)
        load_die("%s: %s", name, zs_options_error(o));
    zs_options_free(&o);
    if (threaded && zs_node_start(m->node) != ZS_OK)
        load_die("%s: no thread", name);
}

static void ask_timeout(struct bench_node *m)
{
    int ms = zs_node_timeout(m->node);
    m->due_ns = ms < 0 ? UINT64_MAX : load_now_ns() + (uint64_t)ms * 1000000;
}

static struct loop *loop_of(size_t member)
{
    struct loop *l = loops;
    while (member >= l->end)
        l++;
    return l;
}

static void watch(size_t i)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = i};
    if (epoll_ctl(loop_of(i)->epoll_fd, EPOLL_CTL_ADD,
                  zs_node_fd(members[i].node), &e) != 0)
        load_die("epoll");
    ask_timeout(&members[i]);
}

static void raise_files(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The name of the node of that number, where `all` have the same role. */
static void name_node(char *out, size_t size, const char *role, size_t number,
                      size_t all)
{
    if (all > 1 || load.first > 0)
        snprintf(out, size, "%s-%zu", role, number + (size_t)load.first);
    else if (load.pair > 0)
        snprintf(out, size, "%s-%ld", role, load.pair);
    else
        snprintf(out, size, "%s", role);
}

static void prepare(size_t count, size_t loops_wanted)
{
    raise_files();
    members = calloc(count, sizeof *members);
    if (members == NULL)
        load_die("no room for %zu nodes", count);
    loop_count = loops_wanted < LOOPS_MOST ? loops_wanted : LOOPS_MOST;
    if (loop_count > count)
        loop_count = count;
    for (size_t k = 0; k < loop_count; k++) {
        loops[k] = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                                 .first = count * k / loop_count,
                                 .end = count * (k + 1) / loop_count};
        if (loops[k].epoll_fd < 0)
            load_die("epoll");
    }
    mine = &loops[0];
}

static void open_next(const char *role, size_t all)
{
    char name[64];
    name_node(name, sizeof name, role, member_count, all);
    open_node(&members[member_count], name);
    if (!threaded)
        watch(member_count);
    member_count++;
}

static void open_all(const char *role, size_t count)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    prepare(count, threaded || processors < 1 ? 1 : (size_t)processors);
    while (member_count < count)
        open_next(role, count);
}

/* ---- Running */

static void process(struct bench_node *m)
{
    if (zs_node_process(m->node) != ZS_OK)
        load_die("the node has stopped");
    ask_timeout(m);
}

static uint64_t run_due(void)
{
    uint64_t earliest = UINT64_MAX, now = load_now_ns();
    for (size_t i = mine->first; i < mine->end && i < member_count; i++) {
        if (members[i].due_ns <= now)
            process(&members[i]);
        if (members[i].due_ns < earliest)
            earliest = members[i].due_ns;
    }
    return earliest;
}

static void wait_for_one(struct bench_node *m, int timeout_ms)
{
    struct pollfd fd = {.fd = zs_node_fd(m->node), .events = POLLIN};
    if (poll(&fd, 1, timeout_ms) > 0)
        process(m);
}

static void wait_for_many(int timeout_ms)
{
    struct epoll_event events[64];
    int count = epoll_wait(mine->epoll_fd, events, 64, timeout_ms);
    for (int i = 0; i < count; i++)
        process(&members[events[i].data.u64]);
}

static void poll_loop(int timeout_ms)
{
    unsigned long before = mine->handed;
    if (mine->unsent && mine == &loops[0])
        process(&members[0]); /* sends the new messages now */
    mine->unsent = false;
    uint64_t earliest = run_due(), now = load_now_ns();
    if (mine->handed != before)
        timeout_ms = 0;
    if (earliest <= now)
        timeout_ms = 0;
    else if (earliest - now < (uint64_t)timeout_ms * 1000000)
        timeout_ms = (int)((earliest - now + 999999) / 1000000);
    if (mine->end - mine->first == 1)
        wait_for_one(&members[mine->first], timeout_ms);
    else
        wait_for_many(timeout_ms);
}

static void *run_loop(void *loop)
{
    mine = loop;
    for (;;)
        poll_loop(1000);
    return NULL;
}

/* The main thread runs the first loop. The threads end with the process. */
static void start_loops(void)
{
    pthread_t thread;
    for (size_t k = 1; k < loop_count; k++)
        if (pthread_create(&thread, NULL, run_loop, &loops[k]) != 0)
            load_die("no thread");
}

void link_poll(int timeout_ms)
{
    if (threaded)
        load_news_wait(&news, timeout_ms);
    else
        poll_loop(timeout_ms);
}

/* ---- The link */

/* Takes long in a mesh of a thousand: each node checks the signatures of all
 * others. */
static void wait_for_peers(void)
{
    uint64_t end = load_now_ns() + PATIENCE_S * 1000000000ULL;
    while (__atomic_load_n(&reached, __ATOMIC_SEQ_CST) < load.peers) {
        if (load_now_ns() > end)
            load_die("%ld of %ld peers in %d s", reached, load.peers,
                     PATIENCE_S);
        link_poll(10);
    }
}

void link_open(load_message *on_message)
{
    bool left = load_is_left();
    took = on_message;
    threaded = strcmp(load.form, "thread") == 0;
    if (!left || !load_is("fan"))
        name_node(to, sizeof to, left ? "dst" : "src", 0, 1);
    open_all(left ? "src" : "dst", left ? 1 : (size_t)load.receivers);
    start_loops();
    if (left)
        wait_for_peers();
}

static enum zs_error try_send(const void *data, size_t size)
{
    struct zs_data d = zs_bytes(data, size);
    if (mine != NULL)
        mine->unsent = true;
    return to[0] != '\0'
               ? zs_send(members[0].node, to, "bench", d, NULL, NULL)
               : zs_publish(members[0].node, NULL, "bench", d, NULL, NULL);
}

void link_send(const void *data, size_t size)
{
    enum zs_error error;
    while ((error = try_send(data, size)) == ZS_BUSY)
        link_poll(10);
    if (error != ZS_OK)
        load_die("send: %s", zs_error_text(error));
}

void link_close(void)
{
    _exit(0); /* without the time of closing a hundred nodes */
}

/* ---- Idle */

/* Idle nodes join one after the other: each has a few seconds to send a valid
 * HELLO, and hundreds at once would delay each other beyond that. */
static void wait_until_met(const struct bench_node *m)
{
    uint64_t end =
        load_now_ns() + 2ULL * 1000000000; /* the first node has no peer */
    while (!m->met && load_now_ns() < end)
        poll_loop(10);
}

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

bool link_role(void)
{
    if (strcmp(load.role, "idle") != 0)
        return false;
    signal(SIGTERM, on_signal);
    prepare((size_t)load.receivers, 1);
    for (size_t i = 0; i < (size_t)load.receivers; i++) {
        open_next("idle", (size_t)load.receivers);
        wait_until_met(&members[i]);
    }
    wait_for_peers();
    load_say("READY");
    while (!stop)
        poll_loop(1000);
    return true;
}
