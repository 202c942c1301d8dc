/*
 * tcp_listener - opens a listening TCP socket for an endpoint of the settings.
 */
#ifndef RELAY_SHELL_TCP_LISTENER_H
#define RELAY_SHELL_TCP_LISTENER_H

#include "common/base/assert.h"
#include "relay/shell/listener.h"

/* Opens a socket that listens and does not block. `endpoint` is like "*:443"
 * or "[::]:443" (IPv4 and IPv6), "192.0.2.1:443", or "eth0:443" by the name of
 * an interface. On success `bound` is as listener_bind writes it. -1 with
 * errno. */
int tcp_listener_open(const char *endpoint,
                      char bound[static LISTENER_TEXT_SIZE]) MUST_USE;

#endif
