/*
 * bench_quic - what a message costs through edge/shell/quic, beside ngtcp2 as
 * it is.
 *
 *     bench_quic [--size BYTES] [--megabytes N] [--repeats N]
 *                [--only ours|bare] [--delay MS] [--loss PERCENT] [--rate MBIT]
 *
 * Both ends run in one thread, in virtual time, over a wire in memory of
 * --delay each way. So only the CPU counts, and nothing of the system is in it.
 * The two stacks take turns; the median of each is told, and the ratio. With
 * --rate the wire passes so much, lets 256 KiB wait, and the rate that each
 * stack reaches is told: it does not depend on the machine.
 */
#include "tests/bench/quic/load.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SLOTS = 8192,
    SLOT_SIZE = 1536,
    REPEATS_MOST = 99,
    HEADERS = 28, /* of IP and UDP */
    QUEUE = 256 * 1024,
};

const struct address load_addresses[2] = {
    {.family = ADDRESS_V4, .ip = {192, 0, 2, 1}, .port = 1},
    {.family = ADDRESS_V4, .ip = {192, 0, 2, 2}, .port = 2}};

/* One direction. */
struct load_pipe {
    size_t first, end;      /* counted from the beginning */
    struct instant free_at; /* the line sent all its packets */
    struct instant at[SLOTS];
    size_t size[SLOTS];
    uint8_t bytes[SLOTS][SLOT_SIZE];
};

struct load_run {
    const struct load_stack *stack;
    void *ends[2];
    struct load_pipe *to[2];
    struct span delay;
    double loss, rate; /* of one; Mbit/s, 0: no limit */
    uint64_t random;
    struct instant now;
    uint64_t datagrams, bytes, dropped;
    size_t size;
    uint8_t buffer[QUIC_BURST_SIZE];
};

struct load_result {
    double ns; /* of CPU, a message */
    double datagrams;
    double mbits; /* a second of virtual time */
};

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool is_lost(struct load_run *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (double)(r->random >> 11) / 9007199254740992.0 < r->loss;
}

/* When the line sent the datagram; NEVER: too many wait already. */
static struct instant sent_at(const struct load_run *r, struct load_pipe *pipe,
                              size_t size)
{
    if (r->rate <= 0)
        return r->now;
    pipe->free_at = instant_max(pipe->free_at, r->now);
    double waiting =
        (double)instant_between(r->now, pipe->free_at).us * r->rate / 8;
    if (waiting > QUEUE)
        return INSTANT_NEVER;
    pipe->free_at = instant_after(
        pipe->free_at,
        span_us((int64_t)((double)(size + HEADERS) * 8 / r->rate)));
    return pipe->free_at;
}

static void put(struct load_run *r, int to, const uint8_t *bytes, size_t size)
{
    struct load_pipe *pipe = r->to[to];
    size_t i = pipe->end % SLOTS;

    r->datagrams++;
    r->bytes += size;
    if (is_lost(r))
        return;
    struct instant at = sent_at(r, pipe, size);
    if (instant_is_never(at))
        return;
    if (pipe->end - pipe->first == SLOTS) {
        r->dropped++;
        return;
    }
    memcpy(pipe->bytes[i], bytes, size);
    pipe->size[i] = size;
    pipe->at[i] = instant_after(at, r->delay);
    pipe->end++;
}

static void flush(struct load_run *r, int from)
{
    size_t size, segment = 0;

    while ((size = r->stack->write(r->ends[from], r->now, r->buffer,
                                   &segment)) > 0)
        for (size_t at = 0; at < size; at += segment)
            put(r, 1 - from, r->buffer + at,
                size - at < segment ? size - at : segment);
}

/* All that arrives at this moment, then all that is to be sent. */
static void serve(struct load_run *r, int i)
{
    static const uint8_t message[64 * 1024];
    struct load_pipe *pipe = r->to[i];

    while (pipe->first < pipe->end &&
           instant_reached(pipe->at[pipe->first % SLOTS], r->now)) {
        size_t slot = pipe->first++ % SLOTS;

        r->stack->take(r->ends[i], pipe->bytes[slot], pipe->size[slot], r->now);
    }
    if (instant_reached(r->stack->deadline(r->ends[i]), r->now))
        r->stack->due(r->ends[i], r->now);
    if (i == 0 && r->stack->is_open(r->ends[0]))
        while (r->stack->send(r->ends[0], message, r->size))
            ;
    flush(r, i);
}

static void step(struct load_run *r)
{
    struct instant next = INSTANT_NEVER;

    for (int i = 0; i < 2; i++) {
        struct load_pipe *pipe = r->to[i];

        serve(r, i);
        if (pipe->first < pipe->end)
            next = instant_min(next, pipe->at[pipe->first % SLOTS]);
        next = instant_min(next, r->stack->deadline(r->ends[i]));
    }
    r->now = instant_max(next, instant_after(r->now, span_us(1)));
}

/* Until the server got so many messages. */
static void run_to(struct load_run *r, uint64_t messages)
{
    while (r->stack->received(r->ends[1]) < messages)
        step(r);
}

static struct load_result measure(struct load_run *r, uint64_t messages)
{
    struct load_result result;
    uint64_t before, datagrams;
    struct instant since;
    double begun;

    r->now = (struct instant){1000};
    r->random = 88172645463325252U;
    r->datagrams = r->bytes = 0;
    for (int i = 0; i < 2; i++) {
        r->ends[i] = r->stack->open(i == 0, r->now);
        r->to[i]->first = r->to[i]->end = 0;
        r->to[i]->free_at = r->now;
    }
    run_to(r, messages / 4 + 1);
    before = r->stack->received(r->ends[1]);
    datagrams = r->datagrams;
    since = r->now;
    begun = cpu_ns();
    run_to(r, before + messages);
    result.ns =
        (cpu_ns() - begun) / (double)(r->stack->received(r->ends[1]) - before);
    result.datagrams = (double)(r->datagrams - datagrams) /
                       (double)(r->stack->received(r->ends[1]) - before);
    result.mbits = (double)(r->stack->received(r->ends[1]) - before) *
                   (double)r->size * 8 /
                   (double)instant_between(since, r->now).us;
    for (int i = 0; i < 2; i++)
        r->stack->close(r->ends[i]);
    return result;
}

static int by_ns(const void *a, const void *b)
{
    double x = ((const struct load_result *)a)->ns;
    double y = ((const struct load_result *)b)->ns;

    return (x > y) - (x < y);
}

struct load_asked {
    size_t size, repeats;
    double megabytes;
    double delay, loss, rate; /* ms, of one, Mbit/s */
    const char *only;
};

static void compare(struct load_run *r, const struct load_asked *asked,
                    size_t size)
{
    const struct load_stack *stacks[] = {&load_ours, &load_bare};
    struct load_result all[2][REPEATS_MOST];
    uint64_t messages = (uint64_t)(asked->megabytes * 1e6 / (double)(size + 4));

    r->size = size;
    for (size_t i = 0; i < asked->repeats; i++)
        for (int k = 0; k < 2; k++) {
            r->stack = stacks[k];
            if (asked->only == NULL || strcmp(asked->only, r->stack->name) == 0)
                all[k][i] = measure(r, messages);
            else
                all[k][i] = (struct load_result){.ns = 0};
        }
    for (int k = 0; k < 2; k++) {
        qsort(all[k], asked->repeats, sizeof all[k][0], by_ns);
        struct load_result m = all[k][asked->repeats / 2];

        if (m.ns > 0)
            printf("%5zu B  %s  %10.1f ns a message  %11.0f a second  "
                   "%7.0f Mbit/s  %.3f datagrams\n",
                   size, stacks[k]->name, m.ns, 1e9 / m.ns,
                   (double)size * 8e3 / m.ns, m.datagrams);
        if (m.ns > 0 && r->rate > 0)
            printf("%5zu B  %s  %.1f of %.0f Mbit/s on the wire\n", size,
                   stacks[k]->name, m.mbits, r->rate);
    }
    if (asked->only == NULL)
        printf("%5zu B  ours/bare  %.2f\n", size,
               all[0][asked->repeats / 2].ns / all[1][asked->repeats / 2].ns);
    if (r->dropped > 0)
        printf("%5zu B  %llu dropped\n", size, (unsigned long long)r->dropped);
    fflush(stdout);
}

static int usage(void)
{
    fputs("usage: bench_quic [--size BYTES] [--megabytes N] [--repeats N]"
          " [--only ours|bare] [--delay MS] [--loss PERCENT] [--rate MBIT]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 1024, 65536};
    struct load_asked asked = {.repeats = 5, .megabytes = 100, .delay = 1};
    struct load_run *r = calloc(1, sizeof *r);

    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (value == NULL)
            return usage();
        if (strcmp(argv[i], "--size") == 0)
            asked.size = strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--megabytes") == 0)
            asked.megabytes = strtod(value, NULL);
        else if (strcmp(argv[i], "--repeats") == 0)
            asked.repeats = strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--only") == 0)
            asked.only = value;
        else if (strcmp(argv[i], "--delay") == 0)
            asked.delay = strtod(value, NULL);
        else if (strcmp(argv[i], "--loss") == 0)
            asked.loss = strtod(value, NULL) / 100;
        else if (strcmp(argv[i], "--rate") == 0)
            asked.rate = strtod(value, NULL);
        else
            return usage();
    }
    if (asked.repeats < 1 || asked.repeats > REPEATS_MOST ||
        asked.size > 64 * 1024)
        return usage();
    if (r == NULL || sodium_init() < 0)
        return 1;
    r->delay = span_us((int64_t)(asked.delay * 1000));
    r->loss = asked.loss;
    r->rate = asked.rate;
    for (int i = 0; i < 2; i++) {
        r->to[i] = calloc(1, sizeof *r->to[i]);
        if (r->to[i] == NULL)
            return 1;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (asked.size == 0 || asked.size == sizes[i])
            compare(r, &asked, sizes[i]);
    for (int i = 0; i < 2; i++)
        free(r->to[i]);
    free(r);
    return 0;
}
