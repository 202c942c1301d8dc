/*
 * sockets - non-blocking sockets for the attacks: connecting from many
 * addresses, and noticing when the target closes the connection.
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
    /* The number of loopback addresses from which the connections come in turn;
     * 0: the host's own address. */
    unsigned spread;
};

/* Parses "127.0.0.1:443", or the path of a Unix socket; false if it is
 * neither. */
bool target_parse(const char *text, struct target *t) MUST_USE;
/* Connects; -1 if the target does not accept within the time. */
int socket_open(const struct target *t, unsigned number, int within_ms);
/* These return a socket, or -1. */
int socket_listen(const struct target *t);
int socket_accept(int listener, uint64_t deadline);

/* These return the bytes moved; 0: none now; -1: the connection is closed. */
ssize_t socket_write(int fd, const void *bytes, size_t size);
ssize_t socket_read(int fd, void *bytes, size_t size);
/* Waits until the socket can be written, or read; false at the deadline. */
bool socket_wait(int fd, bool to_write, uint64_t deadline);
/* Discards everything that came; true if the target closed the connection. */
bool socket_is_cut(int fd);
/* Closes the connection by a reset, so that no end waits for the other. */
void socket_abort(int fd);

uint64_t attack_now_ms(void);
void attack_sleep_until(uint64_t ms);

#endif
