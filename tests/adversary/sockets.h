/*
 * sockets - what the attacks do to a socket: connect from many addresses, never
 * block, and see when the other end hangs up.
 */
#ifndef TESTS_ADVERSARY_SOCKETS_H
#define TESTS_ADVERSARY_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/assert.h"

struct target {
    const char *unix_path; /* or NULL: TCP on IPv4 */
    uint32_t ip;           /* host order */
    uint16_t port;
    /* How many loopback addresses the connections come from, in turns; 0: from
     * that of the host. */
    unsigned spread;
};

/* "127.0.0.1:443", or a path. False if it is neither. */
bool target_parse(const char *text, struct target *t) MUST_USE;
/* Connects; -1 if nobody takes the connection within the time. */
int socket_open(const struct target *t, unsigned number, int within_ms);
/* -1 if there is none. */
int socket_listen(const struct target *t);
int socket_accept(int listener, uint64_t deadline);

/* How many bytes went; 0: none now; -1: the connection is gone. */
ssize_t socket_write(int fd, const void *bytes, size_t size);
ssize_t socket_read(int fd, void *bytes, size_t size);
/* False if it can not be written (or read) by then. */
bool socket_wait(int fd, bool to_write, uint64_t deadline);
/* Reads and throws away what came; true if the other end hung up. */
bool socket_is_cut(int fd);
/* Ends it with a reset: the other end is not to wait for us. */
void socket_abort(int fd);

uint64_t attack_now_ms(void);
void attack_sleep_until(uint64_t ms);

#endif
