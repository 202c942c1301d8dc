/*
 * syn_filter - makes the kernel ignore connection attempts from some networks.
 *
 * A classic BPF program on the listening socket, which needs no privileges,
 * drops their SYN packets: that costs the kernel a microsecond and libzmq
 * nothing. The system of an honest client sends its SYN again after a second.
 * Existing connections are not affected.
 */
#ifndef COMMON_IO_SYN_FILTER_H
#define COMMON_IO_SYN_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "common/io/sources.h"

/* The longest program, in instructions: five for each network, and some around
 * them. The kernel's limit is about twice that (net.core.optmem_max). */
enum { SYN_FILTER_MAX = 5 * 2 * SOURCES_BARS + 32 };

/* Writes the program for these bars; returns its length. */
size_t syn_filter_make(const struct bars *bars,
                       struct sock_filter program[static SYN_FILTER_MAX]);
/* Replaces the listener's program. False with errno: the old one stays. */
bool syn_filter_set(int listener, const struct bars *bars) MUST_USE;
/* Removes the program. An accepted connection inherits its listener's, so it
 * needs this too. */
void syn_filter_clear(int fd);

#endif
