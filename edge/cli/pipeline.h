/*
 * pipeline - many messages on their way at once, in order, and the count of
 * what became of them.
 *
 * A bounded number is under way; the caller adds while pipeline_has_room and
 * runs it in between. After the first failure nothing more is to be added.
 */
#ifndef EDGE_CLI_PIPELINE_H
#define EDGE_CLI_PIPELINE_H

#include "edge/cli/client.h"

enum { PIPELINE_MESSAGES = 4096, PIPELINE_BYTES = 4 * 1024 * 1024 };

struct pipeline {
    struct client *client; /* borrowed */
    uint64_t next;         /* the number of the next message; the first is 1 */
    uint64_t oldest;       /* under way */
    size_t bytes;          /* under way */
    uint32_t sizes[PIPELINE_MESSAGES]; /* by number; 0: answered */
    uint64_t delivered;
    uint64_t failed; /* the number of the first that failed; 0: none */
    char error[32];
    char message[256];
    char path[16]; /* that the last one took */
    bool broken;   /* no more answers will come */
};

void pipeline_init(struct pipeline *p, struct client *client);
bool pipeline_has_room(const struct pipeline *p);
bool pipeline_is_idle(const struct pipeline *p);
/* Begins a message: the request follows in client_out, without its last brace,
 * and then pipeline_end. */
void pipeline_begin(struct pipeline *p);
void pipeline_end(struct pipeline *p);
/*
 * Sends, and takes the answers that there are. Waits up to `wait_ms` (-1: for
 * ever) if there is nothing to do; `other` is a descriptor that is waited for
 * as well, or -1. True if `other` is readable.
 */
bool pipeline_run(struct pipeline *p, int wait_ms, int other);
/* Runs until all have been answered. */
void pipeline_finish(struct pipeline *p);
/* Tells on stderr what failed; the exit code. `what`: "lines were sent". */
int pipeline_result(const struct pipeline *p, const char *what);

#endif
