/*
 * pipeline - sends many messages without waiting for each answer, and counts
 * the answers.
 *
 * The number of messages without an answer is bounded: the caller adds messages
 * while pipeline_has_room, and calls pipeline_run in between. After the first
 * failure the caller adds no more.
 */
#ifndef EDGE_CLI_PIPELINE_H
#define EDGE_CLI_PIPELINE_H

#include "edge/cli/client.h"

enum { PIPELINE_MESSAGES = 4096, PIPELINE_BYTES = 4 * 1024 * 1024 };

struct pipeline {
    struct edge_client *client; /* borrowed */
    uint64_t next;   /* the number of the next message; the first is 1 */
    uint64_t oldest; /* the number of the oldest without an answer */
    size_t bytes;    /* of all messages without an answer */
    uint32_t sizes[PIPELINE_MESSAGES]; /* by number; 0: answered */
    uint64_t delivered;
    uint64_t failed;   /* the number of the first that failed; 0: none */
    char error[32];    /* the API's error of that one, */
    char message[256]; /* and its message */
    char path[16];     /* the path of the last delivered message */
    bool broken;       /* no more answers will come */
};

void pipeline_init(struct pipeline *p, struct edge_client *client);
bool pipeline_has_room(const struct pipeline *p);
bool pipeline_is_idle(const struct pipeline *p);
/* Begins a message. The caller then appends the request, without its last
 * brace, to client_out, and calls pipeline_end. */
void pipeline_begin(struct pipeline *p);
void pipeline_end(struct pipeline *p);
/*
 * Sends requests and handles the answers that have come. If there is nothing to
 * do it waits up to `wait_ms` (-1: for ever), also for the descriptor `other`
 * (-1: none) to become readable. Returns true if `other` is readable.
 */
bool pipeline_run(struct pipeline *p, int wait_ms, int other);
/* Runs until all messages are answered. */
void pipeline_finish(struct pipeline *p);
/* Prints on stderr what failed, and returns the exit code. `what` names the
 * messages that succeeded: "lines were sent". */
int pipeline_result(const struct pipeline *p, const char *what);

#endif
