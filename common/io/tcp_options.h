/*
 * tcp_options - how long a TCP connection of CurveZMQ lasts without its host,
 * and that small packets leave at once: the same at both ends.
 */
#ifndef COMMON_IO_TCP_OPTIONS_H
#define COMMON_IO_TCP_OPTIONS_H

/* A connection whose host vanished ends in a minute, even if nobody writes to
 * it. */
void tcp_options_set(int fd);

#endif
