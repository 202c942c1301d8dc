/*
 * bench_herd - real nodes at one relay, many in one process, as one loop runs
 * them; beside the light edges of bench_crowd.
 *
 *     bench_herd --relay URL --mesh FOLDER --name NAME --nodes N [--first K]
 *                [--peers N] [--most-peers N] [--collect FILE --senders N]
 *
 * Their identities are FOLDER/NAME-K.zs and on. It prints READY once each of
 * them is connected and knows so many peers, DOWN when the first of them is not
 * any more, BACK when all are again, with the processor time used until then.
 *
 * With --collect, the nodes check the messages of bench_crowd's light edges.
 * What came stands in FILE, in memory that the process shares with it: it
 * survives SIGKILL, and the next process continues it. SIGTERM prints RESULT.
 */
#include "tests/bench/herd/tally.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zeroservices.h>

struct herd_node {
    struct zs_node *node;
    uint64_t due_ns; /* when it must run, even if nothing comes */
    long peers;      /* that are present */
    bool up;         /* the relay is connected */
};

static struct {
    const char *relay, *mesh, *name, *collect;
    long nodes, first, peers, most_peers, senders;
} asked = {.name = "herd", .nodes = 1, .most_peers = 1024};

static struct herd_node *nodes;
static long complete; /* nodes that know all peers that they should */
static struct sender_tally *tallies;
static int epoll_fd;
static volatile sig_atomic_t stop;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_herd: %s: %s\n", what, why);
    _exit(1);
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- Callbacks */

static bool is_complete(const struct herd_node *n)
{
    return n->up && n->peers >= asked.peers;
}

static void count(struct herd_node *n, long more)
{
    complete -= is_complete(n);
    n->peers += more;
    complete += is_complete(n);
}

static void on_log(void *context, enum zs_level level, const char *event,
                   const char *details)
{
    struct herd_node *n = context;

    (void)level, (void)details;
    complete -= is_complete(n);
    if (strcmp(event, "relay_up") == 0)
        n->up = true;
    else if (strcmp(event, "relay_connecting") == 0 ||
             strcmp(event, "relay_down") == 0)
        n->up = false;
    complete += is_complete(n);
}

static void on_new_node(void *context, struct zs_node *node,
                        const struct zs_peer *peer)
{
    (void)node, (void)peer;
    count(context, 1);
}

static void on_node_close(void *context, struct zs_node *node,
                          const struct zs_peer *peer, enum zs_reason reason)
{
    (void)node, (void)peer, (void)reason;
    count(context, -1);
}

static void on_message(void *context, const struct zs_message *m)
{
    const char *dash = strrchr(m->name, '-');
    long sender = dash != NULL ? strtol(dash + 1, NULL, 10) : -1;

    (void)context;
    if (tallies != NULL && sender >= 0 && sender < asked.senders)
        tally_take(&tallies[sender], m->data.bytes, m->data.size);
}

/* ---- Nodes */

static void set(struct zs_options *o, const char *key, const char *value)
{
    if (zs_options_set(o, key, value) != ZS_OK)
        die(key, zs_options_error(o));
}

static void ask_timeout(struct herd_node *n)
{
    int ms = zs_node_timeout(n->node);

    n->due_ns =
        ms < 0 ? UINT64_MAX : now_ns(CLOCK_MONOTONIC) + (uint64_t)ms * 1000000;
}

static void open_node(struct herd_node *n, long number)
{
    struct zs_callbacks on = {.context = n,
                              .on_new_node = on_new_node,
                              .on_node_close = on_node_close,
                              .on_message = on_message,
                              .on_log = on_log};
    struct zs_options *o = zs_options_new();
    char identity[PATH_MAX], most[24];
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = n};

    snprintf(identity, sizeof identity, "%s/%s-%ld.zs", asked.mesh, asked.name,
             number);
    snprintf(most, sizeof most, "%ld", asked.most_peers);
    set(o, "node.identity", identity);
    set(o, "relays", asked.relay);
    set(o, "discovery.multicast", "false");
    set(o, "paths.tcp", "false");
    set(o, "paths.udp", "false");
    set(o, "limits.peers", most);
    if (zs_node_open(&n->node, o, &on) != ZS_OK)
        die(identity, zs_options_error(o));
    zs_options_free(&o);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, zs_node_fd(n->node), &e) != 0)
        die(identity, "epoll");
    ask_timeout(n);
}

static void process(struct herd_node *n)
{
    if (zs_node_process(n->node) != ZS_OK)
        die("a node", "has stopped");
    ask_timeout(n);
}

static void turn(void)
{
    struct epoll_event events[64];
    uint64_t now = now_ns(CLOCK_MONOTONIC), earliest = now + 1000000000;

    for (long i = 0; i < asked.nodes; i++) {
        if (nodes[i].due_ns <= now)
            process(&nodes[i]);
        if (nodes[i].due_ns < earliest)
            earliest = nodes[i].due_ns;
    }
    now = now_ns(CLOCK_MONOTONIC);
    int ms = earliest > now ? (int)((earliest - now + 999999) / 1000000) : 0;
    int ready = epoll_wait(epoll_fd, events, 64, ms);
    for (int i = 0; i < ready; i++)
        process(events[i].data.ptr);
}

/* ---- The program */

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

static void take_option(const char *key, const char *value)
{
    const struct {
        const char *key, **text;
        long *number;
    } options[] = {
        {"--relay", &asked.relay, NULL},
        {"--mesh", &asked.mesh, NULL},
        {"--name", &asked.name, NULL},
        {"--collect", &asked.collect, NULL},
        {"--nodes", NULL, &asked.nodes},
        {"--first", NULL, &asked.first},
        {"--peers", NULL, &asked.peers},
        {"--most-peers", NULL, &asked.most_peers},
        {"--senders", NULL, &asked.senders},
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(key, options[i].key) != 0)
            continue;
        if (options[i].text != NULL)
            *options[i].text = value;
        else
            *options[i].number = strtol(value, NULL, 10);
        return;
    }
    die(key, "is not known");
}

static void open_tallies(void)
{
    size_t size = (size_t)asked.senders * sizeof *tallies;
    int file = open(asked.collect, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (file < 0 || ftruncate(file, (off_t)size) != 0)
        die(asked.collect, "cannot be written");
    tallies = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (tallies == MAP_FAILED)
        die(asked.collect, "no memory");
    close(file);
}

static void tell(const char *word, uint64_t since)
{
    printf("%s nodes=%ld us=%lu cpu_us=%lu\n", word, complete,
           (now_ns(CLOCK_MONOTONIC) - since) / 1000,
           now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000);
    fflush(stdout);
}

static void run(void)
{
    uint64_t since = now_ns(CLOCK_MONOTONIC);
    bool ready = false, whole = false;

    while (!stop) {
        turn();
        bool now_whole = complete == asked.nodes;
        if (now_whole && !whole)
            tell(ready ? "BACK" : "READY", since);
        ready |= now_whole;
        if (whole && !now_whole) {
            since = now_ns(CLOCK_MONOTONIC);
            tell("DOWN", since);
        }
        whole = now_whole;
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;

    for (int i = 1; i + 1 < argc; i += 2)
        take_option(argv[i], argv[i + 1]);
    if (argc % 2 == 0 || asked.mesh == NULL || asked.relay == NULL)
        die("--mesh and --relay", "are needed");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGTERM, on_signal);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    nodes = calloc((size_t)asked.nodes, sizeof *nodes);
    if (nodes == NULL || epoll_fd < 0)
        die("nodes", "no memory");
    if (asked.collect != NULL)
        open_tallies();
    for (long i = 0; i < asked.nodes; i++)
        open_node(&nodes[i], asked.first + i);
    run();
    if (tallies != NULL)
        tally_print(tallies, (size_t)asked.senders);
    _exit(0); /* without the time of closing each node */
}
