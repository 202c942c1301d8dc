/*
 * timed_io - blocking I/O for a worker thread, which ends at a deadline or as
 * soon as the owner cancels it.
 *
 * Every wait counts against the same deadline, so a peer that sends a byte now
 * and then does not hold the thread.
 */
#ifndef EDGE_SHELL_TIMED_IO_H
#define EDGE_SHELL_TIMED_IO_H

#include "common/base/address.h"
#include "common/base/bytes.h"
#include "common/base/instant.h"

#include <sys/types.h>

struct io_limit {
    struct instant until;
    int cancel; /* an eventfd: readable means cancelled; -1: none */
};

/* The same limit, but at most `most` from now on. */
struct io_limit io_limit_within(const struct io_limit *l, struct span most);

/* Waits until the descriptor has one of poll's events, or an error. False: the
 * limit was reached. */
bool io_wait(const struct io_limit *l, int fd, short events) MUST_USE;
/* The limit is reached. */
bool io_is_over(const struct io_limit *l);
/* A connected TCP socket that does not block, or -1. */
int io_connect(const struct io_limit *l, const struct address *to) MUST_USE;
bool io_send(const struct io_limit *l, int fd, struct bytes bytes) MUST_USE;
/* The number of bytes received; 0: the peer ended; -1: failed. */
ssize_t io_receive(const struct io_limit *l, int fd, void *to,
                   size_t size) MUST_USE;

#endif
