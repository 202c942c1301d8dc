/*
 * bench - the two ends of a benchmark: `zs bench TO` and `zs bench serve`.
 *
 * Each end uses its edge's local API. To measure throughput, the client sends
 * the request BENCH_BEGIN and then messages of type BENCH_DATA. The data of a
 * message is a string that begins with the message's number, counted from 0, as
 * 8 hexadecimal digits. The request BENCH_END then asks the server for its
 * counts. To measure latency, the client sends requests BENCH_ECHO, which the
 * server answers with their own data.
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

/* The server's counts of one run. A zeroed tally is empty and ready. */
struct bench_tally {
    uint64_t received; /* messages, without duplicates */
    uint64_t duplicated;
    uint64_t reordered; /* messages that came after one with a larger number */
    uint64_t next;      /* the largest number so far, plus 1 */
    uint8_t *seen;      /* a bit for each number */
    size_t size;        /* of `seen`, bytes */
};

/* Counts a message. `number` is at most UINT32_MAX. */
void bench_tally_count(struct bench_tally *t, uint64_t number);
/* Frees the tally's memory and sets its counts to 0. */
void bench_tally_clear(struct bench_tally *t);

/* The result of a benchmark. */
struct bench_result {
    size_t size;
    double seconds;
    uint64_t messages, lost, duplicated, reordered;
    char path[16];
    struct { /* of --latency, microseconds */
        uint64_t p50, p99, p999, max;
    } rtt;
};

/* A line of progress on stderr, updated every half second; no line if stderr is
 * no terminal. */
struct bench_progress {
    bool shown;
    size_t size; /* of a message's data, bytes */
    struct instant begun, told_at;
    uint64_t told; /* `count` at told_at */
};

void bench_progress_begin(struct bench_progress *l, size_t size);
/* Updates the line. `count` messages were delivered so far (`rtt` < 0), or
 * `count` round trips made, of which the last took `rtt`. */
void bench_progress_tell(struct bench_progress *l, uint64_t count,
                         struct span rtt);
/* Erases the line. */
void bench_progress_end(const struct bench_progress *l);

/* Serves benchmarks until a signal, or until the edge is gone. Returns the exit
 * code. */
int bench_serve(struct edge_client *c);
/* These run one benchmark of r->size bytes a message against the node `to`.
 * They return the exit code, and fill in the result on EXIT_DONE. */
int bench_throughput(struct edge_client *c, const char *to,
                     struct span duration, struct bench_result *r);
int bench_latency(struct edge_client *c, const char *to, struct span duration,
                  struct bench_result *r);
/* Sends a request to the `bench serve` at node `to`. `data` is JSON. Returns
 * the answer, which the caller passes to json_decref, or NULL with the exit
 * code in *code. */
json_t *bench_request(struct edge_client *c, const char *to, const char *type,
                      struct bytes data, int *code) MUST_USE;

#endif
