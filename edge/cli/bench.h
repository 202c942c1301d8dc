/*
 * bench - how `zs bench TO` and `zs bench serve` talk to each other.
 *
 * All over the local API. A run begins with a request BENCH_BEGIN, after which
 * messages BENCH_DATA come, whose data is a string that begins with its number
 * as 8 hexadecimal digits, counted from 0; a request BENCH_END is answered with
 * the counts. A request BENCH_ECHO is answered with its own data.
 */
#ifndef EDGE_CLI_BENCH_H
#define EDGE_CLI_BENCH_H

#include "common/conf/options.h"
#include "edge/cli/client.h"

#define BENCH_BEGIN "zs.bench.begin"
#define BENCH_DATA "zs.bench.data"
#define BENCH_END "zs.bench.end"
#define BENCH_ECHO "zs.bench.echo"

enum { BENCH_DIGITS = 8 };

/* What became of one run's messages. */
struct bench_tally {
    uint64_t received; /* each once */
    uint64_t duplicated;
    uint64_t reordered; /* came after one with a larger number */
    uint64_t next;      /* above the largest number so far */
    uint8_t *seen;      /* a bit for each number */
    size_t size;        /* of seen, bytes */
};

void bench_tally_count(struct bench_tally *t, uint64_t number);
void bench_tally_clear(struct bench_tally *t);

/* What a bench found. */
struct bench_result {
    size_t size;
    double seconds;
    uint64_t messages, lost, duplicated, reordered;
    char path[16];
    struct { /* of --latency, microseconds */
        uint64_t p50, p99, p999, max;
    } rtt;
};

/* A line on stderr, where that is a terminal, of how it goes: every half
 * second, over the one before. */
struct bench_progress {
    bool shown;
    size_t size; /* of a message's data */
    struct instant begun, told_at;
    uint64_t told;
};

void bench_progress_begin(struct bench_progress *l, size_t size);
/* So many messages were delivered; or round trips, the last one took `rtt`
 * (messages: < 0). */
void bench_progress_tell(struct bench_progress *l, uint64_t count,
                         struct span rtt);
/* Takes the line away. */
void bench_progress_end(const struct bench_progress *l);

int bench_serve(struct client *c);
/* The exit code; EXIT_DONE fills in the result. */
int bench_throughput(struct client *c, const char *to, struct span duration,
                     struct bench_result *r);
int bench_latency(struct client *c, const char *to, struct span duration,
                  struct bench_result *r);
/* Asks the other side's `bench serve`: the answer, or NULL with *code. */
json_t *bench_request(struct client *c, const char *to, const char *type,
                      struct bytes data, int *code) MUST_USE;

#endif
