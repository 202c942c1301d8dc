/*
 * witness - measures the traffic of two innocent edges during an attack, and
 * what the attack costs its victim.
 *
 *     witness SOCKET_A NAME_A SOCKET_B NAME_B [--rate N] [--victim PID]
 *
 * A and B send each other N numbered messages a second. Besides, witness
 * exchanges bytes with a bare process over a pair of sockets, and so knows how
 * late the machine itself is. It obeys lines on standard input:
 *
 *     window NAME   ends the window before it and prints it: messages received
 *                   a second (the slower way), how long they took (p50, p99,
 *                   max), how long until `send` was answered (ack), the same
 *                   of the bare exchange, how many processes ran or wanted to,
 *                   the victim's memory, descriptors and processor; then begins
 * another of that name end           stops, waits for what is under way (10 s
 * at the most) and prints whether each came once and in order
 *
 * A message that was sent and has not come counts in a window with its age, so
 * that a victim that hangs does not look fast.
 */
#include "tests/net/client.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    AHEAD = 1 << 14, /* messages under way, at most */
    SAMPLES = 1 << 16,
    BARE_EVERY_US = 5000,
    LOOK_EVERY_US = 50000,
    DRAIN_US = 10 * 1000 * 1000,
};

/* --- samples of one window -------------------------------------------------
 */

struct witness_times {
    uint32_t us[SAMPLES];
    size_t count;
};

static void sample(struct witness_times *s, uint64_t us)
{
    if (s->count < SAMPLES)
        s->us[s->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* In milliseconds; the samples are sorted. */
static double share_ms(const struct witness_times *s, size_t permille)
{
    size_t place = s->count == 0 ? 0 : (s->count - 1) * permille / 1000;
    return s->count == 0 ? 0 : s->us[place] / 1e3;
}

static void sort(struct witness_times *s)
{
    qsort(s->us, s->count, sizeof *s->us, compare);
}

/* --- one way ---------------------------------------------------------------
 */

struct witness_way {
    const char *to, *from;     /* names */
    struct api_connection *at; /* the sender's */
    uint64_t next;             /* number to send, from 1 */
    uint64_t sent_us[AHEAD];
    uint64_t expected; /* number to come */
    uint64_t answered; /* all up to this number are */
    bool answer_came[AHEAD];
    uint64_t received, doubled, late, failed;
    uint64_t in_window;
    char first_error[160];
};

struct witness {
    struct api_connection clients[2];
    struct witness_way ways[2];
    struct witness_times taken, acks, bare;
    uint64_t rate, begun_us;
    char window[40];
    uint64_t window_us;
    bool synced[2], ending;

    int bare_fd;
    uint64_t bare_sent_us, bare_next_us;

    uint64_t running, running_looks;

    long victim;
    uint64_t look_us, ticks;
    long files; /* the maximum in the window */
    bool gone;
};

/* Begins to send once both have subscribed: earlier messages would be lost. */
static bool begins(struct witness *w, uint64_t now)
{
    if (w->begun_us == 0 && w->synced[0] && w->synced[1])
        w->begun_us = now;
    return w->begun_us != 0;
}

static void send_due(struct witness *w, struct witness_way *way, uint64_t now)
{
    if (!begins(w, now))
        return;
    uint64_t due = 1 + (now - w->begun_us) * w->rate / 1000000;
    while (!w->ending && way->next <= due &&
           way->next - way->answered < AHEAD / 2) {
        uint64_t n = way->next++;
        way->sent_us[n % AHEAD] = now;
        way->answer_came[n % AHEAD] = false;
        client_say(way->at,
                   "{\"op\":\"send\",\"ref\":%" PRIu64 ",\"to\":\"%s\","
                   "\"type\":\"witness\",\"data\":\"%" PRIu64 "\"}\n",
                   n, way->to, n);
    }
}

static void take_answer(struct witness *w, struct witness_way *way,
                        const char *line, uint64_t now)
{
    uint64_t n = member_number(line, "ref");
    const char *ok = member(line, "ok");
    if (n == 0 || n >= way->next || n <= way->answered)
        return;
    if (ok && strncmp(ok, "true", 4) == 0) {
        sample(&w->acks, now - way->sent_us[n % AHEAD]);
    } else {
        way->failed++;
        if (!way->first_error[0])
            snprintf(way->first_error, sizeof way->first_error, "%s", line);
    }
    way->answer_came[n % AHEAD] = true;
    while (way->answered + 1 < way->next &&
           way->answer_came[(way->answered + 1) % AHEAD])
        way->answered++;
}

static void take_message(struct witness *w, struct witness_way *way,
                         const char *line, uint64_t now)
{
    const char *data = member(line, "data");
    uint64_t n = data ? strtoull(data + 1, NULL, 10) : 0;
    if (n == 0 || n >= way->next)
        return;
    if (n < way->expected) {
        way->doubled++;
        return;
    }
    if (n > way->expected) {
        way->late++;
        fprintf(stderr, "%s-%s: %" PRIu64 " came before %" PRIu64 "\n",
                way->from, way->to, n, way->expected);
    }
    way->expected = n + 1;
    way->received++;
    way->in_window++;
    sample(&w->taken, now - way->sent_us[n % AHEAD]);
}

static void take_lines(struct witness *w, size_t i)
{
    uint64_t now = now_us();
    const char *line;
    while ((line = client_line(&w->clients[i]))) {
        if (member_is(line, "event", "synced"))
            w->synced[i] = true;
        else if (member_is(line, "event", "message") &&
                 member_is(line, "type", "witness"))
            take_message(w, &w->ways[1 - i], line, now);
        else if (!member(line, "event"))
            take_answer(w, &w->ways[i], line, now);
    }
}

/* --- the machine itself ----------------------------------------------------
 */

/* Starts a process that sends back each byte. */
static int bare_open(void)
{
    int pair[2];
    char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        fail("no pair of sockets");
    if (fork() == 0) {
        close(pair[0]);
        while (read(pair[1], &byte, 1) == 1 && write(pair[1], &byte, 1) == 1)
            ;
        _exit(0);
    }
    close(pair[1]);
    return pair[0];
}

static void bare_turn(struct witness *w, uint64_t now)
{
    char byte = 0;
    if (w->bare_sent_us && recv(w->bare_fd, &byte, 1, MSG_DONTWAIT) == 1) {
        sample(&w->bare, now - w->bare_sent_us);
        w->bare_sent_us = 0;
    }
    if (w->bare_sent_us || now < w->bare_next_us)
        return;
    w->bare_next_us = now + BARE_EVERY_US;
    w->bare_sent_us = now;
    if (write(w->bare_fd, &byte, 1) != 1)
        fail("the bare process is gone");
}

/* Counts the running processes of the whole machine, without this one. */
static void count_running(struct witness *w)
{
    char line[128];
    FILE *f = fopen("/proc/loadavg", "r");
    if (f && fgets(line, sizeof line, f)) {
        const char *slash = strchr(line, '/');
        while (slash && slash > line && slash[-1] != ' ')
            slash--;
        uint64_t all = slash ? strtoull(slash, NULL, 10) : 0;
        w->running += all > 0 ? all - 1 : 0;
        w->running_looks++;
    }
    if (f)
        fclose(f);
}

/* --- the victim ------------------------------------------------------------
 */

static FILE *victim_file(const struct witness *w, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", w->victim, name);
    return fopen(path, "r");
}

/* VmRSS is the present memory, VmHWM the maximum since victim_peak_reset. */
static long victim_kb(struct witness *w, const char *name)
{
    char line[256];
    long kb = 0;
    FILE *f = victim_file(w, "status");
    w->gone |= w->victim != 0 && f == NULL;
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtol(line + strlen(name) + 1, NULL, 10);
    if (f)
        fclose(f);
    return kb;
}

static void victim_peak_reset(const struct witness *w)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/clear_refs", w->victim);
    FILE *f = fopen(path, "w");
    if (f) {
        fputs("5", f);
        fclose(f);
    }
}

static long victim_files(const struct witness *w)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof path, "/proc/%ld/fd", w->victim);
    DIR *d = opendir(path);
    while (d && readdir(d))
        count++;
    if (d)
        closedir(d);
    return count - 2; /* . and .. */
}

/* User and system time, in ticks of 10 ms. */
static uint64_t victim_ticks(const struct witness *w)
{
    char line[512];
    uint64_t ticks = 0;
    FILE *f = victim_file(w, "stat");
    if (f && fgets(line, sizeof line, f)) {
        char *at = strrchr(line, ')');
        for (int field = 2; at && field < 14; field++)
            at = strchr(at + 1, ' ');
        if (at) {
            ticks = strtoull(at, &at, 10);
            ticks += strtoull(at, NULL, 10);
        }
    }
    if (f)
        fclose(f);
    return ticks;
}

static void victim_look(struct witness *w, uint64_t now)
{
    if (w->victim == 0 || now < w->look_us)
        return;
    w->look_us = now + LOOK_EVERY_US;
    count_running(w);
    long files = victim_files(w);
    if (files > w->files)
        w->files = files;
}

/* --- windows ---------------------------------------------------------------
 */

static void count_missing(struct witness *w, uint64_t now)
{
    for (size_t i = 0; i < 2; i++)
        for (uint64_t n = w->ways[i].expected; n < w->ways[i].next; n++)
            sample(&w->taken, now - w->ways[i].sent_us[n % AHEAD]);
}

static double rate_of(const struct witness *w, double seconds)
{
    uint64_t a = w->ways[0].in_window, b = w->ways[1].in_window;
    return (double)(a < b ? a : b) / seconds;
}

static void print_window(struct witness *w, uint64_t now)
{
    double seconds = (double)(now - w->window_us) / 1e6;
    uint64_t ticks = victim_ticks(w);

    count_missing(w, now);
    sort(&w->taken);
    sort(&w->acks);
    sort(&w->bare);
    printf("window=%s seconds=%.2f rate=%.1f p50_ms=%.1f p99_ms=%.1f"
           " max_ms=%.1f ack_p99_ms=%.1f bare_p99_ms=%.2f bare_max_ms=%.1f"
           " running=%.1f"
           " peak_kb=%ld rss_kb=%ld files=%ld cpu_percent=%.0f gone=%d\n",
           w->window, seconds, rate_of(w, seconds), share_ms(&w->taken, 500),
           share_ms(&w->taken, 990), share_ms(&w->taken, 1000),
           share_ms(&w->acks, 990), share_ms(&w->bare, 990),
           share_ms(&w->bare, 1000),
           (double)w->running /
               (double)(w->running_looks > 0 ? w->running_looks : 1),
           victim_kb(w, "VmHWM"), victim_kb(w, "VmRSS"), w->files,
           (double)(ticks - w->ticks) / seconds, w->gone);
    fflush(stdout);
}

static void begin_window(struct witness *w, const char *name)
{
    uint64_t now = now_us();
    if (w->window[0])
        print_window(w, now);
    snprintf(w->window, sizeof w->window, "%s", name);
    w->window_us = now;
    w->ticks = victim_ticks(w);
    w->taken.count = w->acks.count = w->bare.count = 0;
    w->ways[0].in_window = w->ways[1].in_window = 0;
    w->files = 0;
    w->running = w->running_looks = 0;
    w->look_us = 0;
    victim_peak_reset(w);
}

static void obey_line(struct witness *w, const char *line)
{
    if (strncmp(line, "window ", 7) == 0)
        begin_window(w, line + 7);
    else if (strncmp(line, "victim ", 7) == 0)
        w->victim = strtol(line + 7, NULL, 10);
    else
        w->ending = true;
}

static void obey(struct witness *w)
{
    static char text[256];
    static size_t used;
    ssize_t n = read(STDIN_FILENO, text + used, sizeof text - 1 - used);
    if (n <= 0) {
        w->ending = true;
        return;
    }
    used += (size_t)n;
    text[used] = '\0';
    for (char *end; (end = strchr(text, '\n'));) {
        *end = '\0';
        obey_line(w, text);
        used -= (size_t)(end + 1 - text);
        memmove(text, end + 1, used + 1);
    }
}

/* --- turns -----------------------------------------------------------------
 */

static void turn(struct witness *w)
{
    struct pollfd polled[4] = {
        {.fd = w->clients[0].fd, .events = POLLIN},
        {.fd = w->clients[1].fd, .events = POLLIN},
        {.fd = w->bare_fd, .events = POLLIN},
        {.fd = w->ending ? -1 : STDIN_FILENO, .events = POLLIN},
    };
    for (size_t i = 0; i < 2; i++)
        if (client_unsent(&w->clients[i]) > 0)
            polled[i].events |= POLLOUT;
    (void)poll(polled, 4, 2);
    for (size_t i = 0; i < 2; i++) {
        send_due(w, &w->ways[i], now_us());
        if (!w->clients[i].ended)
            client_run(&w->clients[i], 0);
        take_lines(w, i);
    }
    bare_turn(w, now_us());
    victim_look(w, now_us());
    if (polled[3].revents)
        obey(w);
}

static bool is_under_way(const struct witness *w)
{
    for (size_t i = 0; i < 2; i++) {
        const struct witness_way *way = &w->ways[i];
        if (way->expected < way->next || way->answered + 1 < way->next)
            return true;
    }
    return false;
}

/* True if each message came, once and in order. */
static bool print_end(const struct witness *w)
{
    bool good = true;
    for (size_t i = 0; i < 2; i++) {
        const struct witness_way *way = &w->ways[i];
        uint64_t sent = way->next - 1, unanswered = sent - way->answered;
        printf("end=%s-%s sent=%" PRIu64 " received=%" PRIu64 " lost=%" PRIu64
               " doubled=%" PRIu64 " late=%" PRIu64 " failed=%" PRIu64
               " unanswered=%" PRIu64 " %s\n",
               way->from, way->to, sent, way->received, sent - way->received,
               way->doubled, way->late, way->failed, unanswered,
               way->first_error);
        good = good && sent > 0 && way->received == sent && way->doubled == 0 &&
               way->late == 0 && way->failed == 0 && unanswered == 0;
    }
    return good;
}

int main(int argc, char **argv)
{
    static struct witness w;
    if (argc < 5)
        fail("usage: witness SOCKET_A NAME_A SOCKET_B NAME_B [--rate N]"
             " [--victim PID]");
    w.rate = 100;
    for (int i = 5; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rate") == 0)
            w.rate = strtoull(argv[i + 1], NULL, 10);
        else
            w.victim = strtol(argv[i + 1], NULL, 10);
    }
    for (size_t i = 0; i < 2; i++) {
        w.clients[i] = client_open(argv[1 + 2 * i]);
        client_say(&w.clients[i], "{\"op\":\"subscribe\",\"ref\":0}\n");
        w.ways[i] = (struct witness_way){.to = argv[4 - 2 * i],
                                         .from = argv[2 + 2 * i],
                                         .at = &w.clients[i],
                                         .next = 1,
                                         .expected = 1};
    }
    w.bare_fd = bare_open();
    while (!w.ending)
        turn(&w);
    uint64_t until = now_us() + DRAIN_US;
    while (is_under_way(&w) && now_us() < until)
        turn(&w);
    return !print_end(&w);
}
