/*
 * syn_filter - has the kernel ignore who asks a listener for a connection.
 *
 * A classic BPF program on the listening socket, which needs no rights, drops
 * their SYN packets: it costs the kernel a microsecond and libzmq nothing. An
 * honest client's system sends its SYN again after a second. What is connected
 * is not touched.
 */
#ifndef COMMON_IO_SYN_FILTER_H
#define COMMON_IO_SYN_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "common/io/sources.h"

/* The longest program: each network's five instructions, and what is around
 * them. The kernel takes about twice as much (net.core.optmem_max). */
enum { SYN_FILTER_MAX = 5 * 2 * SOURCES_BARS + 32 };

/* Answers the program's length. */
size_t syn_filter_make(const struct bars *bars,
                       struct sock_filter program[static SYN_FILTER_MAX]);
/* Replaces the listener's program. False with errno: the old one stays. */
bool syn_filter_set(int listener, const struct bars *bars) MUST_USE;
/* A connection has inherited its listener's. */
void syn_filter_clear(int fd);

#endif
