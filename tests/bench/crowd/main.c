/*
 * bench_crowd - light edges at one relay; see crowd.h.
 *
 *     bench_crowd idle|pairs|fan-in|handshakes --relay URL --mesh FOLDER...
 *                 --edges N [--KEY VALUE]...
 *
 * It prints READY once each edge knows all peers that it should, DOWN when the
 * first of them does not any more, BACK when all do again; each with KEY=NUMBER
 * of what was counted until then. After SIGUSR1 it sends no new message, waits
 * until the last one is settled, and prints RESULT. SIGTERM ends it.
 */
#include "tests/bench/crowd/crowd.h"

#include "common/base/memory.h"
#include "common/io/clock.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MESHES_MOST = 1000, EVENTS = 512 };

static struct light_crowd crowd = {
    .options = {.at_once = 500,
                .size = 1024,
                .every = {1000 * 1000},
                .probe = {1000 * 1000},
                .lost_after = {3000 * 1000}},
};
static struct crowd_mesh meshes[MESHES_MOST];
static volatile sig_atomic_t told_to_stop;

void crowd_die(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    fputs("bench_crowd: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    _exit(1);
}

/* ---- Options */

static void add_mesh(const char *folder)
{
    struct crowd_mesh *m = &meshes[crowd.mesh_count++];
    uint8_t hash_key[16];
    char path[4096];

    if (crowd.mesh_count > MESHES_MOST)
        crowd_die("%d meshes are the most", MESHES_MOST);
    snprintf(path, sizeof path, "%s/mesh.key", folder);
    if (!mesh_key_load(path, &m->key, stderr))
        crowd_die("no key of a mesh");
    mesh_keys_derive(&m->keys, &m->key.secret);
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&m->nodes, KEY_SIZE, hash_key);
}

static bool take_number(const char *key, const char *value)
{
    struct crowd_options *o = &crowd.options;
    unsigned long number = strtoul(value, NULL, 10);
    const struct {
        const char *key;
        size_t *size;
        struct span *ms;
    } numbers[] = {
        {"--edges", &o->edges, NULL},    {"--first", &o->first, NULL},
        {"--all", &o->all, NULL},        {"--pairs", &o->pairs, NULL},
        {"--peers", &o->peers, NULL},    {"--at-once", &o->at_once, NULL},
        {"--size", &o->size, NULL},      {"--every-ms", NULL, &o->every},
        {"--probe-ms", NULL, &o->probe}, {"--lost-ms", NULL, &o->lost_after},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(key, numbers[i].key) != 0)
            continue;
        if (numbers[i].size != NULL)
            *numbers[i].size = number;
        else
            *numbers[i].ms = span_ms((int64_t)number);
        return true;
    }
    return false;
}

static void take_option(const char *key, const char *value)
{
    const char *wrong = NULL;

    if (strcmp(key, "--relay") == 0)
        wrong = relay_url_parse(value, &crowd.options.relay);
    else if (strcmp(key, "--mesh") == 0)
        add_mesh(value);
    else if (strcmp(key, "--to") == 0)
        sodium_hex2bin(crowd.options.to.key, KEY_SIZE, value, strlen(value),
                       NULL, NULL, NULL);
    else if (!take_number(key, value))
        wrong = "is not known";
    if (wrong != NULL)
        crowd_die("%s: %s", key, wrong);
}

static void take_role(const char *name)
{
    static const char *const roles[] = {[CROWD_IDLE] = "idle",
                                        [CROWD_PAIRS] = "pairs",
                                        [CROWD_FAN_IN] = "fan-in",
                                        [CROWD_HANDSHAKES] = "handshakes"};

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(name, roles[i]) == 0) {
            crowd.options.role = (enum crowd_role)i;
            return;
        }
    }
    crowd_die("there is no role %s", name);
}

static void check_options(void)
{
    struct crowd_options *o = &crowd.options;

    if (o->all == 0)
        o->all = o->first + o->edges;
    if (o->edges == 0 || crowd.mesh_count == 0 || o->relay.port == 0)
        crowd_die("--edges, --mesh and --relay are needed");
    if (o->all % crowd.mesh_count != 0)
        crowd_die("the meshes cannot be of one size");
    if (o->role == CROWD_PAIRS && o->all / crowd.mesh_count % 2 != 0)
        crowd_die("a pair would be in two meshes");
    if (o->size < 16)
        crowd_die("a message has 16 bytes at least");
}

/* ---- What is told */

static unsigned long cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (unsigned long)t.tv_sec * 1000000 + (unsigned long)t.tv_nsec / 1000;
}

static void tell(const char *word, struct instant since)
{
    const struct crowd_counts *n = &crowd.counts;

    printf("%s edges=%zu us=%ld cpu_us=%lu bytes_in=%lu bytes_out=%lu "
           "ended=%lu refused=%lu sent=%lu delivered=%lu undelivered=%lu "
           "had=%lu lost=%lu doubled=%lu open=%zu\n",
           word, crowd.up, (long)instant_between(since, crowd.now).us, cpu_us(),
           n->bytes_in, n->bytes_out, n->ended, n->refused, n->sent,
           n->delivered, n->undelivered, n->had, n->lost, n->doubled,
           crowd.open);
    fflush(stdout);
}

/* ---- The loop */

static void on_stop(int signal)
{
    (void)signal;
    told_to_stop = 1;
}

static void raise_files(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    struct instant due = heap_deadline(&crowd.timers);
    int64_t wait = instant_is_never(due)
                       ? 1000
                       : (instant_between(crowd.now, due).us + 999) / 1000;
    int count = epoll_wait(crowd.epoll_fd, events, EVENTS,
                           wait < 0      ? 0
                           : wait > 1000 ? 1000
                                         : (int)wait);
    struct timer *timer;

    crowd.now = clock_now();
    for (int i = 0; i < count; i++)
        light_ready(events[i].data.ptr, events[i].events);
    for (int i = 0; i < EVENTS; i++) {
        if ((timer = heap_due(&crowd.timers, crowd.now)) == NULL)
            break;
        light_due(timer->owner);
    }
}

static void run(void)
{
    struct instant since = crowd.now;
    bool ready = false, whole = false, told = false;

    for (;;) {
        turn();
        bool now_whole = crowd.up == crowd.options.edges;
        if (now_whole && !whole)
            tell(ready ? "BACK" : "READY", since);
        ready |= now_whole;
        if (whole && !now_whole) {
            since = crowd.now;
            tell("DOWN", since);
        }
        whole = now_whole;
        crowd.stopping = told_to_stop;
        if (crowd.stopping && crowd.open == 0 && !told) {
            tell("RESULT", since);
            told = true;
        }
    }
}

static void prepare(void)
{
    uint8_t seed[32];

    randombytes_buf(seed, sizeof seed);
    entropy_init(&crowd.entropy, seed);
    crowd.meshes = meshes;
    crowd.now = clock_now();
    crowd.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    crowd.edges = memory_new(crowd.options.edges * sizeof *crowd.edges);
    for (size_t i = 0; i < crowd.options.edges; i++)
        light_init(&crowd.edges[i], &crowd, crowd.options.first + i);
    crowd.now = clock_now();
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc % 2 != 0 || sodium_init() < 0)
        crowd_die("bench_crowd ROLE [--KEY VALUE]...");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGUSR1, on_stop);
    raise_files();
    take_role(argv[1]);
    for (int i = 2; i + 1 < argc; i += 2)
        take_option(argv[i], argv[i + 1]);
    check_options();
    prepare();
    run();
}
