/*
 * wire - carries IP packets between two network namespaces, as a VPN does, and
 * delays, drops or blocks them as commanded.
 *
 *     wire NETNS_A DEV_A NETNS_B DEV_B [COMMAND]...
 *
 * makes a TUN device in each of the namespaces (files, as /run/netns/NAME) and
 * moves packets between the two. Commands are taken from the command line at
 * the start, and from standard input later, a line each:
 *
 *     delay MS      each way
 *     loss PERCENT  each way, by chance (the seed is fixed)
 *     rate MBIT     each way, 0: no limit
 *     queue BYTES   that may wait for the rate; more is dropped
 *     cut [a|b]     nothing passes; or nothing that comes from a, or from b
 *     mend          everything passes again
 *     mtu BYTES     what is larger vanishes without a word, 0: nothing is
 *     multicast on|off   off at the start: a VPN without it
 *     stats         prints a line for each direction
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PACKET_MAX = 65536, BACKLOG_MAX = 1 << 16 };

struct delayed_packet {
    uint64_t due_us;
    size_t size;
    struct delayed_packet *next;
    uint8_t bytes[];
};

struct wire_way {
    const char *name;
    int from;
    int to;
    bool cut;
    struct delayed_packet *first;
    struct delayed_packet **last;
    size_t held;
    uint64_t free_at_us; /* when the line will have sent all its packets */
    uint64_t passed, lost, overflowed, blocked;
};

static struct {
    uint64_t delay_us;
    double loss; /* 0 to 1 */
    double bytes_per_us;
    size_t queue_bytes;
    size_t mtu; /* 0: none */
    bool multicast;
} settings = {.queue_bytes = 256 * 1024};

static uint64_t random_state = 88172645463325252U;

static double random_unit(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "wire: %s %s: %s\n", what, which, strerror(errno));
    exit(1);
}

/* A TUN device belongs to the namespace in which its file was opened. */
static int tun_open(const char *netns, const char *name)
{
    int ns = open(netns, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
        fail("cannot enter", netns);
    close(ns);

    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        fail("cannot make", name);
    return fd;
}

static bool is_multicast(const uint8_t *packet, size_t size)
{
    if (size >= 20 && packet[0] >> 4 == 4)
        return packet[16] >> 4 == 0xe;
    return size >= 40 && packet[0] >> 4 == 6 && packet[24] == 0xff;
}

static bool is_blocked(const struct wire_way *w, const uint8_t *packet,
                       size_t size)
{
    return w->cut || (settings.mtu > 0 && size > settings.mtu) ||
           (!settings.multicast && is_multicast(packet, size));
}

/* When the line will have sent this packet; 0 if the queue is full. */
static uint64_t sent_at(struct wire_way *w, size_t size, uint64_t now)
{
    if (settings.bytes_per_us <= 0)
        return now;
    if (w->free_at_us < now)
        w->free_at_us = now;
    double waiting = (double)(w->free_at_us - now) * settings.bytes_per_us;
    if (waiting > (double)settings.queue_bytes)
        return 0;
    w->free_at_us += (uint64_t)((double)size / settings.bytes_per_us);
    return w->free_at_us;
}

static void hold(struct wire_way *w, const uint8_t *packet, size_t size,
                 uint64_t due_us)
{
    struct delayed_packet *h = malloc(sizeof *h + size);
    if (!h)
        fail("cannot hold", "a packet");
    *h = (struct delayed_packet){.due_us = due_us, .size = size};
    memcpy(h->bytes, packet, size);
    *w->last = h;
    w->last = &h->next;
    w->held++;
}

static void take(struct wire_way *w, const uint8_t *packet, size_t size,
                 uint64_t now)
{
    if (is_blocked(w, packet, size)) {
        w->blocked++;
        return;
    }
    if (settings.loss > 0 && random_unit() < settings.loss) {
        w->lost++;
        return;
    }
    uint64_t at = w->held < BACKLOG_MAX ? sent_at(w, size, now) : 0;
    if (at == 0)
        w->overflowed++;
    else
        hold(w, packet, size, at + settings.delay_us);
}

static void read_all(struct wire_way *w)
{
    static uint8_t packet[PACKET_MAX];
    for (int i = 0; i < 64; i++) { /* Then it is the other direction's turn. */
        ssize_t n = read(w->from, packet, sizeof packet);
        if (n <= 0)
            return;
        take(w, packet, (size_t)n, now_us());
    }
}

static void write_due(struct wire_way *w, uint64_t now)
{
    while (w->first && w->first->due_us <= now) {
        struct delayed_packet *h = w->first;
        if (write(w->to, h->bytes, h->size) == (ssize_t)h->size)
            w->passed++;
        else
            w->lost++;
        w->first = h->next;
        if (!w->first)
            w->last = &w->first;
        w->held--;
        free(h);
    }
}

static void show(const struct wire_way *w)
{
    fprintf(stderr,
            "wire %s passed=%llu lost=%llu overflowed=%llu blocked=%llu"
            " held=%zu\n",
            w->name, (unsigned long long)w->passed, (unsigned long long)w->lost,
            (unsigned long long)w->overflowed, (unsigned long long)w->blocked,
            w->held);
}

static bool obey(char *line, struct wire_way ways[2])
{
    char word[16] = "", value[32] = "";
    sscanf(line, "%15s %31s", word, value);
    if (strcmp(word, "delay") == 0)
        settings.delay_us = (uint64_t)(atof(value) * 1000);
    else if (strcmp(word, "loss") == 0)
        settings.loss = atof(value) / 100;
    else if (strcmp(word, "rate") == 0)
        settings.bytes_per_us = atof(value) / 8; /* Mbit/s is bit/us */
    else if (strcmp(word, "queue") == 0)
        settings.queue_bytes = (size_t)strtoul(value, NULL, 10);
    else if (strcmp(word, "mtu") == 0)
        settings.mtu = (size_t)strtoul(value, NULL, 10);
    else if (strcmp(word, "multicast") == 0)
        settings.multicast = strcmp(value, "on") == 0;
    else if (strcmp(word, "mend") == 0)
        ways[0].cut = ways[1].cut = false;
    else if (strcmp(word, "cut") == 0) {
        ways[0].cut |= strcmp(value, "b") != 0;
        ways[1].cut |= strcmp(value, "a") != 0;
    } else if (strcmp(word, "stats") == 0) {
        show(&ways[0]);
        show(&ways[1]);
    } else
        return false;
    return true;
}

/* False at the end of standard input. */
static bool read_commands(struct wire_way ways[2])
{
    static char text[4096];
    static size_t used;

    ssize_t n = read(STDIN_FILENO, text + used, sizeof text - 1 - used);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    used += (size_t)n;
    text[used] = '\0';

    char *line = text;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (!obey(line, ways))
            fprintf(stderr, "wire: not understood: %s\n", line);
    }
    used = strlen(line);
    memmove(text, line, used + 1);
    if (used == sizeof text - 1)
        used = 0; /* Too long for a command. */
    return true;
}

static struct timespec until_due(const struct wire_way ways[2])
{
    uint64_t now = now_us(), next = now + 1000000;
    for (int i = 0; i < 2; i++)
        if (ways[i].first && ways[i].first->due_us < next)
            next = ways[i].first->due_us;
    uint64_t wait = next > now ? next - now : 0;
    return (struct timespec){.tv_sec = (time_t)(wait / 1000000),
                             .tv_nsec = (long)(wait % 1000000 * 1000)};
}

static void carry(struct wire_way ways[2])
{
    struct pollfd polled[] = {
        {.fd = ways[0].from, .events = POLLIN},
        {.fd = ways[1].from, .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
    };
    for (;;) {
        struct timespec wait = until_due(ways);
        if (ppoll(polled, 3, &wait, NULL) < 0 && errno != EINTR)
            fail("cannot", "poll");
        for (int i = 0; i < 2; i++) {
            if (polled[i].revents & (POLLERR | POLLHUP | POLLNVAL))
                return; /* The device is gone. */
            if (polled[i].revents)
                read_all(&ways[i]);
            write_due(&ways[i], now_us());
        }
        if (polled[2].revents && !read_commands(ways))
            polled[2].fd = -1; /* No more commands will come. */
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: wire NETNS_A DEV_A NETNS_B DEV_B"
                        " [COMMAND]...\n");
        return 2;
    }
    int a = tun_open(argv[1], argv[2]), b = tun_open(argv[3], argv[4]);
    struct wire_way ways[2] = {{.name = "a-to-b", .from = a, .to = b},
                               {.name = "b-to-a", .from = b, .to = a}};
    ways[0].last = &ways[0].first;
    ways[1].last = &ways[1].first;
    for (int i = 5; i < argc; i++)
        if (!obey(argv[i], ways)) {
            fprintf(stderr, "wire: not understood: %s\n", argv[i]);
            return 2;
        }
    carry(ways);
}
