#include "edge/cli/bench.h"
#include "edge/cli/command.h"

#include <inttypes.h>
#include <string.h>

static const struct option_row rows[] = {
    {"size", 0, OPTION_SIZE, "BYTES",
     "bytes of data in each message; default 64"},
    {"duration", 0, OPTION_DURATION, "TIME", "how long to measure; default 5s"},
    {"latency", 0, OPTION_FLAG, NULL, "measure round trips, one at a time"},
    {"json", 0, OPTION_FLAG, NULL, "print the result as JSON"},
};

static const struct options_spec spec = {
    .program = "zs bench",
    .synopsis = "serve | TO",
    .about = "Measures messages and bytes a second to a peer where `zs "
             "bench serve` runs;\n"
             "with --latency, round trips from application to "
             "application.\n"
             "On a terminal a line shows the progress.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

static double per_second(const struct bench_result *r, double what)
{
    return r->seconds > 0 ? what / r->seconds : 0;
}

static double mb_per_second(const struct bench_result *r)
{
    return per_second(r, (double)r->messages * (double)r->size) / 1e6;
}

static void print_json(const struct bench_result *r, bool latency)
{
    json_t *result = json_pack(
        "{s:I,s:f,s:I,s:f,s:f,s:I,s:I,s:I,s:s}", "size", (json_int_t)r->size,
        "seconds", r->seconds, "messages", (json_int_t)r->messages,
        "per_second", per_second(r, (double)r->messages), "mb_per_second",
        mb_per_second(r), "lost", (json_int_t)r->lost, "duplicated",
        (json_int_t)r->duplicated, "reordered", (json_int_t)r->reordered,
        "path", r->path);

    if (latency)
        json_object_set_new(
            result, "rtt_us",
            json_pack("{s:I,s:I,s:I,s:I}", "p50", (json_int_t)r->rtt.p50, "p99",
                      (json_int_t)r->rtt.p99, "p999", (json_int_t)r->rtt.p999,
                      "max", (json_int_t)r->rtt.max));
    command_print_json(result);
    json_decref(result);
}

static void print_text(const struct bench_result *r, bool latency)
{
    printf("%" PRIu64 " messages of %zu bytes in %.2f s via %s: %.0f a second, "
           "%.1f MB/s\n",
           r->messages, r->size, r->seconds, r->path,
           per_second(r, (double)r->messages), mb_per_second(r));
    printf("lost %" PRIu64 ", duplicated %" PRIu64 ", out of order %" PRIu64
           "\n",
           r->lost, r->duplicated, r->reordered);
    if (latency)
        printf("round trip p50 %" PRIu64 " us, p99 %" PRIu64
               " us, p99.9 %" PRIu64 " us, largest %" PRIu64 " us\n",
               r->rtt.p50, r->rtt.p99, r->rtt.p999, r->rtt.max);
}

static int measure(struct edge_client *c, const struct options *o)
{
    struct span duration = options_duration(o, "duration", span_s(5));
    bool latency = options_flag(o, "latency");
    struct bench_result r = {
        .size = (size_t)options_size(o, "size", 64),
    };
    int code = latency ? bench_latency(c, o->positionals[0], duration, &r)
                       : bench_throughput(c, o->positionals[0], duration, &r);

    if (code != EXIT_DONE)
        return code;
    if (options_flag(o, "json"))
        print_json(&r, latency);
    else
        print_text(&r, latency);
    return r.lost > 0 ? EXIT_NOT_DELIVERED : EXIT_DONE;
}

static int run_bench(const struct options *o)
{
    uint64_t size = options_size(o, "size", 64);

    if (size < BENCH_DIGITS || size > INT32_MAX)
        return options_wrong(&spec, "--size is 8 or more");
    struct edge_client *c = client_open(o);
    if (!c)
        return EXIT_NO_DAEMON;
    int code = strcmp(o->positionals[0], "serve") == 0 ? bench_serve(c)
                                                       : measure(c, o);
    client_free(c);
    return code;
}

int cmd_bench(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_bench);
}
