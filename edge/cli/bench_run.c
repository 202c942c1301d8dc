#include "edge/cli/bench.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "edge/cli/command.h"
#include "edge/cli/input.h"
#include "edge/cli/peer_row.h"
#include "edge/cli/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *bench_request(struct edge_client *c, const char *to, const char *type,
                      struct bytes data, int *code)
{
    struct text *out = client_out(c);

    input_begin(out, "request", to, type, NULL);
    text_add_string(out, ",\"data\":");
    text_add(out, data);
    text_add_string(out, "}\n");
    return client_ask(c, code);
}

/* The data of a message: a JSON string of `size` bytes, into which number_data
 * writes the message's number. The caller frees it. */
static char *make_data(size_t size)
{
    char *data = memory_new(size + 3);

    memset(data + 1, 'x', size);
    data[0] = data[size + 1] = '"';
    return data;
}

static void number_data(char *data, uint64_t number)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = BENCH_DIGITS; i > 0; i--, number /= 16)
        data[i] = digits[number % 16];
}

static int begin(struct edge_client *c, const char *to)
{
    int code;
    json_t *answer =
        bench_request(c, to, BENCH_BEGIN, bytes_of_string("null"), &code);

    if (!answer && code == EXIT_NOT_DELIVERED)
        command_fail(code, "does `zs bench serve` run at %s?", to);
    if (!answer)
        return code;
    json_decref(answer);
    return EXIT_DONE;
}

static uint64_t count_of(const json_t *counts, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(counts, key));
}

static int end(struct edge_client *c, const char *to, uint64_t sent,
               struct bench_result *r)
{
    int code;
    json_t *answer =
        bench_request(c, to, BENCH_END, bytes_of_string("null"), &code);

    if (!answer)
        return code;
    const json_t *counts = json_object_get(answer, "data");
    r->messages = count_of(counts, "received");
    r->duplicated = count_of(counts, "duplicated");
    r->reordered = count_of(counts, "reordered");
    r->lost = sent > r->messages ? sent - r->messages : 0;
    json_decref(answer);
    return EXIT_DONE;
}

/* Sends messages until `until`, then waits until all are delivered. */
static void flood(struct pipeline *p, struct bytes head, size_t size,
                  struct instant until)
{
    char *data = make_data(size);
    struct bench_progress live;

    bench_progress_begin(&live, size);
    while (!instant_reached(until, clock_now()) && !p->broken &&
           p->failed == 0 && !command_stopped()) {
        while (pipeline_has_room(p) && client_unsent(p->client) < 256 * 1024) {
            struct text *out = client_out(p->client);
            pipeline_begin(p);
            number_data(data, p->next - 1);
            text_add(out, head);
            text_add(out, bytes_of(data, size + 2));
            pipeline_end(p);
        }
        (void)pipeline_run(p, 100, -1);
        bench_progress_tell(&live, p->delivered, span_us(-1));
    }
    pipeline_finish(p);
    bench_progress_end(&live);
    free(data);
}

static double seconds_since(struct instant start)
{
    return (double)instant_between(start, clock_now()).us / 1e6;
}

int bench_throughput(struct edge_client *c, const char *to,
                     struct span duration, struct bench_result *r)
{
    struct pipeline p;
    struct text head = {0};
    int code = begin(c, to);

    if (code != EXIT_DONE)
        return code;
    pipeline_init(&p, c);
    input_begin(&head, "send", to, BENCH_DATA, NULL);
    text_add_string(&head, ",\"data\":");
    struct instant start = clock_now();
    flood(&p, text_bytes(&head), r->size, instant_after(start, duration));
    r->seconds = seconds_since(start);
    text_close(&head);
    snprintf(r->path, sizeof(r->path), "%s", p.path);
    code = pipeline_result(&p, "messages were delivered");
    return code == EXIT_DONE ? end(c, to, p.delivered, r) : code;
}

struct round_trips {
    uint32_t *us;
    size_t count;
};

static void samples_add(struct round_trips *s, struct span rtt)
{
    enum { CHUNK = 4096 };

    if (s->count % CHUNK == 0)
        s->us = memory_resize(s->us, s->count + CHUNK, sizeof(*s->us));
    s->us[s->count++] = rtt.us < UINT32_MAX ? (uint32_t)rtt.us : UINT32_MAX;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The smallest sample that is not below `permille` thousandths of all. */
static uint64_t percentile(const struct round_trips *s, size_t permille)
{
    size_t rank = (s->count * permille + 999) / 1000;

    return s->us[rank > 0 ? rank - 1 : 0];
}

static void summarize(struct round_trips *s, struct bench_result *r)
{
    r->messages = s->count;
    if (s->count == 0)
        return;
    qsort(s->us, s->count, sizeof(*s->us), compare);
    r->rtt.p50 = percentile(s, 500);
    r->rtt.p99 = percentile(s, 990);
    r->rtt.p999 = percentile(s, 999);
    r->rtt.max = s->us[s->count - 1];
}

static int echo(struct edge_client *c, const char *to, struct bytes data,
                struct round_trips *s, struct bench_result *r)
{
    struct instant asked = clock_now();
    int code;
    json_t *answer = bench_request(c, to, BENCH_ECHO, data, &code);

    if (answer)
        samples_add(s, instant_between(asked, clock_now()));
    else if (code == EXIT_NOT_DELIVERED)
        r->lost++;
    else
        return code;
    json_decref(answer);
    return EXIT_DONE;
}

static void find_path(struct edge_client *c, const char *to,
                      struct bench_result *r)
{
    int code;

    input_begin(client_out(c), "ping", to, NULL, NULL);
    text_add_string(client_out(c), "}\n");
    json_t *answer = client_ask(c, &code);
    snprintf(r->path, sizeof(r->path), "%s", json_text(answer, "path"));
    json_decref(answer);
}

int bench_latency(struct edge_client *c, const char *to, struct span duration,
                  struct bench_result *r)
{
    struct round_trips samples = {0};
    struct bench_progress live;
    int code = begin(c, to);
    char *data = make_data(r->size);

    struct instant start = clock_now();
    struct instant until = instant_after(start, duration);
    bench_progress_begin(&live, r->size);
    while (code == EXIT_DONE && !instant_reached(until, clock_now())) {
        number_data(data, samples.count);
        code = echo(c, to, bytes_of(data, r->size + 2), &samples, r);
        if (samples.count > 0)
            bench_progress_tell(&live, samples.count,
                                span_us(samples.us[samples.count - 1]));
    }
    bench_progress_end(&live);
    r->seconds = seconds_since(start);
    if (code == EXIT_DONE)
        find_path(c, to, r);
    summarize(&samples, r);
    free(samples.us);
    free(data);
    return code;
}
