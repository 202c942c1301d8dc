/*
 * The roles of a load generator.
 *
 * source: sends numbered messages for load.seconds, at load.rate if that is
 * set, and never more than a window ahead of the sink, so that no library has a
 * reason to drop one. sink: counts the messages, checks their numbers, and
 * tells the source its count after each quarter of a window. ping: sends one
 * message at a time and waits for it to come back. pong: sends it back. pace:
 * sends messages at even distances, load.rate a second. watch: measures how
 * long each of these was under way; both run on one machine, with one clock.
 *
 * The roles' own messages are shorter than any measured one: 'H' asks whether
 * the other end is there; 'C' carries a count; 'F' says that the source has
 * finished, 'f' that the sink has.
 */
#include "tests/bench/load/load.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { NOTE_SIZE = 9, SECOND_NS = 1000000000, PATIENCE_MS = 8000 };

/* Callbacks may run in other threads. */
static atomic_bool greeted, finished;
static _Atomic uint64_t had_there;

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static void note(char what, uint64_t number)
{
    uint8_t bytes[NOTE_SIZE] = {(uint8_t)what};
    memcpy(bytes + 1, &number, sizeof number);
    link_send(bytes, sizeof bytes);
}

static uint64_t number_in(const uint8_t *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

/* The bytes that the kernel sent on this process's TCP connections. */
static uint64_t uploaded(void)
{
    uint64_t sum = 0;
    for (int fd = 3; fd < 1024; fd++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof info;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
            sum += info.tcpi_bytes_sent;
    }
    return sum;
}

static uint8_t *random_message(void)
{
    uint8_t *message = malloc((size_t)load.size);
    uint64_t x = 88172645463325252U;
    for (long i = 0; message != NULL && i < load.size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        message[i] = (uint8_t)x;
    }
    if (message == NULL)
        load_die("no memory");
    return message;
}

static void greet(void)
{
    uint64_t end = load_now_ns() + 15ULL * SECOND_NS;
    for (uint64_t number = 1; !greeted; number++) {
        if (load_now_ns() > end)
            load_die("nobody answers");
        note('H', number);
        uint64_t again = load_now_ns() + SECOND_NS / 5;
        while (!greeted && load_now_ns() < again)
            link_poll(20);
    }
}

/* Sends the last message, again if the wire loses it. */
static void linger(void)
{
    uint64_t end = load_now_ns() + SECOND_NS / 2;
    while (load_now_ns() < end)
        link_poll(5);
}

static void wait_until_finished(void)
{
    uint64_t end = load_now_ns() + 20ULL * SECOND_NS;
    while (!finished && load_now_ns() < end)
        link_poll(100);
    if (!finished)
        load_die("no end in 20 s");
}

/* ---- source */

static void source_took(size_t link, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    (void)link;
    if (size != NOTE_SIZE)
        return;
    if (bytes[0] == 'C') {
        /* The counts of two threads may overtake each other. */
        if (number_in(bytes + 1) > had_there)
            had_there = number_in(bytes + 1);
        greeted = true;
    } else if (bytes[0] == 'f') {
        finished = true;
    }
}

static void wait_for_window(uint64_t sent)
{
    uint64_t stalled = load_now_ns() + PATIENCE_MS * 1000000ULL;
    uint64_t seen = had_there;
    while (sent - had_there >= (uint64_t)load.window) {
        link_poll(1000);
        if (had_there != seen) {
            seen = had_there;
            stalled = load_now_ns() + PATIENCE_MS * 1000000ULL;
        }
        if (load_now_ns() > stalled)
            load_die("nothing had for %d ms: sent %lu, had %lu", PATIENCE_MS,
                     (unsigned long)sent, (unsigned long)had_there);
    }
}

/* Sends a quarter of a window at once, the same burst that the sink's counts
 * cause without a rate. */
static void wait_for_rate(uint64_t begun, uint64_t sent)
{
    if (load.rate == 0 || sent % ((uint64_t)load.window / 4) != 0)
        return;
    uint64_t due = begun + sent * SECOND_NS / (uint64_t)load.rate;
    for (uint64_t now; (now = load_now_ns()) < due;)
        link_poll((int)((due - now) / 1000000 + 1));
}

static uint64_t send_for_a_while(void)
{
    uint8_t *message = random_message();
    uint64_t begun = load_now_ns();
    uint64_t end = begun + (uint64_t)(load.seconds * SECOND_NS);
    uint64_t stride = load.window >= 8 ? (uint64_t)load.window / 8 : 1;
    uint64_t sent = 0;
    for (;;) {
        wait_for_window(sent);
        memcpy(message, &sent, sizeof sent);
        link_send(message, (size_t)load.size);
        if (++sent % stride != 0)
            continue;
        link_poll(0);
        wait_for_rate(begun, sent);
        if (load_now_ns() >= end)
            break;
    }
    free(message);
    return sent;
}

void role_source(void)
{
    link_open(source_took);
    greet();
    load_say("START");
    uint64_t up = uploaded(), cpu = cpu_ns(); /* to look costs a little too */
    uint64_t sent = send_for_a_while();
    note('F', sent);
    wait_until_finished();
    cpu = cpu_ns() - cpu;
    printf("RESULT sent=%lu cpu_ns=%lu uploaded=%lu\n", (unsigned long)sent,
           (unsigned long)cpu, (unsigned long)(uploaded() - up));
    fflush(stdout);
    link_close();
}

/* ---- sink */

static struct {
    _Atomic uint64_t copies;
    _Atomic uint64_t skipped; /* missing numbers */
    _Atomic uint64_t late;    /* messages after a larger number, or repeated */
    uint64_t every;           /* messages until the next count to the source */
    uint64_t *expected;       /* by link; only the link's thread uses it */
    atomic_bool done;
    pthread_mutex_t mutex; /* guards the rest, and sending */
    uint64_t begun_ns, ended_ns, begun_cpu_ns, ended_cpu_ns;
    uint64_t hello; /* the last one, */
    long hellos;    /* and how many links had it */
    long ends;
} sink = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void sink_begins(void)
{
    pthread_mutex_lock(&sink.mutex);
    sink.begun_ns = load_now_ns();
    sink.begun_cpu_ns = cpu_ns();
    pthread_mutex_unlock(&sink.mutex);
}

static void sink_tells(void)
{
    pthread_mutex_lock(&sink.mutex);
    note('C', sink.copies / (uint64_t)load.receivers);
    pthread_mutex_unlock(&sink.mutex);
}

static void sink_counts(size_t link, const uint8_t *data, size_t size)
{
    uint64_t number = number_in(data);
    uint64_t copies = atomic_fetch_add(&sink.copies, 1) + 1;
    if (copies == 1)
        sink_begins();
    if (size != (size_t)load.size)
        load_die("%zu bytes, not %ld", size, load.size);
    if (number < sink.expected[link]) {
        sink.late++;
    } else {
        sink.skipped += number - sink.expected[link];
        sink.expected[link] = number + 1;
    }
    if (copies % sink.every == 0)
        sink_tells();
}

/* Answers a hello once all links got it: then no link is missing. */
static void sink_greeted(uint64_t number)
{
    if (number != sink.hello)
        sink.hellos = 0;
    sink.hello = number;
    if (++sink.hellos == load.receivers)
        note('C', 0);
}

static void sink_ended(void)
{
    sink.ended_ns = load_now_ns();
    sink.ended_cpu_ns = cpu_ns();
    sink.done = true; /* before the signal that wakes the main thread */
    note('f', 0);
}

static void sink_took(size_t link, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    if (size >= LOAD_SMALLEST) {
        sink_counts(link, bytes, size);
        return;
    }
    pthread_mutex_lock(&sink.mutex);
    if (bytes[0] == 'H')
        sink_greeted(number_in(bytes + 1));
    else if (bytes[0] == 'F' && ++sink.ends == load.receivers)
        sink_ended();
    pthread_mutex_unlock(&sink.mutex);
}

void role_sink(void)
{
    uint64_t quarter = (uint64_t)load.window / 4;
    sink.every = (quarter > 0 ? quarter : 1) * (uint64_t)load.receivers;
    sink.expected = calloc((size_t)load.receivers, sizeof *sink.expected);
    if (sink.expected == NULL)
        load_die("no memory");
    link_open(sink_took);
    load_say("READY");
    uint64_t end = load_now_ns() + 120ULL * SECOND_NS;
    while (!sink.done && load_now_ns() < end)
        link_poll(1000);
    linger();
    printf("RESULT copies=%lu skipped=%lu late=%lu ns=%lu cpu_ns=%lu\n",
           (unsigned long)sink.copies, (unsigned long)sink.skipped,
           (unsigned long)sink.late,
           (unsigned long)(sink.ended_ns - sink.begun_ns),
           (unsigned long)(sink.ended_cpu_ns - sink.begun_cpu_ns));
    fflush(stdout);
    link_close();
    free(sink.expected);
}

/* ---- ping, pong */

enum { TRIPS = 400 * 1000, WARM_TRIPS = 300, DELAYS = 400 * 1000 };

/* Only the callbacks use this while `over` is false; the waiting thread reads
 * `number` too. */
static struct {
    uint8_t *message;
    _Atomic uint64_t number; /* of the message under way, from 1 */
    uint64_t begun_ns;
    uint32_t ns[TRIPS];
    size_t count, most;
    uint64_t end_ns; /* no trip begins then */
    atomic_bool over;
} trips;
static atomic_ulong strange;

static void begin_trip(void)
{
    uint64_t number = ++trips.number;
    memcpy(trips.message, &number, sizeof number);
    trips.begun_ns = load_now_ns();
    link_send(trips.message, (size_t)load.size);
}

/* The callback begins the next trip, as a program would answer. */
static void end_trip(void)
{
    uint64_t now = load_now_ns();
    trips.ns[trips.count++] = (uint32_t)(now - trips.begun_ns);
    if (trips.count < trips.most && now < trips.end_ns)
        begin_trip();
    else
        trips.over = true;
}

static void ping_took(size_t link, const void *data, size_t size)
{
    (void)link;
    if (size == NOTE_SIZE)
        greeted = true;
    else if (size == (size_t)load.size && number_in(data) == trips.number)
        end_trip();
    else
        strange++;
}

static void make_trips(size_t most, uint64_t end_ns)
{
    trips.count = 0;
    trips.most = most;
    trips.end_ns = end_ns;
    trips.over = false;
    begin_trip();
    uint64_t seen = 0, stalled = 0;
    while (!trips.over) {
        link_poll(1000);
        if (trips.number != seen)
            stalled = load_now_ns() + PATIENCE_MS * 1000000ULL;
        else if (load_now_ns() > stalled)
            load_die("no echo for %d ms", PATIENCE_MS);
        seen = trips.number;
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_trips(uint64_t cpu)
{
    size_t count = trips.count;
    const uint32_t *ns = trips.ns;
    qsort(trips.ns, count, sizeof trips.ns[0], by_size);
    printf("RESULT count=%zu strange=%lu min=%u p50=%u p99=%u p999=%u "
           "cpu_ns=%lu\n",
           count, (unsigned long)strange, ns[0], ns[count / 2],
           ns[count - 1 - count / 100], ns[count - 1 - count / 1000],
           (unsigned long)cpu);
    fflush(stdout);
}

void role_ping(void)
{
    trips.message = random_message();
    link_open(ping_took);
    greet();
    make_trips(WARM_TRIPS, UINT64_MAX);
    load_say("START");
    uint64_t cpu = cpu_ns();
    make_trips(TRIPS, load_now_ns() + (uint64_t)(load.seconds * SECOND_NS));
    cpu = cpu_ns() - cpu;
    note('F', trips.count);
    for (int i = 0; i < 20; i++)
        link_poll(5);
    print_trips(cpu);
    free(trips.message);
    link_close();
}

static void pong_took(size_t link, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    (void)link;
    if (size >= LOAD_SMALLEST)
        link_send(data, size);
    else if (bytes[0] == 'H')
        note('C', 0);
    else if (bytes[0] == 'F')
        finished = true;
}

void role_pong(void)
{
    link_open(pong_took);
    load_say("READY");
    uint64_t end = load_now_ns() + 120ULL * SECOND_NS;
    while (!finished && load_now_ns() < end)
        link_poll(1000);
    printf("RESULT cpu_ns=%lu\n", (unsigned long)cpu_ns());
    fflush(stdout);
    link_close();
}

/* ---- pace, watch */

static void wait_until(uint64_t due_ns)
{
    for (uint64_t now; (now = load_now_ns()) < due_ns;)
        link_poll((int)((due_ns - now + 999999) / 1000000));
}

void role_pace(void)
{
    uint64_t between = SECOND_NS / (uint64_t)(load.rate > 0 ? load.rate : 1);
    uint64_t count = (uint64_t)(load.seconds * SECOND_NS) / between;
    link_open(source_took);
    greet();
    load_say("START");
    uint8_t *message = random_message();
    uint64_t cpu = cpu_ns(), begun = load_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        uint64_t now = load_now_ns();
        memcpy(message, &i, sizeof i);
        memcpy(message + sizeof i, &now, sizeof now);
        link_send(message, (size_t)load.size);
        link_poll(0);
        wait_until(begun + (i + 1) * between);
    }
    note('F', count);
    wait_until_finished();
    printf("RESULT sent=%lu cpu_ns=%lu\n", (unsigned long)count,
           (unsigned long)(cpu_ns() - cpu));
    fflush(stdout);
    free(message);
    link_close();
}

static struct {
    uint32_t ns[DELAYS];
    size_t count;
    uint64_t expected, late, skipped, cpu_ns;
} watch;

static void watch_took(size_t link, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    (void)link;
    if (size < LOAD_SMALLEST) {
        if (bytes[0] == 'H')
            note('C', 0);
        else if (bytes[0] == 'F')
            finished = true;
        return;
    }
    uint64_t number = number_in(bytes);
    if (watch.count == 0)
        watch.cpu_ns = cpu_ns();
    if (watch.count < DELAYS)
        watch.ns[watch.count++] =
            (uint32_t)(load_now_ns() - number_in(bytes + sizeof number));
    if (number < watch.expected) {
        watch.late++;
        return;
    }
    watch.skipped += number - watch.expected;
    watch.expected = number + 1;
}

void role_watch(void)
{
    link_open(watch_took);
    load_say("READY");
    uint64_t end = load_now_ns() + 120ULL * SECOND_NS;
    while (!finished && load_now_ns() < end)
        link_poll(1000);
    uint64_t cpu = cpu_ns() - watch.cpu_ns;
    note('f', 0);
    linger();
    size_t n = watch.count;
    if (n == 0)
        load_die("nothing came");
    qsort(watch.ns, n, sizeof watch.ns[0], by_size);
    printf("RESULT copies=%zu skipped=%lu late=%lu p50=%u p99=%u p999=%u "
           "most=%u cpu_ns=%lu\n",
           n, (unsigned long)watch.skipped, (unsigned long)watch.late,
           watch.ns[n / 2], watch.ns[n - 1 - n / 100],
           watch.ns[n - 1 - n / 1000], watch.ns[n - 1], (unsigned long)cpu);
    fflush(stdout);
    link_close();
}
