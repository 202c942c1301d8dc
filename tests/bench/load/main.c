#include "tests/bench/load/load.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct load load = {
    .mode = "relay",
    .form = "loop",
    .proxy = "none",
    .url = "",
    .interface = "lo",
    .receivers = 1,
    .peers = 1,
    .size = LOAD_SMALLEST,
    .most = 4096,
    .seconds = 1,
};

static const struct {
    const char *name;
    const char **text;
    long *number;
} keys[] = {
    {"--mode", &load.mode, NULL},
    {"--form", &load.form, NULL},
    {"--mesh", &load.mesh, NULL},
    {"--relay", &load.relay, NULL},
    {"--proxy", &load.proxy, NULL},
    {"--url", &load.url, NULL},
    {"--ca", &load.ca, NULL},
    {"--key", &load.key, NULL},
    {"--own", &load.own, NULL},
    {"--gossip", &load.gossip, NULL},
    {"--interface", &load.interface, NULL},
    {"--receivers", NULL, &load.receivers},
    {"--peers", NULL, &load.peers},
    {"--first", NULL, &load.first},
    {"--pair", NULL, &load.pair},
    {"--size", NULL, &load.size},
    {"--window", NULL, &load.window},
    {"--most", NULL, &load.most},
    {"--rate", NULL, &load.rate},
};

bool load_is(const char *mode)
{
    return strcmp(load.mode, mode) == 0;
}

bool load_is_left(void)
{
    return strcmp(load.role, "source") == 0 || strcmp(load.role, "ping") == 0 ||
           strcmp(load.role, "pace") == 0;
}

uint64_t load_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void load_say(const char *word)
{
    puts(word);
    fflush(stdout);
}

void load_die(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s: ", load.role ? load.role : "bench");
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    _exit(1);
}

static void take_option(const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        if (keys[i].text != NULL)
            *keys[i].text = value;
        else
            *keys[i].number = strtol(value, NULL, 10);
        return;
    }
    if (strcmp(name, "--seconds") != 0)
        load_die("what is %s?", name);
    load.seconds = strtod(value, NULL);
}

/* Chooses the most messages in flight that the library takes without losing
 * one. */
static void choose_window(void)
{
    const long bytes = 8 << 20, fewest = 8;
    if (load.window == 0)
        load.window = bytes / load.size;
    if (load.window > load.most)
        load.window = load.most;
    if (load.window < fewest)
        load.window = fewest;
}

static void run_role(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } roles[] = {{"source", role_source}, {"sink", role_sink},
                 {"ping", role_ping},     {"pong", role_pong},
                 {"pace", role_pace},     {"watch", role_watch}};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(load.role, roles[i].name) == 0) {
            roles[i].run();
            return;
        }
    }
    load_die("no such role");
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc % 2 != 0) {
        fprintf(stderr, "usage: %s ROLE [--KEY VALUE]...\n", argv[0]);
        return 2;
    }
    load.role = argv[1];
    for (int i = 2; i + 1 < argc; i += 2)
        take_option(argv[i], argv[i + 1]);
    if (load.size < LOAD_SMALLEST || load.receivers < 1)
        load_die("a size is %d or more, and there is a receiver",
                 LOAD_SMALLEST);
    choose_window();
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives the runner */
    if (!link_role())
        run_role();
    fflush(stdout);
    return 0;
}
